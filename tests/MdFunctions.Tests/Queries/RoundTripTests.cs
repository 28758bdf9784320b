using System.Globalization;
using System.Net.Http.Json;
using System.Numerics;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Queries;

/// <summary>Random values of every parameter type come back as they went: request, DuckDB, response.</summary>
public sealed class RoundTripTests
{
    // A type, values of it as a request writes them, and how an answer's JSON is compared with them.
    private sealed record Case(string Type, Gen<string> Values, Func<string, JsonElement, bool> Same);

    private static readonly Case[] Cases =
    [
        new("boolean", Gen.Elements("true", "false"), (sent, got) => got.GetRawText() == sent),
        Integer("tinyint", 8, true), Integer("smallint", 16, true), Integer("integer", 32, true), Integer("bigint", 64, true), Integer("hugeint", 128, true),
        Integer("utinyint", 8, false), Integer("usmallint", 16, false), Integer("uinteger", 32, false), Integer("ubigint", 64, false), Integer("uhugeint", 128, false),
        Decimal(4, 1), Decimal(9, 0), Decimal(18, 6), Decimal(38, 10), Decimal(38, 38),
        new("double", Doubles(), (sent, got) => Float(sent).Equals(Float(got))),
        new("float", Bytes(4).Select(bytes => BitConverter.ToSingle(bytes)).Select(value => value.ToString("R", CultureInfo.InvariantCulture)), (sent, got) => ((float)Float(sent)).Equals((float)Float(got))),
        new("varchar", Texts(), (sent, got) => got.GetString() == sent),
        new("blob", Bytes().Select(Convert.ToBase64String), (sent, got) => got.GetString() == sent),
        new("date", Dates().Select(date => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)), (sent, got) => got.GetString() == sent),
        new("time", Dates().Select(date => date.ToString("HH:mm:ss.ffffff", CultureInfo.InvariantCulture)), (sent, got) => Trimmed(got.GetString()!) == Trimmed(sent)),
        new("timestamp", Dates().Select(date => date.ToString("yyyy-MM-ddTHH:mm:ss.ffffff", CultureInfo.InvariantCulture)), (sent, got) => Trimmed(got.GetString()!) == Trimmed(sent)),
        new("timestamp_s", Dates().Select(date => date.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture)), (sent, got) => got.GetString() == sent),
        new("timestamp_ms", Dates().Select(date => date.ToString("yyyy-MM-ddTHH:mm:ss.fff", CultureInfo.InvariantCulture)), (sent, got) => Trimmed(got.GetString()!) == Trimmed(sent)),
        new("timestamp_ns", from date in Dates() from ns in Gen.Choose(0, 99) select $"{1700 + (date.Year % 500):0000}-{date:MM-dd}T{date:HH:mm:ss.fffffff}{ns:00}".Replace("-02-29", "-02-28", StringComparison.Ordinal), (sent, got) => Trimmed(got.GetString()!) == Trimmed(sent)),
        new("timestamptz", from date in Dates() from offset in Gen.Choose(-14 * 60, 14 * 60) select Offset(date, offset), (sent, got) => DateTimeOffset.Parse(sent, CultureInfo.InvariantCulture) == DateTimeOffset.Parse(got.GetString()!, CultureInfo.InvariantCulture)),
        new("uuid", Gen.Fresh(() => Guid.NewGuid().ToString("D")), (sent, got) => got.GetString() == sent),
        new("bit", Gen.NonEmptyListOf(Gen.Elements('0', '1')).Select(bits => string.Concat(bits)), (sent, got) => got.GetString() == sent),
        new("json", Texts().Select(text => JsonSerializer.Serialize(new { a = text, b = new object?[] { 1, null, true } })), (sent, got) => JsonElement.DeepEquals(JsonSerializer.Deserialize<JsonElement>(sent), got)),
        new("varchar[]", Gen.ListOf(Texts()).Select(list => JsonSerializer.Serialize(list)), (sent, got) => JsonElement.DeepEquals(JsonSerializer.Deserialize<JsonElement>(sent), got)),
        new("hugeint[]", Gen.ListOf(Integers(128, true)).Select(list => $"[{string.Join(',', list)}]"), (sent, got) => got.GetRawText() == sent),
        new("decimal(20,2)[]", Gen.ListOf(Decimals(20, 2)).Select(list => $"[{string.Join(',', list)}]"), (sent, got) => got.GetArrayLength() == JsonSerializer.Deserialize<JsonElement>(sent).GetArrayLength()
            && JsonSerializer.Deserialize<JsonElement>(sent).EnumerateArray().Zip(got.EnumerateArray()).All(pair => Number(pair.First.GetRawText()) == Number(pair.Second.GetRawText()))),
        new("date[]", Gen.ListOf(Dates()).Select(list => JsonSerializer.Serialize(list.Select(date => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)))), (sent, got) => JsonElement.DeepEquals(JsonSerializer.Deserialize<JsonElement>(sent), got)),
        new("blob[]", Gen.ListOf(Gen.Elements("", "YWI=", "YWJj")).Select(list => JsonSerializer.Serialize(list)), (sent, got) => got.GetArrayLength() == JsonSerializer.Deserialize<JsonElement>(sent).GetArrayLength()),
    ];

    [Fact]
    public async Task Values_of_every_type_survive_the_round_trip()
    {
        var declared = string.Concat(Cases.Select((one, i) => $"  p{i}: {{ type: '{one.Type}', optional: true }}\n"));
        var columns = string.Join(", ", Cases.Select((_, i) => $"$p{i} AS p{i}"));
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string> { ["queries/echo.sql"] = $"/*\nparameters:\n{declared}*/\nSELECT {columns}" });

        var rows = Gen.CollectToArray(Cases.Select(one => Gen.Frequency((9, one.Values.Select(text => (string?)text)), (1, Gen.Constant<string?>(null)))));
        var property = Prop.ForAll(Arb.From(rows), row =>
        {
            var values = row.ToArray();
            var body = new StringBuilder("{").AppendJoin(',', values.Select((text, i) => $"\"p{i}\":{Json(Cases[i].Type, text)}")).Append('}').ToString();
            var answer = Task.Run(async () =>
            {
                using var response = await app.Client.PostAsync("/api/queries/echo", new StringContent(body, Encoding.UTF8, "application/json"));
                var text = await response.Content.ReadAsStringAsync();
                Assert.True(response.IsSuccessStatusCode, $"{body}\n{text}");
                return JsonSerializer.Deserialize<JsonElement>(text)[0];
            }).GetAwaiter().GetResult();
            for (var i = 0; i < Cases.Length; i++)
            {
                var got = answer.GetProperty($"p{i}");
                Assert.True(values[i] is { } sent ? Cases[i].Same(sent, got) : got.ValueKind == JsonValueKind.Null, $"{Cases[i].Type}: sent {values[i]}, got {got.GetRawText()}");
            }
        });
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(150), property);
    }

    [Fact]
    public async Task Scalars_survive_the_query_string_too()
    {
        var scalars = Cases.Where(one => !one.Type.EndsWith(']')).ToArray();
        var declared = string.Concat(scalars.Select((one, i) => $"  p{i}: {{ type: '{one.Type}' }}\n"));
        var columns = string.Join(", ", scalars.Select((_, i) => $"$p{i} AS p{i}"));
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string> { ["queries/echo.sql"] = $"/*\nparameters:\n{declared}*/\nSELECT {columns}" });
        var property = Prop.ForAll(Arb.From(Gen.CollectToArray(scalars.Select(one => one.Values))), row =>
        {
            var values = row.ToArray();
            var url = "/api/queries/echo?" + string.Join('&', values.Select((text, i) => $"p{i}={Uri.EscapeDataString(text)}"));
            if (url.Length > 7000)
                return;
            var answer = Task.Run(() => app.GetJsonAsync(url)).GetAwaiter().GetResult()[0];
            for (var i = 0; i < scalars.Length; i++)
                Assert.True(scalars[i].Same(values[i], answer.GetProperty($"p{i}")), $"{scalars[i].Type}: sent {values[i]}, got {answer.GetProperty($"p{i}").GetRawText()}");
        });
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(50), property);
    }

    [Theory]
    [InlineData("P1Y2M3DT4H5M6.5S", "1 year 2 months 3 days 04:05:06.5")]
    [InlineData("P2W", "14 days")]
    [InlineData("-P1D", "-1 days")]
    [InlineData("PT36H", "36:00:00")]
    public async Task Durations_are_intervals(string iso, string interval)
    {
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string> { ["queries/echo.sql"] = "/*\nparameters:\n  p: { type: interval }\n*/\nSELECT $p AS p, $p = INTERVAL '" + interval + "' AS same" });
        var row = (await app.GetJsonAsync($"/api/queries/echo?p={Uri.EscapeDataString(iso)}"))[0];
        Assert.True(row.GetProperty("same").GetBoolean(), row.GetRawText());
    }

    [Theory]
    [InlineData("tinyint", "128", "-129", "1.0", "+1", "0x10", " 1", "1e3")]
    [InlineData("hugeint", "170141183460469231731687303715884105728")]
    [InlineData("utinyint", "-1", "256")]
    [InlineData("decimal(4,1)", "1000", "1.25", "1e2", "1,5", "1.")]
    [InlineData("double", "1e999", "-1e999", "1e-999", "nan", "0x1", "1,5")]
    [InlineData("float", "1e39")]
    [InlineData("boolean", "1", "yes", "t", "")]
    [InlineData("date", "2026-1-2", "2026-02-29", "10000-01-01", "2026-01-02T00:00:00", "02.01.2026", "infinity")]
    [InlineData("time", "24:00:00", "12:60", "12:30:00.1234567", "12:30+01:00")]
    [InlineData("timetz", "12:30", "12:30+25:00")]
    [InlineData("timestamp", "2026-01-02", "2026-01-02T25:00:00", "2026-01-02T10:00:00+01:00", "2026-01-02T10:00:00.1234567", "now")]
    [InlineData("timestamp_s", "2026-01-02T10:00:00.5")]
    [InlineData("timestamp_ns", "2300-01-01T00:00:00", "1500-01-01T00:00:00")]
    [InlineData("timestamptz", "2026-01-02T10:00:00", "2026-01-02T10:00:00 Europe/Berlin")]
    [InlineData("interval", "1 day", "P", "P1S", "PT")]
    [InlineData("uuid", "550e8400e29b41d4a716446655440000", "x")]
    [InlineData("blob", "a", "YWI", "Y WI=", "%%%%")]
    [InlineData("bit", "", "012")]
    [InlineData("json", "{", "'a'", "NaN")]
    [InlineData("varchar", "a\0b")]
    public async Task What_is_not_exactly_of_the_type_is_refused(string type, params string[] values)
    {
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string> { ["queries/echo.sql"] = $"/*\nparameters:\n  p: {{ type: '{type}' }}\n*/\nSELECT $p AS p" });
        foreach (var value in values)
        {
            using var response = await app.Client.GetAsync($"/api/queries/echo?p={Uri.EscapeDataString(value)}");
            var problem = await response.ProblemAsync(400);
            Assert.Contains("'p' is not", problem.GetProperty("errors").GetProperty("p")[0].GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Lists_come_repeated_in_the_query_string_or_as_a_JSON_array_and_their_faults_name_the_element()
    {
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["queries/list.sql"] = "/*\nparameters:\n  l: { type: 'integer[]', default: [7, 8], maxLength: 3, minimum: 0 }\n  p: { type: varchar, optional: true, pattern: '[a-z]{2,3}', maxLength: 3 }\n*/\nSELECT $l AS l, $p AS p",
        });
        Assert.Equal("[7,8]", (await app.GetJsonAsync("/api/queries/list"))[0].GetProperty("l").GetRawText());
        Assert.Equal("[1,2,3]", (await app.GetJsonAsync("/api/queries/list?l=1&l=2&l=3"))[0].GetProperty("l").GetRawText());
        using var posted = await app.Client.PostAsJsonAsync("/api/queries/list", new { l = new object[] { 1, "2" }, p = "abc" });
        Assert.Equal("[{\"l\":[1,2],\"p\":\"abc\"}]", await posted.Content.ReadAsStringAsync());
        using var empty = await app.Client.PostAsJsonAsync("/api/queries/list", new { l = Array.Empty<int>() });
        Assert.Equal("[{\"l\":[],\"p\":null}]", await empty.Content.ReadAsStringAsync());

        await Fails("l=1&l=x", "l", "number 2, that is not an integer");
        await Fails("l=1&l=2&l=3&l=4", "l", "has 4 elements; at most 3");
        await Fails("l=-1", "l", "element 1: is below the minimum, 0");
        await Fails("p=ABC", "p", "does not match the pattern");
        await Fails("p=a", "p", "does not match the pattern");
        await Fails("p=abc%0A", "p", "has 4 characters");

        async Task Fails(string query, string parameter, string message)
        {
            using var response = await app.Client.GetAsync($"/api/queries/list?{query}");
            Assert.Contains(message, (await response.ProblemAsync(400)).GetProperty("errors").GetProperty(parameter)[0].GetString(), StringComparison.Ordinal);
        }
    }

    private static string Json(string type, string? text) => text switch
    {
        null => "null",
        "NaN" or "Infinity" or "-Infinity" => $"\"{text}\"",
        _ when type.EndsWith(']') || type is "json" or "boolean" or "double" or "float" || type.Contains("int", StringComparison.Ordinal) || type.StartsWith("decimal", StringComparison.Ordinal) => text,
        _ => JsonSerializer.Serialize(text),
    };

    private static Case Integer(string type, int bits, bool signed) => new(type, Integers(bits, signed), (sent, got) => got.GetRawText() == sent);

    private static Case Decimal(int width, int scale) => new($"decimal({width},{scale})", Decimals(width, scale), (sent, got) => Number(sent) == Number(got.GetRawText()));

    private static Gen<string> Integers(int bits, bool signed)
    {
        var minimum = signed ? -BigInteger.Pow(2, bits - 1) : 0;
        var maximum = BigInteger.Pow(2, signed ? bits - 1 : bits) - 1;
        return Gen.OneOf(
            Gen.Elements(minimum, maximum, BigInteger.Zero, BigInteger.One),
            Bytes(bits / 8).Select(bytes => minimum + new BigInteger(bytes, isUnsigned: true) % (maximum - minimum + 1)))
            .Select(value => value.ToString(CultureInfo.InvariantCulture));
    }

    // JSON has no leading zeros and no bare point.
    private static Gen<string> Decimals(int width, int scale) =>
        from digits in Gen.ArrayOf(Gen.Choose(0, 9), width)
        from negative in Gen.Elements("", "-")
        let whole = string.Concat(digits.Take(width - scale)).TrimStart('0')
        let fraction = string.Concat(digits.Skip(width - scale))
        select $"{negative}{(whole.Length == 0 ? "0" : whole)}{(fraction.Length == 0 ? "" : ".")}{fraction}";

    private static Gen<string> Doubles() => Gen.OneOf(
        Gen.Elements("NaN", "Infinity", "-Infinity", "0", "-0.0", "5e-324", "1.7976931348623157e308", "0.1"),
        Bytes(8).Select(bytes => BitConverter.ToDouble(bytes)).Where(double.IsFinite).Select(value => value.ToString("R", CultureInfo.InvariantCulture)));

    private static Gen<string> Texts() => Gen.OneOf(
        Gen.Elements("", " ", "'", "''", "\"", "\\", "\\'", "$1", "$p0", "$$", "--", "/*", "*/", ";", "NULL", "null", "{}", "[]", "%", "_", "\u00e9", "e\u0301", "\U0001F986", "\u2028", "\ufeff", "\t\r\n", "\u0001", "a'; DROP TABLE x; --"),
        ArbMap.Default.GeneratorFor<string>().Where(text => text is not null && !text.Contains('\0') && text.All(c => !char.IsSurrogate(c))));

    private static Gen<byte[]> Bytes(int count) => Gen.ArrayOf(Gen.Choose(0, 255).Select(value => (byte)value), count);

    private static Gen<byte[]> Bytes() => Gen.Choose(0, 40).SelectMany(Bytes);

    private static Gen<DateTime> Dates() => Gen.OneOf(
        Gen.Elements(DateTime.MinValue, new DateTime(9999, 12, 31, 23, 59, 59), DateTime.UnixEpoch, new DateTime(2024, 2, 29)),
        from days in Gen.Choose(0, 3652058) from seconds in Gen.Choose(0, 86399) from micros in Gen.Choose(0, 999999) select DateTime.MinValue.AddDays(days).AddSeconds(seconds).AddMicroseconds(micros));

    private static string Offset(DateTime date, int minutes)
    {
        var local = date.AddYears(date.Year < 3 ? 2 : date.Year > 9997 ? -2 : 0);
        return $"{local:yyyy-MM-ddTHH:mm:ss.ffffff}{(minutes < 0 ? '-' : '+')}{Math.Abs(minutes) / 60:00}:{Math.Abs(minutes) % 60:00}";
    }

    private static string Trimmed(string time) => time.Contains('.', StringComparison.Ordinal) ? time.TrimEnd('0').TrimEnd('.') : time;

    private static (BigInteger, int) Number(string text)
    {
        var point = text.IndexOf('.', StringComparison.Ordinal);
        var digits = point < 0 ? text : text.Remove(point, 1) is var joined && text.Length - point - 1 is var scale ? joined[..^(scale - text[(point + 1)..].TrimEnd('0').Length)] : text;
        return (BigInteger.Parse(digits, CultureInfo.InvariantCulture), point < 0 ? 0 : text[(point + 1)..].TrimEnd('0').Length);
    }

    private static double Float(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static double Float(JsonElement json) => json.ValueKind == JsonValueKind.String ? Float(json.GetString()!) : json.GetDouble();
}
