using System.Net;
using System.Text;
using System.Text.Json;
using MdFunctions.Tests.Infrastructure;
using Npgsql;

namespace MdFunctions.Tests.Queries;

/// <summary>The types of an answer are those of the statement as it runs, whatever its values are and whatever became of its tables.</summary>
public sealed class ShapeTests
{
    [Theory]
    [InlineData("integer[]", "list_sort($p)", "[3,1]", "[1,3]")]
    [InlineData("varchar[]", "['a'] || $p", "[\"b\"]", "[\"a\",\"b\"]")]
    [InlineData("varchar[]", "$p[1]", "[\"Ann\"]", "\"Ann\"")]
    [InlineData("varchar[]", "$p[1]", "[\"\"]", "\"\"")]
    [InlineData("date[]", "$p[1]", "[\"2024-02-29\"]", "\"2024-02-29\"")]
    [InlineData("blob", "$p || '\\x01'::BLOB", "\"/wBh\"", "\"/wBhAQ==\"")]
    [InlineData("json", "(SELECT r.name FROM (SELECT unnest(from_json($p, '[{\"id\":\"BIGINT\",\"name\":\"VARCHAR\"}]')) AS r))", "[{\"id\":3,\"name\":\"0,\\\"admin\\\":true\"}]", "\"0,\\\"admin\\\":true\"")]
    [InlineData("json", "from_json($p, '[{\"f\":\"FLOAT\"}]')", "[{\"f\":19.99}]", "[{\"f\":19.99}]")]
    [InlineData("decimal(18,2)", "abs($p)", "-1.5", "1.50")]
    [InlineData("bigint[]", "len($p)", "[1,2]", "2")]
    [InlineData("bigint[]", "to_json($p)", "[1,2]", "[1,2]")]
    [InlineData("bigint", "[$p, 2]", "1", "[1,2]")]
    [InlineData("integer", "{'k': $p}", "1", "{\"k\":1}")]
    [InlineData("varchar", "MAP {$p: 1}", "\"a\"", "{\"a\":1}")]
    public async Task A_function_of_a_value_has_the_type_that_it_has_with_the_value(string type, string expression, string value, string expected)
    {
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["queries/f.sql"] = $"/*\nparameters:\n  p: {{ type: '{type}', optional: true }}\n*/\nSELECT {expression} AS x, 1 AS \"end\"",
        });
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal($"[{{\"x\":{expected},\"end\":1}}]", await PostAsync(app, "f", $"{{\"p\":{value}}}"));
            // NULL is another value, and must not leave another type behind. (A map has no NULL for a key.)
            if (!expression.StartsWith("MAP", StringComparison.Ordinal))
                Assert.Equal(1, JsonSerializer.Deserialize<JsonElement>(await PostAsync(app, "f", "{}"))[0].GetProperty("end").GetInt32());
        }
    }

    [Fact]
    public async Task Unnested_structs_keep_their_columns()
    {
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["queries/wide.sql"] = "/*\nparameters:\n  rows: { type: json }\n*/\nSELECT unnest(from_json($rows, '[{\"id\":\"BIGINT\",\"name\":\"VARCHAR\",\"qty\":\"INTEGER\"}]'), recursive := true)",
        });
        const string body = "{\"rows\":[{\"id\":1,\"name\":\"Ann\",\"qty\":5},{\"id\":2,\"name\":\"0,\\\"admin\\\":true,\\\"x\\\":0\"}]}";
        Assert.Equal("[{\"id\":1,\"name\":\"Ann\",\"qty\":5},{\"id\":2,\"name\":\"0,\\\"admin\\\":true,\\\"x\\\":0\",\"qty\":null}]", await PostAsync(app, "wide", body));
        Assert.Equal("id,name,qty\r\n1,Ann,5\r\n2,\"0,\"\"admin\"\":true,\"\"x\"\":0\",\r\n", await PostAsync(app, "wide?format=csv", body));
    }

    [Theory]
    [InlineData("quantile_cont(i, $p)", "double", "0.5")]
    [InlineData("string_agg(i::VARCHAR, $p)", "varchar", ";")]
    [InlineData("strftime(any_value(DATE '2024-01-02'), $p)", "varchar", "%Y")]
    [InlineData("round(any_value(2.55::DECIMAL(5,2)), $p)", "integer", "1")]
    [InlineData("list_aggregate([1, 2], $p)", "varchar", "sum")]
    [InlineData("any_value(struct_extract({'a': 1}, $p))", "varchar", "a")]
    [InlineData("len(list_filter(['a'], lambda v: v = lower($p)))", "varchar", "a")]
    public async Task A_query_that_cannot_be_prepared_says_what_to_change(string expression, string type, string value)
    {
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["queries/never.sql"] = $"/*\nparameters:\n  p: {{ type: '{type}' }}\n*/\nSELECT {expression} AS x FROM range(10) t(i) GROUP BY ALL",
        });
        for (var i = 0; i < 2; i++)
        {
            using var response = await app.Client.GetAsync($"/api/queries/never?p={Uri.EscapeDataString(value)}");
            Assert.Contains("Write the constant into the query's file", (await response.ProblemAsync(502)).GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
        Assert.Contains(app.Logs.All, line => line.Contains("The query 'never' cannot be prepared: ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("a VARCHAR, b INTEGER", "('x', 1)", "ALTER TABLE {0} ADD COLUMN c DECIMAL(18,2) DEFAULT 5.25", "[{\"a\":\"x\",\"b\":1,\"c\":5.25}]")]
    [InlineData("a VARCHAR[], b INTEGER", "(['x'], 1)", "ALTER TABLE {0} ADD COLUMN c DECIMAL(18,2) DEFAULT 5.25", "[{\"a\":[\"x\"],\"b\":1,\"c\":5.25}]")]
    [InlineData("a VARCHAR[], b INTEGER", "(['x'], 1)", "ALTER TABLE {0} DROP COLUMN b", "[{\"a\":[\"x\"]}]")]
    [InlineData("a VARCHAR[], b INTEGER", "(['x'], 1)", "ALTER TABLE {0} DROP COLUMN a", "[{\"b\":1}]")]
    [InlineData("a VARCHAR, b INTEGER", "('x', 1)", "ALTER TABLE {0} RENAME COLUMN a TO \"the \"\"a\"\"\"", "[{\"the \\\"a\\\"\":\"x\",\"b\":1}]")]
    [InlineData("a VARCHAR, b INTEGER", "('{{''k'': 1}}', 1)", "ALTER TABLE {0} ALTER COLUMN a TYPE STRUCT(k INTEGER)", "[{\"a\":{\"k\":1},\"b\":1}]")]
    [InlineData("a VARCHAR, b INTEGER", "('x', 1)", "ALTER TABLE {0} ALTER COLUMN a TYPE BLOB", "[{\"a\":\"eA==\",\"b\":1}]")]
    [InlineData("a VARCHAR, b INTEGER", "('12', 1)", "ALTER TABLE {0} ALTER COLUMN a TYPE BIGINT", "[{\"a\":12,\"b\":1}]")]
    [InlineData("a BIGINT, b INTEGER", "(12, 1)", "ALTER TABLE {0} ALTER COLUMN a TYPE VARCHAR", "[{\"a\":\"12\",\"b\":1}]")]
    [InlineData("a DECIMAL(9,2), b INTEGER", "(12, 1)", "ALTER TABLE {0} ALTER COLUMN a TYPE DECIMAL(9,4)", "[{\"a\":12.0000,\"b\":1}]")]
    [InlineData("a STRUCT(k INTEGER), b INTEGER", "({{'k': 1}}, 1)", "ALTER TABLE {0} ALTER COLUMN a TYPE VARCHAR", "[{\"a\":\"{{'k': 1}}\",\"b\":1}]")]
    [InlineData("a VARCHAR, b INTEGER", "('[1]', 1)", "ALTER TABLE {0} ALTER COLUMN a TYPE JSON", "[{\"a\":[1],\"b\":1}]")]
    [InlineData("a INTERVAL, b INTEGER", "(INTERVAL 1 DAY, 1)", "ALTER TABLE {0} ALTER COLUMN a TYPE VARCHAR USING '1'", "[{\"a\":\"1\",\"b\":1}]")]
    [InlineData("a ENUM('x', 'y'), b INTEGER", "('x', 1)", "ALTER TABLE {0} ALTER COLUMN a TYPE ENUM('z', 'x')", "[{\"a\":\"x\",\"b\":1}]")]
    [InlineData("a ENUM('12'), b INTEGER", "('12', 1)", "ALTER TABLE {0} ALTER COLUMN a TYPE BLOB USING '12'::BLOB", "[{\"a\":\"MTI=\",\"b\":1}]")]
    [InlineData("a VARCHAR, b INTEGER", "('true', 1)", "ALTER TABLE {0} ALTER COLUMN a TYPE ENUM('true')", "[{\"a\":\"true\",\"b\":1}]")]
    [InlineData("a VARCHAR, b INTEGER", "('6F8E0C2A-0000-4000-8000-000000000001', 1)", "ALTER TABLE {0} ALTER COLUMN a TYPE UUID", "[{\"a\":\"6f8e0c2a-0000-4000-8000-000000000001\",\"b\":1}]")]
    [InlineData("a BLOB, b INTEGER", "('eA=='::BLOB, 1)", "ALTER TABLE {0} ALTER COLUMN a TYPE VARCHAR", "[{\"a\":\"eA==\",\"b\":1}]")]
    [InlineData("a JSON, b INTEGER", "('[1]', 1)", "ALTER TABLE {0} ALTER COLUMN a TYPE VARCHAR", "[{\"a\":\"[1]\",\"b\":1}]")]
    [InlineData("a VARCHAR, b INTEGER", "('[1, 2]', 1)", "ALTER TABLE {0} ALTER COLUMN a TYPE INTEGER[]", "[{\"a\":[1,2],\"b\":1}]")]
    [InlineData("a DECIMAL(9,2)[], b INTEGER", "([12.25], 1)", "ALTER TABLE {0} ALTER COLUMN a TYPE DECIMAL(9,1)[]", "[{\"a\":[12.3],\"b\":1}]")]
    [InlineData("a STRUCT(k VARCHAR), b INTEGER", "({{'k': 'x'}}, 1)", "ALTER TABLE {0} ALTER COLUMN a TYPE STRUCT(k BLOB) USING {{'k': 'x'::BLOB}}", "[{\"a\":{{\"k\":\"eA==\"}},\"b\":1}]")]
    [InlineData("a STRUCT(k INTEGER), b INTEGER", "({{'k': 1}}, 1)", "ALTER TABLE {0} ALTER COLUMN a TYPE MAP(VARCHAR, INTEGER) USING MAP {{'k': 1}}", "[{\"a\":{{\"k\":1}},\"b\":1}]")]
    [InlineData("a DECIMAL(18,2), b INTEGER", "(1.25, 1)", "ALTER TABLE {0} ALTER COLUMN a TYPE DECIMAL(38,10)", "[{\"a\":1.2500000000,\"b\":1}]")]
    [InlineData("a TIMESTAMP, b INTEGER", "('2026-01-02 03:04:05.4', 1)", "ALTER TABLE {0} ALTER COLUMN a TYPE TIMESTAMP_S", "[{\"a\":\"2026-01-02T03:04:05\",\"b\":1}]")]
    public async Task A_table_that_changed_is_noticed_at_once(string columns, string row, string change, string expected)
    {
        var table = $"my_db.main.shape_{Guid.NewGuid():n}";
        await using var connection = await SharedEndpoint.ConnectAsync();
        await RunAsync($"CREATE TABLE {table} ({columns})");
        await RunAsync($"INSERT INTO {table} VALUES {row.Replace("{{", "{", StringComparison.Ordinal).Replace("}}", "}", StringComparison.Ordinal)}");
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["queries/star.sql"] = $"SELECT * FROM {table}",
            ["queries/cut.sql"] = $"/* maxRows: 5 */ FROM {table}",
        });
        foreach (var name in (string[])["star", "star", "cut"])
            Assert.Equal(HttpStatusCode.OK, (await app.Client.GetAsync($"/api/queries/{name}")).StatusCode);
        await RunAsync(string.Format(null, change, table));
        expected = expected.Replace("{{", "{", StringComparison.Ordinal).Replace("}}", "}", StringComparison.Ordinal);
        foreach (var name in (string[])["star", "star", "cut"])
            Assert.Equal(expected, await app.Client.GetStringAsync($"/api/queries/{name}"));
        await RunAsync($"DROP TABLE {table}");

        async Task RunAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection) { AllResultTypesAreUnknown = true };
            await command.ExecuteNonQueryAsync();
        }
    }

    [Fact]
    public async Task An_empty_answer_and_one_of_NULLs_have_their_columns()
    {
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["queries/none.sql"] = "SELECT 1 AS a, [1] AS \"b,\" WHERE false",
            ["queries/nulls.sql"] = "SELECT NULL AS a, NULL AS a, [NULL] AS b, {'x': NULL} AS c, NULL::STRUCT(f FLOAT) AS d, NULL::MAP(BLOB, DATE) AS e",
        });
        Assert.Equal("[]", await app.Client.GetStringAsync("/api/queries/none"));
        Assert.Equal("", await app.Client.GetStringAsync("/api/queries/none?format=ndjson"));
        Assert.Equal("a,\"b,\"\r\n", await app.Client.GetStringAsync("/api/queries/none?format=csv"));
        Assert.Equal("[{\"a\":null,\"a_1\":null,\"b\":[null],\"c\":{\"x\":null},\"d\":null,\"e\":null}]", await app.Client.GetStringAsync("/api/queries/nulls"));
    }

    private static async Task<string> PostAsync(LocalApp app, string query, string body)
    {
        using var response = await app.Client.PostAsync($"/api/queries/{query}", new StringContent(body, Encoding.UTF8, "application/json"));
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return text;
    }
}
