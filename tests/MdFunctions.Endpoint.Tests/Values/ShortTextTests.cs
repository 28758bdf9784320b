using System.Globalization;
using System.Text;
using MdFunctions.Endpoint.Native;
using MdFunctions.Endpoint.Values;
using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Tests.Values;

/// <summary>Digits, dates and times are those that .NET and DuckDB write, at every length and at the ends of their ranges.</summary>
public sealed class ShortTextTests
{
    private delegate int Writer<T>(Span<byte> target, T value);

    [Fact]
    public void Whole_numbers_have_all_of_their_digits()
    {
        foreach (var value in Numbers())
        {
            Assert.Equal(value.ToString(CultureInfo.InvariantCulture), Text(value, (target, number) => Digits.Write(target, number)));
            foreach (var width in (int[])[1, 2, 4, 9, 18, 19])
                Assert.Equal(value.ToString($"D{width}", CultureInfo.InvariantCulture), Text(value, (target, number) => Digits.WritePadded(target, number, width)));
            foreach (var signed in (long[])[(long)value, unchecked(-(long)value)])
                Assert.Equal(signed.ToString(CultureInfo.InvariantCulture), Text(signed, (target, number) => Digits.Write(target, number)));
        }
    }

    [Fact]
    public void Decimals_have_their_point_where_their_scale_says()
    {
        foreach (var value in Numbers().Where(value => value <= 999_999_999_999_999_999).Select(value => (long)value))
        {
            foreach (var scale in (int[])[0, 1, 2, 9, 17, 18])
            {
                var expected = (new decimal(value) / (decimal)Math.Pow(10, scale)).ToString($"F{scale}", CultureInfo.InvariantCulture);
                Assert.Equal(expected, Text(value, (target, number) => Numerics.Decimal(target, number, scale)));
                if (value > 0)
                    Assert.Equal($"-{expected}", Text(-value, (target, number) => Numerics.Decimal(target, number, scale)));
            }
        }
    }

    [Fact]
    public void Doubles_read_back_as_they_were_and_are_as_short_as_NET_has_them()
    {
        var random = new Random(5);
        for (var i = 0; i < 200_000; i++)
        {
            var value = i % 3 == 0 ? BitConverter.Int64BitsToDouble(random.NextInt64()) : Math.Round(random.NextDouble() * Math.Pow(10, random.Next(12)), random.Next(8)) * (i % 2 == 0 ? 1 : -1);
            if (!double.IsFinite(value))
                continue;
            var text = Text(value, (target, number) => Floats.Double(target, number));
            Assert.Equal(value, double.Parse(text, CultureInfo.InvariantCulture));
            Assert.True(SignificantDigits(text).Length <= SignificantDigits(value.ToString("R", CultureInfo.InvariantCulture)).Length, text);
        }
    }

    [Fact]
    public void Dates_and_timestamps_are_DuckDBs()
    {
        using var engine = Engine.Open(":memory:");
        using var connection = engine.Connect();
        // Each day of 400 years and more, and a sample over all that DuckDB has; moments a little before and after midnight.
        foreach (var days in (string[])["range(-150000, 150000, 1)", "range(-2147483647 + 2, 2147483646, 99991)"])
        {
            var rows = connection.Rows($"SELECT CAST(d AS VARCHAR), CAST(CAST(DATE '1970-01-01' + CAST(d AS INTEGER) AS DATE) AS VARCHAR) FROM {days} t(d) WHERE d BETWEEN -2147483000 AND 2147483000");
            Assert.True(rows.Count > 40_000);
            foreach (var row in rows)
                Assert.Equal(row[1], Text(int.Parse(row[0]!, CultureInfo.InvariantCulture), (target, day) => DateTimes.Date(target, day, EraStyle.DuckDb)));
        }
        var moments = connection.Rows("""
            SELECT CAST(m AS VARCHAR), CAST(make_timestamp(m) AS VARCHAR)
            FROM (SELECT unnest([d * 86400000000 + 86399999999, d * 86400000000, d * 86400000000 - 1, d * 86400000000 + 45296000100]) AS m FROM range(-106000000, 106000000, 9973) t(d))
            """);
        Assert.True(moments.Count > 80_000);
        foreach (var row in moments)
            Assert.Equal(row[1], Text(long.Parse(row[0]!, CultureInfo.InvariantCulture), (target, micros) => DateTimes.Timestamp(target, micros, style: EraStyle.DuckDb)));
    }

    private static string SignificantDigits(string text) => string.Concat(text.Split('e', 'E')[0].Where(char.IsAsciiDigit)).Trim('0');

    private static IEnumerable<ulong> Numbers()
    {
        for (var (power, i) = (1UL, 0); i < 20; (power, i) = (power * 10, i + 1))
        {
            foreach (var value in (ulong[])[power - 1, power, power + 1, power * 2, power / 3])
                yield return value;
        }
        for (var bit = 0; bit < 64; bit++)
            yield return 1UL << bit;
        yield return ulong.MaxValue;
        yield return long.MaxValue;
        var random = new Random(7);
        for (var i = 0; i < 10_000; i++)
            yield return (ulong)random.NextInt64() >> random.Next(63);
    }

    private static string Text<T>(T value, Writer<T> write)
    {
        Span<byte> target = stackalloc byte[Output.ShortLength];
        return Encoding.UTF8.GetString(target[..write(target, value)]);
    }
}
