using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Queries;

/// <summary>What answers look like: every DuckDB type in every format.</summary>
public sealed class ResultTests
{
    // A DuckDB expression and what JSON it is.
    public static readonly TheoryData<string, string> Values = new()
    {
        { "true", "true" },
        { "NULL", "null" },
        { "(-128)::TINYINT", "-128" },
        { "255::UTINYINT", "255" },
        { "(-32768)::SMALLINT", "-32768" },
        { "2147483647::INTEGER", "2147483647" },
        { "9223372036854775807::BIGINT", "9223372036854775807" },
        { "18446744073709551615::UBIGINT", "18446744073709551615" },
        { "'-170141183460469231731687303715884105728'::HUGEINT", "-170141183460469231731687303715884105728" },
        { "'340282366920938463463374607431768211455'::UHUGEINT", "340282366920938463463374607431768211455" },
        { "sum(9223372036854775807)", "9223372036854775807" },
        { "'12345678901234567890123456789012345678'::DECIMAL(38,0)", "12345678901234567890123456789012345678" },
        { "'-0.10'::DECIMAL(18,2)", "-0.10" },
        { "0.1::DOUBLE", "0.1" },
        { "1e300::DOUBLE", "1e+300" },
        { "'1.5'::FLOAT", "1.5" },
        { "'NaN'::DOUBLE", "\"NaN\"" },
        { "'Infinity'::DOUBLE", "\"Infinity\"" },
        { "'-Infinity'::FLOAT", "\"-Infinity\"" },
        { "'a\"b\\c' || chr(10) || '\u00e9\U0001F986'", "\"a\\\"b\\\\c\\n\u00e9\\uD83E\\uDD86\"" },
        { "''", "\"\"" },
        { "'\\x00\\x01\\xFF'::BLOB", "\"AAH/\"" },
        { "DATE '0001-01-01'", "\"0001-01-01\"" },
        { "DATE '9999-12-31'", "\"9999-12-31\"" },
        { "TIME '23:59:59.999999'", "\"23:59:59.999999\"" },
        { "TIMESTAMP '2026-01-02 03:04:05'", "\"2026-01-02T03:04:05\"" },
        { "TIMESTAMP '2026-01-02 03:04:05.678901'", "\"2026-01-02T03:04:05.678901\"" },
        { "'2026-01-02 03:04:05.123456789'::TIMESTAMP_NS", "\"2026-01-02T03:04:05.123456789\"" },
        { "'2026-01-02 03:04:05.123'::TIMESTAMP_MS", "\"2026-01-02T03:04:05.123\"" },
        { "'2026-01-02 03:04:05'::TIMESTAMP_S", "\"2026-01-02T03:04:05\"" },
        { "TIMESTAMPTZ '2026-01-02 03:04:05+02:00'", "\"2026-01-02T01:04:05+00:00\"" },
        { "'infinity'::TIMESTAMP", "\"infinity\"" },
        { "INTERVAL '1 year 2 days 03:04:05'", "\"1 year 2 days 03:04:05\"" },
        { "'550e8400-e29b-41d4-a716-446655440000'::UUID", "\"550e8400-e29b-41d4-a716-446655440000\"" },
        { "'b'::ENUM('a', 'b')", "\"b\"" },
        { "'0101'::BIT", "\"0101\"" },
        { "'{\"a\": [1, null],\n \"b\": \"x\"}'::JSON", "{\"a\": [1, null],  \"b\": \"x\"}" },
        { "[1, NULL, 3]", "[1,null,3]" },
        { "['a,b', 'c\"d', NULL]", "[\"a,b\",\"c\\\"d\",null]" },
        { "[]::INTEGER[]", "[]" },
        { "array_value(1, 2)", "[1,2]" },
        { "{'a': 1, 'b': {'c': 'x y'}}", "{\"a\":1,\"b\":{\"c\":\"x y\"}}" },
        { "MAP {'k': 1.5}", "{\"k\":1.5}" },
        { "['NaN'::DOUBLE, 'Infinity', '-Infinity', 1]", "[\"NaN\",\"Infinity\",\"-Infinity\",1.0]" },
        { "{'NaN': 'NaN, -Infinity \"'}", "{\"NaN\":\"NaN, -Infinity \\\"\"}" },
        { "[12345678901234567890123456789012345678::HUGEINT]", "[12345678901234567890123456789012345678]" },
        { "['a'::BLOB]", "[\"YQ==\"]" },
    };

