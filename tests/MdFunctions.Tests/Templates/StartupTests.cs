using MdFunctions.Engine;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Templates;

public sealed class StartupTests
{
    [Fact]
    public async Task All_faults_of_all_files_and_settings_stop_the_start_in_one_message()
    {
        var files = new Dictionary<string, string>
        {
            ["queries/undeclared.sql"] = "SELECT 1,\n  $x",
            ["queries/unused.sql"] = "/*\nparameters:\n  x: { type: integer }\n*/\nSELECT 1",
            ["queries/two.sql"] = "SELECT 1;\nSELECT 2",
            ["queries/forbidden.sql"] = "/* summary: drops */\nDROP TABLE t",
            ["queries/with_insert.sql"] = "WITH x AS (SELECT 1)\nINSERT INTO t FROM x",
            ["queries/yaml.sql"] = "/*\nsummary: [\n*/\nSELECT 1",
            ["queries/unknown_key.sql"] = "/*\ntimout: 5s\n*/\nSELECT 1",
            ["queries/type.sql"] = "/*\nparameters:\n  x: { type: varchart }\n*/\nSELECT $x",
            ["queries/default.sql"] = "/*\nparameters:\n  x: { type: integer, default: 7, maximum: 5 }\n*/\nSELECT $x",
            ["queries/enum.sql"] = "/*\nparameters:\n  x: { type: date, enum: [2026-01-01, tomorrow] }\n*/\nSELECT $x",
            ["queries/pattern.sql"] = "/*\nparameters:\n  x: { type: varchar, pattern: '(a)\\1' }\n*/\nSELECT $x",
            ["queries/bounds.sql"] = "/*\nparameters:\n  x: { type: integer, minimum: 5, maximum: 4 }\n*/\nSELECT $x",
            ["queries/duration.sql"] = "/*\ntimeout: 5 seconds\n*/\nSELECT 1",
            ["queries/reserved.sql"] = "/*\nparameters:\n  code: { type: varchar }\n*/\nSELECT $code",
            ["queries/empty.sql"] = "/* summary: nothing */",
            ["queries/comment.sql"] = "/* events: az://x/*.csv */\nSELECT 1",
            ["queries/table_function.sql"] = "/*\nparameters:\n  u: { type: varchar }\n*/\nSELECT *\nFROM read_csv($u)",
            ["queries/table_function_2.sql"] = "/*\nparameters:\n  u: { type: varchar }\n*/\nSELECT * FROM t JOIN my_function(1, upper($u)) ON true",
            ["queries/on_limit.sql"] = "/*\nonLimit: error\n*/\nSELECT 1",
            ["queries/bad name.sql"] = "SELECT 1",
            ["queries/setting.sql"] = "/*\nparameters:\n  x: { type: varchar, default: '%NOT_SET_ANYWHERE%' }\n*/\nSELECT $x",
            ["loads/target.sql"] = "/*\ntarget: my_db.weather\nmode: replace\n*/\nSELECT 1 AS a",
            ["loads/mode.sql"] = "/*\ntarget: my_db.main.weather\nmode: upsert\n*/\nSELECT 1 AS a",
        };
        var settings = new Dictionary<string, string?> { ["MotherDuck:MaxPoolSize"] = "many", ["Queries:Timeout"] = "5" };

        var exception = await Assert.ThrowsAsync<StartupException>(() => LocalApp.StartAsync(files, settings));

        string[] expected =
        [
            "Setting MotherDuck:MaxPoolSize: expected a whole number",
            "Setting Queries:Timeout: expected a duration",
            "queries/undeclared.sql:2: $x is not declared",
            "queries/unused.sql:3: parameter 'x' is declared but",
            "queries/two.sql:2: a second statement",
            "queries/forbidden.sql:2: the statement starts with 'DROP'",
            "queries/with_insert.sql:2: the statement starts with 'INSERT'",
            "queries/yaml.sql:",
            "queries/unknown_key.sql:2: a query has no 'timout'",
            "queries/type.sql:3: parameter 'x' has type 'varchart'",
            "queries/default.sql:3: parameter 'x': its default is wrong: 'x' is above the maximum, 5.",
            "queries/enum.sql:3: parameter 'x': 'tomorrow' in its enum is not a date",
            "queries/pattern.sql:3: parameter 'x': its pattern",
            "queries/bounds.sql:3: parameter 'x': the minimum 5 is above the maximum 4",
            "queries/duration.sql:2: 'timeout' is not a duration",
            "queries/reserved.sql:2: a parameter cannot be named 'code'",
            "queries/empty.sql:1: no statement",
            "queries/comment.sql:1: a block comment has no end",
            "queries/table_function.sql:6: $u is an argument of a table function",
            "queries/table_function_2.sql:5: $u is an argument of a table function",
            "queries/on_limit.sql:2: 'onLimit' says what happens at 'maxRows'",
            "queries/bad name.sql:1: the file's name",
            "queries/setting.sql:3: parameter 'x': its default is the setting NOT_SET_ANYWHERE, which is not set",
            "loads/target.sql:2: 'target' is not a table's full name",
            "loads/mode.sql:3: 'mode' is not one of",
        ];
        Assert.All(expected, text => Assert.Contains(text, exception.Message, StringComparison.Ordinal));
        Assert.All(files.Keys, name => Assert.Contains(exception.Faults, fault => fault.StartsWith(name + ":", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("FROM range(3)")]
    [InlineData("VALUES (1), (2)")]
    [InlineData("WITH a(n) AS MATERIALIZED (SELECT 1), b AS (FROM a) SELECT * FROM b")]
    [InlineData("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT sum(n) FROM t")]
    [InlineData("(SELECT 1 AS insert) UNION ALL (SELECT 2)")]
    [InlineData("SELECT 'DROP TABLE t; --' AS \"delete\";\n-- done\n")]
    public async Task Every_form_of_a_select_is_taken(string sql)
    {
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string> { ["queries/q.sql"] = sql });
        Assert.NotEqual(0, (await app.GetJsonAsync("/api/queries/q")).GetArrayLength());
    }
}
