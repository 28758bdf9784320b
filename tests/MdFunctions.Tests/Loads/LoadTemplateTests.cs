using MdFunctions.Engine;
using MdFunctions.Engine.Loads;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Loads;

/// <summary>What stops the start-up, and which blobs a prefix takes.</summary>
public sealed class LoadTemplateTests
{
    [Theory]
    [InlineData("target: a.b\nmode: replace", "loads/it.sql:2: 'target' is not a table's full name, database.schema.table")]
    [InlineData("target: a.b.c", "loads/it.sql:2: 'mode' is missing; expected replace, append or merge")]
    [InlineData("target: a.b.c\nmode: upsert", "loads/it.sql:3: 'mode' is not one of replace, append, merge")]
    [InlineData("target: a.b.c\nmode: merge", "loads/it.sql:3: 'keys' names the columns that tell rows apart in mode merge, and has no place in another")]
    [InlineData("target: a.b.c\nmode: append\nkeys: [id]", "loads/it.sql:4: 'keys' names the columns")]
    [InlineData("target: a.b.c\nmode: append\nschedule: weekly", "loads/it.sql:4: 'schedule' is not one of hourly, daily, none")]
    [InlineData("target: a.b.c\nmode: append\nevents: az://container/", "loads/it.sql:4: 'events' is not the beginning of blob URLs")]
    [InlineData("target: a.b.c\nmode: append\nevents: '%NOT_SET%'", "loads/it.sql:4: 'events' is the setting NOT_SET, which is not set")]
    [InlineData("target: a.b.c\nmode: append\nevents: https://a.blob.core.windows.net/c/\nschedule: daily", "a load runs by 'schedule' or by 'events', not by both")]
    [InlineData("target: a.b.c\nmode: append\ncreateAs: { id: 'INT, x INT' }", "loads/it.sql:4: column 'id': 'INT, x INT' is not a DuckDB type")]
    [InlineData("target: a.b.c\nmode: append\ncreateAs: { id: 'INT) AS' }", "column 'id': 'INT) AS' is not a DuckDB type")]
    [InlineData("target: a.b.c\nmode: append\ncheck: DELETE FROM staged", "loads/it.sql:4: check 1, line 1: the statement starts with 'DELETE'")]
    [InlineData("target: a.b.c\nmode: append\ncheck: SELECT $x", "loads/it.sql:4: check 1: $x is not declared under 'parameters'")]
    [InlineData("target: a.b.c\nmode: append\nonSchemaChange: drop", "loads/it.sql:4: 'onSchemaChange' is not one of fail, addColumns")]
    [InlineData("target: a.b.c\nmode: append\nparameters:\n  run_date: { type: date }", "'run_date' is provided and cannot be declared")]
    [InlineData("target: a.b.c\nmode: append\nafter: other", "loads/it.sql: 'after' names 'other', but there is no such load")]
    [InlineData("target: a.b.c\nmode: append\nschedule: daily\nafter: it", "loads/it.sql: 'after' leads back to 'it' itself, in a cycle")]
    [InlineData("target: a.b.c\nmode: append\ntime: 5s", "loads/it.sql:4: a load has no 'time'")]
    public async Task A_wrong_file_stops_the_start_up(string frontMatter, string fault)
    {
        var failure = await Assert.ThrowsAsync<StartupException>(() => LocalApp.StartAsync(new Dictionary<string, string> { ["loads/it.sql"] = $"/*\n{frontMatter}\n*/\nSELECT 1 AS n" }));
        Assert.Contains(fault, failure.Message);
    }

