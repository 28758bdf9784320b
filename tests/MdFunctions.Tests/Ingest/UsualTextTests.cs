using System.Text;
using MdFunctions.Engine.Ingest;
using MdFunctions.Engine.Templates;

namespace MdFunctions.Tests.Ingest;

/// <summary>The short way says of no text another thing than the long one, which queries' parameters go.</summary>
public sealed class UsualTextTests
{
    [Theory]
    [InlineData("2026-01-02T03:04:05")]
    [InlineData("2026-01-02 03:04:05Z")]
    [InlineData("2024-02-29T23:59:59.1Z")]
    [InlineData("2026-12-31T00:00:00.123456")]
    [InlineData("0001-01-01T00:00:00.100000Z")]
    public void The_usual_timestamps_are_read_the_short_way(string text)
    {
        Assert.NotNull(Short(text, hasZone: false));
        Assert.Equal(text.EndsWith('Z'), Short(text, hasZone: true) is not null);
    }

    [Fact]
    public void A_timestamp_becomes_what_it_becomes_the_long_way()
    {
        var (plain, zoned) = (ParameterType.Parse("TIMESTAMP")!, ParameterType.Parse("TIMESTAMPTZ")!);
        var taken = 0;
        foreach (var text in Mutated(["2026-01-02T03:04:05.123456Z", "2024-02-29 23:59:59", "1999-12-31T00:00:00.500Z", "2100-02-28T10:20:30.000000", "2026-10-20T20:00:00Z"], "0123456789-:. TZ+"))
        {
            foreach (var (type, hasZone) in ((ParameterType, bool)[])[(plain, false), (zoned, true)])
            {
                if (Short(text, hasZone) is not { } fast)
                    continue;
                taken++;
                Assert.Equal((text, type.Read(text)?.Text), (text, fast));
            }
        }
        Assert.InRange(taken, 2000, int.MaxValue);
    }

    [Fact]
    public void A_decimal_is_taken_only_if_it_is_taken_the_long_way()
    {
        var taken = 0;
        foreach (var (width, scale) in ((int, int)[])[(18, 2), (3, 3), (38, 0), (4, 1)])
        {
            var type = ParameterType.Parse($"DECIMAL({width},{scale})")!;
            foreach (var text in Mutated(["12.34", "-0.5", "0", "123", "99999999.99", "-1"], "0123456789-.eE"))
            {
                if (!UsualText.IsDecimal(Encoding.UTF8.GetBytes(text), width - scale, scale))
                    continue;
                taken++;
                Assert.Equal((text, type.Read(text)?.Text), (text, text));
            }
        }
        Assert.InRange(taken, 2000, int.MaxValue);
    }

    private static string? Short(string text, bool hasZone)
    {
        Span<byte> output = stackalloc byte[UsualText.MaxTimestamp];
        var length = UsualText.Timestamp(Encoding.UTF8.GetBytes(text), hasZone, output);
        return length == 0 ? null : Encoding.UTF8.GetString(output[..length]);
    }

    private static IEnumerable<string> Mutated(string[] seeds, string alphabet)
    {
        var random = new Random(11);
        for (var i = 0; i < 20_000; i++)
        {
            var text = new StringBuilder(seeds[i % seeds.Length]);
            for (var changes = random.Next(4); changes > 0 && text.Length > 0; changes--)
            {
                var at = random.Next(text.Length);
                switch (random.Next(4))
                {
                    case 0:
                        text.Remove(at, 1);
                        break;
                    case 1:
                        text.Insert(at, alphabet[random.Next(alphabet.Length)]);
                        break;
                    default:
                        text[at] = alphabet[random.Next(alphabet.Length)];
                        break;
                }
            }
            yield return text.ToString();
        }
    }
}