    [Fact]
    public async Task Every_type_has_a_defined_output()
    {
        var expressions = Values.Select(value => (Sql: (string)value[0], Json: (string)value[1])).ToList();
        var sql = $"SELECT {string.Join(",\n", expressions.Select((value, i) => $"{value.Sql} AS c{i}"))}";
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string> { ["queries/types.sql"] = sql });

        var json = await app.Client.GetStringAsync("/api/queries/types");
        using var document = JsonDocument.Parse(json);
        var row = document.RootElement[0];
        Assert.Equal(
            expressions.Select(value => $"{value.Sql} -> {value.Json}"),
            expressions.Select((value, i) => $"{value.Sql} -> {row.GetProperty($"c{i}").GetRawText()}"));

        var line = await app.Client.GetStringAsync("/api/queries/types?format=ndjson");
        Assert.Equal(json, $"[{line.TrimEnd('\n')}]");
        Assert.Equal(1, line.Count(c => c == '\n'));

        var fields = CsvText.Read(await app.Client.GetStringAsync("/api/queries/types?format=csv"));
        Assert.Equal(2, fields.Count);
        Assert.Equal(
            expressions.Select((_, i) => row.GetProperty($"c{i}") is { ValueKind: JsonValueKind.String } text ? text.GetString() : row.GetProperty($"c{i}") is { ValueKind: JsonValueKind.Null } ? "" : row.GetProperty($"c{i}").GetRawText()),
            fields[1]);
    }

    [Fact]
    public async Task Nested_results_and_plain_ones_keep_their_order_and_names()
    {
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["queries/nested.sql"] = "SELECT i AS \"the \"\"i\"\"\", [i] AS l, i AS l FROM range(10000) t(i) ORDER BY i DESC",
        });
        var rows = await app.GetJsonAsync("/api/queries/nested");
        Assert.Equal(10000, rows.GetArrayLength());
        Assert.Equal("{\"the \\\"i\\\"\":9999,\"l\":[9999],\"l_1\":9999}", rows[0].GetRawText());
        Assert.Equal(Enumerable.Range(0, 10000).Reverse(), rows.EnumerateArray().Select(row => row.GetProperty("the \"i\"").GetInt32()));
    }

    [Theory]
    [InlineData(null, null, "application/json")]
    [InlineData("*/*", null, "application/json")]
    [InlineData("text/csv", null, "text/csv")]
    [InlineData("text/*", null, "text/csv")]
    [InlineData("application/x-ndjson", null, "application/x-ndjson")]
    [InlineData("application/json;q=0.5, text/csv", null, "text/csv")]
    [InlineData("text/csv;q=0.1, application/json;q=0.2", null, "application/json")]
    [InlineData("*/*, application/json;q=0", null, "application/x-ndjson")]
    [InlineData("text/html, */*;q=0.1", null, "application/json")]
    [InlineData("text/csv", "json", "application/json")]
    public async Task The_format_is_negotiated(string? accept, string? format, string expected)
    {
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string> { ["queries/q.sql"] = "SELECT 1 AS a" });
        using var request = new HttpRequestMessage(HttpMethod.Get, format is null ? "/api/queries/q" : $"/api/queries/q?format={format}");
        if (accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", accept);
        using var response = await app.Client.SendAsync(request);
        Assert.Equal(expected, response.Content.Headers.ContentType?.MediaType);

        using var unacceptable = new HttpRequestMessage(HttpMethod.Get, "/api/queries/q") { Headers = { { "Accept", "text/html, application/json;q=0" } } };
        using var refused = await app.Client.SendAsync(unacceptable);
        await refused.ProblemAsync(406);
    }

    [Theory]
    [InlineData("gzip", "gzip")]
    [InlineData("br;q=0.5, gzip", "gzip")]
    [InlineData("gzip, br", "br")]
    [InlineData("*", "br")]
    [InlineData("identity", null)]
    [InlineData("br;q=0", null)]
    public async Task Large_answers_are_compressed_and_small_ones_are_not(string accept, string? expected)
    {
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["queries/large.sql"] = "SELECT i, 'some text' AS t FROM range(50000) r(i)",
            ["queries/cached.sql"] = "/* cache: 60s */ SELECT i, 'some text' AS t FROM range(50000) r(i)",
            ["queries/small.sql"] = "SELECT 1 AS a",
        });
        var plain = await app.Client.GetStringAsync("/api/queries/large");
        foreach (var name in (string[])["large", "cached"])
        {
            using var response = await Get(name);
            Assert.Equal(expected is null ? [] : [expected], response.Content.Headers.ContentEncoding);
            var body = await response.Content.ReadAsStreamAsync();
            await using var decompressed = expected switch { "gzip" => new GZipStream(body, CompressionMode.Decompress), "br" => new BrotliStream(body, CompressionMode.Decompress), _ => body };
            Assert.Equal(plain, await new StreamReader(decompressed, Encoding.UTF8).ReadToEndAsync());
        }
        using var small = await Get("small");
        Assert.Empty(small.Content.Headers.ContentEncoding);
        Assert.Equal("[{\"a\":1}]", await small.Content.ReadAsStringAsync());

        async Task<HttpResponseMessage> Get(string name)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/queries/{name}");
            foreach (var coding in accept.Split(", "))
                request.Headers.AcceptEncoding.Add(StringWithQualityHeaderValue.Parse(coding));
            return await app.Client.SendAsync(request);
        }
    }

    [Fact]
    public async Task Csv_is_quoted_by_rfc_4180()
    {
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["queries/csv.sql"] = "SELECT 'a,b' AS \"x,y\", 'say \"hi\"' AS b, '' AS c, NULL AS d, 'two' || chr(10) || 'lines' AS e",
        });
        using var response = await app.Client.GetAsync("/api/queries/csv?format=csv");
        Assert.Equal("text/csv; charset=utf-8; header=present", response.Content.Headers.ContentType?.ToString());
        Assert.Equal("\"x,y\",b,c,d,e\r\n\"a,b\",\"say \"\"hi\"\"\",\"\",,\"two\nlines\"\r\n", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Values_of_ten_megabytes_arrive_whole()
    {
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["queries/long.sql"] = "SELECT repeat('\u00e9\"\U0001F986,', 2000000) AS t, [repeat('x', 100000)] AS l, i FROM range(2) r(i)",
        });
        var expected = string.Concat(Enumerable.Repeat("\u00e9\"\U0001F986,", 2_000_000));
        var rows = await app.GetJsonAsync("/api/queries/long");
        Assert.All(rows.EnumerateArray(), row => Assert.True(expected == row.GetProperty("t").GetString()));
        Assert.Equal(100_000, rows[1].GetProperty("l")[0].GetString()!.Length);
        var csv = CsvText.Read(await app.Client.GetStringAsync("/api/queries/long?format=csv"));
        Assert.True(expected == csv[2][0]);
    }

    [Fact]
    public async Task Values_as_long_as_a_buffer_or_two_arrive_whole()
    {
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["queries/edges.sql"] = "SELECT n, repeat('x', n - 1) || 'y' AS t, [repeat('x', n - 5) || 'y'] AS l FROM (SELECT unnest([16383, 16384, 16385, 32768, 32769]) AS n)",
        });
        var csv = CsvText.Read(await app.Client.GetStringAsync("/api/queries/edges?format=csv")).Skip(1).ToList();
        var json = (await app.GetJsonAsync("/api/queries/edges")).EnumerateArray().ToList();
        Assert.Equal(5, json.Count);
        Assert.All(json.Zip(csv), row =>
        {
            var length = row.First.GetProperty("n").GetInt32();
            Assert.Equal(new string('x', length - 1) + 'y', row.First.GetProperty("t").GetString());
            Assert.Equal(new string('x', length - 5) + 'y', row.First.GetProperty("l")[0].GetString()); // With its brackets and quotes it is as long.
            Assert.Equal(row.First.GetProperty("t").GetString(), row.Second[1]);
        });
    }
}
