using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Ingest;

public sealed class IngestTests
{
    [Theory]
    [InlineData("list_distinct(string_split($header_x_tags, ','))", "VARCHAR[]")]
    [InlineData("string_split($header_x_tags, ',')[1]", "VARCHAR")]
    [InlineData("['x'] || string_split($header_x_tags, ',')", "VARCHAR[]")]
    public async Task The_table_is_made_with_the_type_that_a_function_of_a_header_has(string expression, string type)
    {
        var (app, table) = await Webhook.AppAsync("id: BIGINT", $"SELECT id, {expression} AS tags FROM body");
        await using var _ = app;
        foreach (var header in (string?[])["b,a", null])
        {
            var request = Webhook.Request("{\"id\":1}"u8.ToArray());
            if (header is not null)
                request.Headers.Add("X-Tags", header);
            using var response = await app.Client.SendAsync(request);
            await response.StoredAsync();
        }
        Assert.All(await Webhook.RowsAsync($"SELECT typeof(tags) FROM {table}"), row => Assert.Equal(type, row[0]));
    }

    [Fact]
    public async Task Every_type_keeps_every_digit()
    {
        var columns = new (string Type, string Json, string Sql)[]
        {
            ("BOOLEAN", "true", "true"),
            ("TINYINT", "-128", "'-128'"),
            ("BIGINT", "-9223372036854775808", "'-9223372036854775808'"),
            ("BIGINT", "9007199254740993", "9007199254740993"),
            ("UBIGINT", "18446744073709551615", "18446744073709551615"),
            ("HUGEINT", "170141183460469231731687303715884105727", "170141183460469231731687303715884105727"),
            ("INTEGER", "\"42\"", "42"),
            ("DECIMAL(38,20)", "123456789012345678.12345678901234567890", "'123456789012345678.12345678901234567890'"),
            ("DECIMAL(18,2)", "\"-0.10\"", "'-0.10'"),
            ("DOUBLE", "0.1", "'0.1'"),
            ("DOUBLE", "1.7976931348623157E+308", "'1.7976931348623157e308'"),
            ("FLOAT", "\"NaN\"", "'NaN'"),
            ("VARCHAR", "\"quote \\\" \\u00e9 \\ud83c\\udf89 🎉 \\\\ \\n end\"", "'quote \" é 🎉 🎉 \\ ' || chr(10) || ' end'"),
            ("VARCHAR", "\"\"", "''"),
            ("VARCHAR", "\"null\"", "'null'"),
            ("VARCHAR", "\"{\\\"a\\\":1}\"", "'{\"a\":1}'"),
            ("BLOB", "\"AP+AYSc=\"", "'\\x00\\xFF\\x80a\\x27'"),
            ("DATE", "\"2024-02-29\"", "'2024-02-29'"),
            ("TIME", "\"23:59:59.999999\"", "'23:59:59.999999'"),
            ("TIMESTAMP", "\"2026-01-02T03:04:05.123456Z\"", "'2026-01-02 03:04:05.123456'"),
            ("TIMESTAMP_NS", "\"2026-01-02T03:04:05.123456789\"", "'2026-01-02 03:04:05.123456789'"),
            ("TIMESTAMPTZ", "\"2026-01-02T03:04:05.5+05:30\"", "'2026-01-01 21:34:05.5+00'"),
            ("INTERVAL", "\"P1DT12H\"", "'1 day 12 hours'"),
            ("UUID", "\"3F333DF6-90A4-4FDA-8DD3-9485D27CEE36\"", "'3f333df6-90a4-4fda-8dd3-9485d27cee36'"),
            ("JSON", "{\"n\": 1.000000000000000000001, \"s\": \"\\u00e9\"}", "'{\"n\": 1.000000000000000000001, \"s\": \"\\u00e9\"}'"),
            ("JSON", "\"text\"", "'\"text\"'"),
            ("INTEGER[]", "[1, null, -3]", "[1, NULL, -3]"),
            ("VARCHAR[]", "[\"a, b\", \"[c]\", \"\"]", "['a, b', '[c]', '']"),
            ("STRUCT(a BIGINT, b STRUCT(c DECIMAL(30,10)[], d JSON))", "{\"b\": {\"c\": [1.0000000001], \"d\": [1], \"other\": 1}, \"a\": 9007199254740993}", "{'a': 9007199254740993, 'b': {'c': ['1.0000000001'], 'd': '[1]'}}"),
            ("STRUCT(a INTEGER)[]", "[{}, {\"a\": 1}, null]", "[{'a': NULL}, {'a': 1}, NULL]"),
            ("INTEGER", "null", "NULL"),
        };
        var (app, table) = await Webhook.AppAsync(string.Join('\n', columns.Select((column, i) => $"c{i}: '{column.Type}'")) + "\nmissing: INTEGER");
        await using var _ = app;

        var answer = await app.StoreAsync($"[{{{string.Join(",", columns.Select((column, i) => $"\"c{i}\": {column.Json}"))}, \"unknown\": [1]}}]");

        Assert.Equal(1, answer.GetProperty("inserted").GetInt32());
        for (var i = 0; i < columns.Length; i++)
        {
            var wanted = $"CAST({columns[i].Sql} AS {columns[i].Type})";
            var row = (await Webhook.RowsAsync($"SELECT (c{i} IS NOT DISTINCT FROM {wanted})::VARCHAR, c{i}::VARCHAR, typeof(c{i}) = typeof({wanted}) FROM {table}"))[0];
            Assert.True(row[0] == "true" && row[2]!.StartsWith('t'), $"{columns[i].Type} {columns[i].Json} became {row[1]}");
        }
        Assert.Null(await Webhook.ScalarAsync($"SELECT missing FROM {table}"));
    }

    [Fact]
    public async Task An_object_an_array_and_NDJSON_plain_or_packed_are_rows()
    {
        var (app, table) = await Webhook.AppAsync("a: INTEGER");
        await using var _ = app;
        await app.StoreAsync("""{"a": 1}""");
        await app.StoreAsync("""[{"a": 2}, {"a": 3}]""", contentType: "application/json; charset=utf-8");
        await app.StoreAsync("{\"a\": 4}\r\n{\"a\": 5}\n\n", contentType: "application/x-ndjson");
        await app.StoreAsync("\uFEFF{\"a\": 6}", contentType: "application/cloudevents+json");
        var packed = Webhook.Request(Webhook.Gzip("""[{"a": 7}]"""u8.ToArray())); // Signed as it is sent.
        packed.Content!.Headers.ContentEncoding.Add("gzip");
        using var response = await app.Client.SendAsync(packed);
        await response.StoredAsync();
        Assert.Equal(0, (await app.StoreAsync("[]")).GetProperty("received").GetInt32());
        Assert.Equal("1,2,3,4,5,6,7", await Webhook.ScalarAsync($"SELECT string_agg(a, ',' ORDER BY a) FROM {table}"));
    }

    [Fact]
    public async Task The_statement_shapes_the_rows_and_reads_headers()
    {
        var (app, table) = await Webhook.AppAsync("id: BIGINT\ntags: VARCHAR[]",
            "WITH t AS (SELECT id, unnest(tags) AS tag FROM body) SELECT id, upper(tag) AS tag, $header_x_source AS source, $header_x_none AS nothing FROM t WHERE id > 1");
        await using var _ = app;
        var request = Webhook.Request("""[{"id": 1, "tags": ["a"]}, {"id": 2, "tags": ["b", "c"]}]"""u8.ToArray());
        request.Headers.Add("X-Source", "it's; DROP TABLE t --");
        using var response = await app.Client.SendAsync(request);
        var answer = await response.StoredAsync();
        Assert.Equal((2, 2), (answer.GetProperty("received").GetInt32(), answer.GetProperty("inserted").GetInt32()));
        Assert.Equal("2 B it's; DROP TABLE t -- null|2 C it's; DROP TABLE t -- null",
            await Webhook.ScalarAsync($"SELECT string_agg(concat_ws(' ', id, tag, source, coalesce(nothing, 'null')), '|' ORDER BY tag) FROM {table}"));
    }

    [Fact]
    public async Task A_target_that_is_there_gets_rows_by_name_and_its_constraints_hold()
    {
        var (app, table) = await Webhook.AppAsync("a: INTEGER\nb: VARCHAR");
        await using var _ = app;
        await Webhook.RowsAsync($"CREATE SCHEMA {table[..table.LastIndexOf('.')]}");
        await Webhook.RowsAsync($"CREATE TABLE {table} (b VARCHAR, extra INTEGER DEFAULT 7, a INTEGER NOT NULL)");
        await app.StoreAsync("""{"a": 1, "b": "x"}""");
        using var response = await app.SendAsync("""[{"a": 2, "b": "y"}, {"b": "z"}]""");
        await response.ProblemAsync(422);
        Assert.Equal("1|x|7", await Webhook.RowAsync($"SELECT a, b, extra FROM {table}"));
        await Webhook.RowsAsync($"DROP TABLE {table}");
        await app.StoreAsync("""{"a": 3}"""); // It is made again.
        Assert.Equal("3", await Webhook.ScalarAsync($"SELECT a FROM {table}"));
    }

    [Fact]
    public async Task Rows_that_do_not_fit_go_to_a_table_of_their_own_where_the_file_says_skip()
    {
        var (app, table) = await Webhook.AppAsync("a: INTEGER NOT NULL\nb: STRUCT(c DATE[])", more: "onError: skip\nid: $header_x_delivery");
        await using var _ = app;
        const string body = """[{"a": 1}, {"a": "x'y"}, 7, {"b": null}, {"a": 2, "b": {"c": ["2026-01-01", "2026-13-01"]}}, {"a": 3, "b": {}}]""";
        for (var sent = 0; sent < 2; sent++)
        {
            var answer = await app.StoreAsync(body, "one");
            Assert.Equal((6, 2 - 2 * sent, 4 - 4 * sent), (answer.GetProperty("received").GetInt32(), answer.GetProperty("inserted").GetInt32(), answer.GetProperty("rejected").GetInt32()));
        }
        Assert.Equal("1,3", await Webhook.ScalarAsync($"SELECT string_agg(a, ',' ORDER BY a) FROM {table}"));
        var rejects = await Webhook.RowsAsync("SELECT row_index, path, reason, content FROM my_db.md_functions.ingest_rejects WHERE ingest = 'events' AND id = 'one' ORDER BY row_index");
        Assert.Equal(
            [
                "1|a|is not an integer from -2147483648 to 2147483647|{\"a\": \"x'y\"}",
                "2||is not a JSON object|7",
                "3|a|is missing|{\"b\": null}",
                "4|b.c[1]|is not a date, YYYY-MM-DD|{\"a\": 2, \"b\": {\"c\": [\"2026-01-01\", \"2026-13-01\"]}}",
            ],
            rejects.Select(row => string.Join('|', row)));
    }

    [Fact]
    public async Task A_Standard_Webhook_is_stored_once_and_only_with_its_signature()
    {
        var table = $"my_db.{Webhook.NewSchema()}.events";
        var key = RandomNumberGenerator.GetBytes(24);
        await using var app = await LocalApp.StartAsync(
            new Dictionary<string, string> { ["ingest/hooks.sql"] = $"/*\ntarget: {table}\nsignature: {{ scheme: standard-webhooks, secret: Test }}\ncolumns: {{ type: VARCHAR }}\n*/\nSELECT type, $header_webhook_id AS id FROM body" },
            new Dictionary<string, string?> { ["Secrets:Test"] = "whsec_bmV3", ["Secrets:Test:previous"] = "whsec_" + Convert.ToBase64String(key) });
        Assert.Equal((200, false), await SendAsync("msg_1", 0));
        Assert.Equal((200, true), await SendAsync("msg_1", 0)); // A replay.
        Assert.Equal((401, false), await SendAsync("msg_2", -600));
        Assert.Equal((401, false), await SendAsync("msg_3", 0, tamper: true));
        Assert.Equal("invoice.paid|msg_1", await Webhook.RowAsync($"SELECT * FROM {table}"));
        Assert.DoesNotContain(app.Logs.All, line => line.Contains(Convert.ToBase64String(key), StringComparison.Ordinal));

        async Task<(int, bool)> SendAsync(string id, int late, bool tamper = false)
        {
            const string body = """{"type":"invoice.paid"}""";
            var timestamp = (DateTimeOffset.UtcNow.ToUnixTimeSeconds() + late).ToString(CultureInfo.InvariantCulture);
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/ingest/hooks") { Content = new StringContent(tamper ? body + " " : body, Encoding.UTF8, "application/json") };
            request.Headers.Add("webhook-id", id);
            request.Headers.Add("webhook-timestamp", timestamp);
            request.Headers.Add("webhook-signature", $"v1,{Convert.ToBase64String(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{id}.{timestamp}.{body}")))}");
            using var response = await app.Client.SendAsync(request);
            var answer = await response.Content.ReadAsStringAsync();
            return ((int)response.StatusCode, response.IsSuccessStatusCode && JsonSerializer.Deserialize<JsonElement>(answer).GetProperty("duplicate").GetBoolean());
        }
    }

    [Fact]
    public async Task Without_a_valid_signature_the_answer_is_401_and_says_nothing_more()
    {
        var (app, table) = await Webhook.AppAsync("a: INTEGER");
        await using var _ = app;
        await app.StoreAsync("""{"a": 1}""");
        foreach (var header in new[] { null, "sha256=00", $"sha256={new string('0', 64)}" })
        {
            using var request = Webhook.Request("""{"a": "not an integer either"}"""u8.ToArray(), contentType: "text/plain");
            request.Headers.Remove("X-Hub-Signature-256");
            if (header is not null)
                request.Headers.Add("X-Hub-Signature-256", header);
            using var response = await app.Client.SendAsync(request);
            var problem = await response.ProblemAsync(401);
            Assert.Equal(["type", "title", "status", "traceId"], problem.EnumerateObject().Select(member => member.Name));
        }
        Assert.Equal("1", await Webhook.ScalarAsync($"SELECT count(*) FROM {table}"));
    }

    [Fact]
    public async Task An_ingest_without_its_secret_lets_nobody_in_and_the_log_says_why()
    {
        var (app, _) = await Webhook.AppAsync("a: INTEGER", settings: new() { ["Secrets:Test"] = "" });
        await using var __ = app;
        using var response = await app.SendAsync("""{"a": 1}""");
        Assert.DoesNotContain("Secrets", (await response.ProblemAsync(503)).GetRawText(), StringComparison.Ordinal);
        Assert.Contains(app.Logs.All, line => line.Contains("Secrets:Test is not set", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Names_and_methods_that_are_not_there_are_said_so()
    {
        var (app, _) = await Webhook.AppAsync("a: INTEGER");
        await using var __ = app;
        using var unknown = await app.Client.PostAsync("/api/ingest/none", null);
        await unknown.ProblemAsync(404);
        using var get = await app.Client.GetAsync("/api/ingest/events");
        await get.ProblemAsync(405);
        Assert.Equal("POST", Assert.Single(get.Content.Headers.Allow));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, get.StatusCode);
    }
}