    [Fact]
    public async Task A_parameter_without_a_value_cannot_be_scheduled()
    {
        var failure = await Assert.ThrowsAsync<StartupException>(() => LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["loads/it.sql"] = "/*\ntarget: a.b.c\nmode: append\nschedule: daily\nparameters:\n  n: { type: integer }\n*/\nSELECT $n AS n",
        }));
        Assert.Contains("parameter 'n' needs a default or 'optional: true'", failure.Message);
    }

    [Fact]
    public async Task Cycles_and_foreign_schedules_are_named()
    {
        static string File(string schedule, string after) => $"/*\ntarget: a.b.c\nmode: append\nschedule: {schedule}\nafter: {after}\n*/\nSELECT 1 AS n";
        var failure = await Assert.ThrowsAsync<StartupException>(() => LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["loads/a.sql"] = File("daily", "[b]"),
            ["loads/b.sql"] = File("daily", "[c]"),
            ["loads/c.sql"] = File("daily", "[a]"),
            ["loads/d.sql"] = File("hourly", "[a]"),
        }));
        Assert.Contains("loads/a.sql: 'after' leads back to 'a' itself, in a cycle", failure.Message);
        Assert.Contains("loads/d.sql: 'after' names 'a', but the two are not on the same schedule (hourly, daily)", failure.Message);
    }

    [Fact]
    public async Task Loads_need_a_connection_more_than_run_at_once()
    {
        var settings = await SharedEndpoint.SettingsAsync();
        settings["Loads:Concurrency"] = "4";
        var failure = await Assert.ThrowsAsync<StartupException>(() => LocalApp.StartAsync(new Dictionary<string, string>(), settings));
        Assert.Contains("Setting Loads:Concurrency: 4 loads at once need MotherDuck:MaxWritePoolSize to be 5 or more, not 4.", failure.Message);
    }

    [Theory]
    [InlineData("https://a.blob.core.windows.net/raw/in/", "https://a.blob.core.windows.net/raw/in/x.csv", "https://a.blob.core.windows.net/raw/in/x.csv")]
    [InlineData("https://a.blob.core.windows.net/raw/in/", "https://A.Blob.core.windows.net:443/raw/in/x.csv", "https://a.blob.core.windows.net/raw/in/x.csv")]
    [InlineData("az://a.blob.core.windows.net/raw/", "https://a.blob.core.windows.net/raw/a%20b.csv", "az://a.blob.core.windows.net/raw/a b.csv")]
    [InlineData("https://a.blob.core.windows.net/raw/", "https://a.blob.core.windows.net/raw/it's.csv", "https://a.blob.core.windows.net/raw/it's.csv")]
    [InlineData("https://a.blob.core.windows.net/raw/in/", "https://a.blob.core.windows.net/raw/in/../out/x.csv", null)]
    [InlineData("https://a.blob.core.windows.net/raw/in/", "https://a.blob.core.windows.net/raw/in/%2e%2e/out/x.csv", null)]
    [InlineData("az://a.blob.core.windows.net/raw/in/", "https://a.blob.core.windows.net/raw/in/..%2fout/x.csv", null)]
    [InlineData("https://a.blob.core.windows.net/raw/", "https://a.blob.core.windows.net.evil.example/raw/x.csv", null)]
    [InlineData("https://a.blob.core.windows.net/raw/", "https://a.blob.core.windows.net@evil.example/raw/x.csv", null)]
    [InlineData("https://a.blob.core.windows.net/raw/", "http://a.blob.core.windows.net/raw/x.csv", null)]
    [InlineData("https://a.blob.core.windows.net/raw/", "https://a.blob.core.windows.net/raw/*.csv", null)]
    [InlineData("https://a.blob.core.windows.net/raw/", "https://a.blob.core.windows.net/raw/%2A.csv", null)]
    [InlineData("https://a.blob.core.windows.net/raw/", "https://a.blob.core.windows.net/raw/x.csv?sig=1", null)]
    [InlineData("https://a.blob.core.windows.net/raw/", "https://a.blob.core.windows.net/raw/x.csv#y", null)]
    [InlineData("https://a.blob.core.windows.net/raw/", "file:///raw/x.csv", null)]
    [InlineData("https://a.blob.core.windows.net/raw/", "https://a.dfs.core.windows.net/raw/x.csv", "https://a.blob.core.windows.net/raw/x.csv")]
    [InlineData("https://a.dfs.core.windows.net/raw/", "https://a.blob.core.windows.net/raw/x.csv", "https://a.dfs.core.windows.net/raw/x.csv")]
    [InlineData("az://a.blob.core.windows.net/raw/", "https://a.dfs.core.windows.net/raw/x.csv", "az://a.blob.core.windows.net/raw/x.csv")]
    [InlineData("az://a.blob.core.windows.net/raw/", "az://a.blob.core.windows.net/raw/a%20b.csv", "az://a.blob.core.windows.net/raw/a%20b.csv")]
    [InlineData("https://a.blob.core.windows.net/raw/", "https://a.blob.core.windows.net/raw/a%2520b.csv", "https://a.blob.core.windows.net/raw/a%2520b.csv")]
    [InlineData("https://a.blob.core.windows.net/raw/", "https://a.blob.core.windows.net/raw/why%3F.csv", "https://a.blob.core.windows.net/raw/why%3F.csv")]
    [InlineData("az://a.blob.core.windows.net/raw/", "https://a.blob.core.windows.net/raw/why%3F.csv", null)]
    [InlineData("https://a.blob.core.windows.net/raw/", "https://a.blob.core.windows.net/raw/100%.csv", "https://a.blob.core.windows.net/raw/100%25.csv")]
    [InlineData("https://a.blob.core.windows.net/raw/*.csv", "https://a.blob.core.windows.net/raw/in/x.csv", "https://a.blob.core.windows.net/raw/in/x.csv")]
    [InlineData("https://a.blob.core.windows.net/raw/*.csv", "https://a.blob.core.windows.net/raw/in/x.csv.tmp", null)]
    [InlineData("az://a.blob.core.windows.net/raw/day-*.csv", "az://a.blob.core.windows.net/raw/day-1.csv", "az://a.blob.core.windows.net/raw/day-1.csv")]
    [InlineData("az://a.blob.core.windows.net/raw/day-*.csv", "az://a.blob.core.windows.net/raw/night-1.csv", null)]
    public void A_prefix_takes_its_own_blobs_only(string prefix, string url, string? expected) =>
        Assert.Equal(expected, BlobPrefix.Parse(prefix)!.Accept(url));

    [Theory]
    [InlineData("https://a.blob.core.windows.net")]
    [InlineData("https://a.blob.core.windows.net/c/*/x.csv")]
    [InlineData("https://a.blob.core.windows.net/c/*.csv*")]
    [InlineData("https://a.blob.core.windows.net/*")]
    [InlineData("https://a.blob.core.windows.net/c?sig=1")]
    [InlineData("s3://bucket/c")]
    [InlineData("c/d")]
    public void What_is_no_prefix_is_refused(string text) => Assert.Null(BlobPrefix.Parse(text));
}
