using MdFunctions.Engine;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Templates;

/// <summary>The start takes the files and settings that can run, and no others.</summary>
public sealed class AcceptanceTests
{
    [Fact]
    public async Task What_can_run_is_taken()
    {
        string[] expressions =
        [
            "'x' IS DISTINCT FROM lower($p)",
            "'x' IS NOT DISTINCT FROM lower($p)",
            "extract(year FROM coalesce(try_cast($p AS DATE), today())) > 0",
            "trim(both 'x' FROM upper($p)) = ''",
            "substring(lower($p) FROM length($p) FOR 1) = ''",
            "(SELECT count(*) FROM (SELECT upper($p) AS u), (SELECT lower($p) AS l)) = 1",
            "$p IN (SELECT lower($p) FROM range(3))",
            "EXISTS (FROM range(3) t(i) WHERE i = length($p))",
            "(SELECT max(a.i) FROM range(3) a(i) JOIN range(3) b(i) ON a.i = b.i + length($p), range(2) c(i)) IS NULL",
            "(WITH x AS (SELECT lower($p) AS l) SELECT count(*) FROM x) = 1",
            "list_filter(['a'], lambda v: v = lower($p)) = []",
        ];
        var files = expressions.Select((expression, i) => (Name: $"queries/q{i}.sql", Sql: $"/*\nparameters:\n  p: {{ type: varchar, default: '' }}\n*/\nSELECT {expression} AS x"))
            .Append(("queries/pivot.sql", "PIVOT (SELECT * FROM (VALUES ('a', 1), ('b', 2)) t(k, v)) ON k IN ('a', 'b') USING sum(v)"))
            .Append(("queries/pivot_from.sql", "WITH t AS (SELECT * FROM (VALUES ('a', 1)) t(k, v)) FROM t PIVOT (sum(v) FOR k IN ('a', 'b'))"))
            .Append(("queries/pivot_with.sql", "WITH t AS (SELECT * FROM (VALUES ('a', 1)) t(k, v)) PIVOT t ON k IN ('a', 'b') USING sum(v)"))
            .Append(("queries/unpivot.sql", "UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b"))
            .ToDictionary(file => file.Item1, file => file.Item2);
        await using var app = await LocalApp.StartAsync(files);
        foreach (var name in files.Keys)
        {
            var path = $"/api/{name[..^4]}";
            using var response = await app.Client.GetAsync(path);
            Assert.True(response.IsSuccessStatusCode, $"{files[name]}: {await response.Content.ReadAsStringAsync()}");
        }
    }

    [Theory]
    [InlineData("SELECT * FROM sample_data.hn.hacker_news t, range($n)")]
    [InlineData("SELECT * FROM a.b.c AS t, LATERAL range($n)")]
    [InlineData("SELECT * FROM t CROSS JOIN generate_series(1, $n)")]
    [InlineData("SELECT * FROM (range($n) JOIN t USING (i))")]
    [InlineData("SELECT * FROM (t JOIN range(1, upper($n)) r ON true)")]
    [InlineData("SELECT * FROM r : range($n)")]
    [InlineData("FROM \"range\"($n)")]
    [InlineData("SELECT * FROM t WHERE i IN (FROM range($n))")]
    [InlineData("SELECT * FROM t JOIN u ON t.i = lower(u.i), range($n)")]
    [InlineData("SELECT 1 UNION SELECT * FROM main.range($n)")]
    [InlineData("SELECT extract(year FROM (SELECT max(i) FROM range($n)))")]
    [InlineData("SELECT list(read_text($n))")]
    public async Task A_parameter_of_a_table_function_stops_the_start(string sql) =>
        await StopsAsync(new() { ["queries/q.sql"] = $"/*\nparameters:\n  n: {{ type: integer }}\n*/\n{sql}" }, "queries/q.sql:5: $n is an argument of a table function");

    [Theory]
    [InlineData("PIVOT t ON k USING sum(v)")]
    [InlineData("PIVOT (SELECT k, v FROM t) ON k IN ('a'), j USING sum(v) GROUP BY x")]
    [InlineData("WITH t AS (SELECT 1 AS k) PIVOT t ON k")]
    [InlineData("SELECT * FROM (PIVOT t ON k || j USING sum(v))")]
    public async Task A_pivot_without_values_stops_the_start(string sql) =>
        await StopsAsync(new() { ["queries/q.sql"] = sql }, "queries/q.sql:1: a PIVOT without the values of its columns cannot be prepared");

    [Theory]
    [InlineData("timeout: 300s", "'timeout' is not a duration from 1ms to 4m")]
    [InlineData("timeout: 60d", "'timeout' is not a duration")]
    [InlineData("timeout: 0s", "'timeout' is not a duration")]
    [InlineData("cache: 9999999d", "'cache' is not a duration from 1s to 365d")]
    public async Task A_duration_that_cannot_be_kept_stops_the_start(string line, string fault) =>
        await StopsAsync(new() { ["queries/q.sql"] = $"/* {line} */ SELECT 1" }, fault);

    [Theory]
    [InlineData("MOTHERDUCK_TOKEN", "  ", "Setting MOTHERDUCK_TOKEN: not set")]
    [InlineData("MotherDuck:MaxWritePoolSize", "1", "Setting MotherDuck:MaxWritePoolSize: expected a whole number from 2 to 100")]
    public async Task A_setting_that_never_works_stops_the_start(string name, string value, string fault)
    {
        var exception = await Assert.ThrowsAsync<StartupException>(() => LocalApp.StartAsync(
            new Dictionary<string, string> { ["queries/q.sql"] = "SELECT 1" }, new Dictionary<string, string?> { [name] = value }));
        Assert.Contains(fault, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new byte[] { (byte)'c', 0xE9, (byte)'\'' }, 3)]
    [InlineData(new byte[] { (byte)'\'', (byte)'\n', 0xFF }, 4)]
    public async Task A_file_that_is_not_UTF8_stops_the_start(byte[] tail, int line)
    {
        var folder = Directory.CreateTempSubdirectory("mdfunctions-tests-");
        try
        {
            folder.CreateSubdirectory("queries");
            await File.WriteAllBytesAsync(Path.Combine(folder.FullName, "queries", "q.sql"), [.. "/* summary: x */\n-- caf\u00e9\nSELECT '"u8, .. tail]);
            var exception = await Assert.ThrowsAsync<StartupException>(() => LocalApp.StartAsync(settings: new Dictionary<string, string?> { ["SqlDirectory"] = folder.FullName }));
            Assert.Contains($"queries/q.sql:{line}: the file is not UTF-8 from here on", exception.Message, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_byte_order_mark_before_a_file_is_taken()
    {
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string> { ["queries/q.sql"] = "\uFEFF/* summary: x */\nSELECT 'caf\u00e9' AS t" });
        Assert.Equal("[{\"t\":\"caf\u00e9\"}]", await app.Client.GetStringAsync("/api/queries/q"));
    }

    [Theory]
    [InlineData("null", "null")]
    [InlineData("~", "null")]
    [InlineData("", "null")]
    [InlineData("'null'", "\"null\"")]
    [InlineData("\"~\"", "\"~\"")]
    [InlineData("''", "\"\"")]
    public async Task A_null_of_YAML_is_no_text(string yaml, string expected)
    {
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["queries/q.sql"] = $"/*\nsummary: ~\nparameters:\n  p:\n    type: varchar\n    maximum:\n    default: {yaml}\n*/\nSELECT $p AS p",
        });
        Assert.Equal($"[{{\"p\":{expected}}}]", await app.Client.GetStringAsync("/api/queries/q"));
        Assert.Equal(System.Text.Json.JsonValueKind.Null, (await app.GetJsonAsync("/api/queries"))[0].GetProperty("summary").ValueKind);
    }

    private static async Task StopsAsync(Dictionary<string, string> files, string fault)
    {
        var exception = await Assert.ThrowsAsync<StartupException>(() => LocalApp.StartAsync(files));
        Assert.Contains(fault, exception.Message, StringComparison.Ordinal);
        Assert.Single(exception.Faults);
    }
}
