using System.Net;
using System.Text.Json;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Loads;

/// <summary>One load, run by HTTP: what it does to its target, and what it records.</summary>
public sealed class LoadTests
{
    private const string Csv = "SELECT * FROM read_csv('{files}/data.csv', MD_RUN = REMOTE)";

    [Fact]
    public async Task Replace_makes_the_schema_and_table_and_then_swaps_the_rows()
    {
        await using var app = await StartAsync("target: {db}.\"my schema\".\"my \"\"table\"\"\"\nmode: replace");
        app.Files.Put("data.csv", "id,name\n1,a\n2,b\n");
        Assert.Equal(2, (await app.RunAsync("it")).GetProperty("rows").GetInt32());
        app.Files.Put("data.csv", "id,name\n3,c\n");
        await app.RunAsync("it");
        Assert.Equal(["3|c"], await app.SqlAsync("FROM {db}.\"my schema\".\"my \"\"table\"\"\""));
        Assert.Equal(["succeeded|2", "succeeded|1"], await app.RunsAsync("it"));
        Assert.Empty(await app.LeftoversAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("\ncheck: SELECT count(*) > 0 FROM staged")]
    public async Task Append_adds_the_rows_by_name(string check)
    {
        await using var app = await StartAsync("target: {db}.main.t\nmode: append" + check);
        app.Files.Put("data.csv", "id,name\n1,a\n");
        await app.RunAsync("it");
        app.Files.Put("data.csv", "name,id\nb,2\nc,3\n");
        Assert.Equal(2, (await app.RunAsync("it")).GetProperty("rows").GetInt32());
        Assert.Equal(["1|a", "2|b", "3|c"], await app.SqlAsync("SELECT id, name FROM {db}.main.t ORDER BY id"));
        Assert.Empty(await app.LeftoversAsync());
    }

    [Fact]
    public async Task Merge_updates_the_rows_with_a_known_key_and_adds_the_others()
    {
        await using var app = await StartAsync("target: {db}.main.t\nmode: merge\nkeys: [Region, id]");
        app.Files.Put("data.csv", "region,id,name\neu,1,a\neu,2,b\nus,1,c\n");
        await app.RunAsync("it");
        app.Files.Put("data.csv", "name,id,region\nB,2,eu\nd,3,eu\n");
        Assert.Equal(2, (await app.RunAsync("it")).GetProperty("rows").GetInt32());
        Assert.Equal(["eu|1|a", "eu|2|B", "eu|3|d", "us|1|c"], await app.SqlAsync("SELECT region, id, name FROM {db}.main.t ORDER BY ALL"));
        Assert.Empty(await app.LeftoversAsync());
    }

    [Theory]
    [InlineData("id,name\n1,x\n1,y\n", "1 rows have the same 'keys' as another row")]
    [InlineData("id,name\n,x\n2,y\n", "1 rows have a NULL in a column of 'keys'")]
    public async Task Merge_refuses_keys_that_tell_no_rows_apart(string rows, string why)
    {
        await using var app = await StartAsync("target: {db}.main.t\nmode: merge\nkeys: id\ncreateAs: { id: BIGINT }");
        app.Files.Put("data.csv", "id,name\n1,a\n");
        await app.RunAsync("it");
        app.Files.Put("data.csv", rows);
        Assert.Equal($"Nothing was loaded: {why}.", (await app.RunAsync("it", 422)).GetProperty("detail").GetString());
        Assert.Equal(["1|a"], await app.SqlAsync("FROM {db}.main.t"));
    }

    [Theory]
    [InlineData("replace", "fail", "id,name,more\n2,b,5\n", 422, "column 'more' is not in the target ('onSchemaChange: addColumns' would add it)")]
    [InlineData("append", "fail", "id,name,more\n2,b,5\n", 422, "column 'more' is not in the target ('onSchemaChange: addColumns' would add it)")]
    [InlineData("merge", "fail", "id,name,more\n2,b,5\n", 422, "column 'more' is not in the target ('onSchemaChange: addColumns' would add it)")]
    [InlineData("replace", "addColumns", "id,name,more\n2,b,5\n", 200, "2|b|5")]
    [InlineData("append", "addColumns", "id,name,more\n2,b,5\n", 200, "1|a|NULL;2|b|5")]
    [InlineData("merge", "addColumns", "id,name,more\n1,A,4\n2,b,5\n", 200, "1|A|4;2|b|5")]
    [InlineData("replace", "addColumns", "id\n2\n", 422, "column 'name' of the target is missing")]
    [InlineData("append", "fail", "id\n2\n", 200, "1|a;2|NULL")]
    [InlineData("append", "fail", "id,name\n1.5,b\n", 422, "column 'id': 1.5 cannot be stored exactly as BIGINT")]
    [InlineData("replace", "addColumns", "id,name\n1.5,b\n", 422, "column 'id': 1.5 cannot be stored exactly as BIGINT")]
    public async Task A_change_of_columns_fails_or_is_followed(string mode, string onChange, string rows, int status, string expected)
    {
        await using var app = await StartAsync($"target: {{db}}.main.t\nmode: {mode}\nonSchemaChange: {onChange}" + (mode == "merge" ? "\nkeys: id" : ""));
        app.Files.Put("data.csv", "id,name\n1,a\n");
        await app.RunAsync("it");
        app.Files.Put("data.csv", rows);
        var answer = await app.RunAsync("it", status);
        if (status == 200)
        {
            Assert.Equal(expected.Split(';'), await app.SqlAsync("FROM {db}.main.t ORDER BY id"));
            return;
        }
        Assert.Contains(expected, answer.GetProperty("detail").GetString());
        Assert.Equal(["1|a"], await app.SqlAsync("FROM {db}.main.t"));
        Assert.Equal(["succeeded|1", "failed|NULL"], await app.RunsAsync("it"));
        Assert.Empty(await app.LeftoversAsync());
    }

    [Fact]
    public async Task CreateAs_decides_the_types()
    {
        await using var app = await StartAsync("target: {db}.main.t\nmode: append\ncreateAs: { id: 'DECIMAL(18,2)', \"name\": VARCHAR }");
        app.Files.Put("data.csv", "id,name\n1,7\n");
        await app.RunAsync("it");
        app.Files.Put("data.csv", "id,name\n1.5,x\n");
        await app.RunAsync("it");
        Assert.Equal(["1.00|7", "1.50|x"], await app.SqlAsync("SELECT id, name FROM {db}.main.t ORDER BY id"));
        Assert.Equal(["DECIMAL(18,2)", "VARCHAR"], await app.SqlAsync("SELECT data_type FROM duckdb_columns() WHERE database_name = '{db}' AND table_name = 't' ORDER BY column_index"));
    }

    [Theory]
    [InlineData("replace")]
    [InlineData("append")]
    [InlineData("merge\nkeys: id")]
    public async Task Checks_look_at_the_staged_rows_before_anyone_sees_them(string mode)
    {
        await using var app = await StartAsync($$"""
            target: {db}.main.t
            mode: {{mode}}
            parameters:
              least: { type: integer, default: 1 }
            check:
              - SELECT count(*) >= $least FROM staged
              - WITH days AS (SELECT max(day) AS last FROM staged) SELECT last >= $run_date - INTERVAL 1 DAY FROM days
              - SELECT count(*) = count(DISTINCT id) FROM staged
            """, "SELECT *, $least AS least FROM read_csv('{files}/data.csv', types = {'id': 'BIGINT', 'day': 'DATE'})");
        var today = DateTime.UtcNow.ToString("yyyy-MM-dd");
        app.Files.Put("data.csv", $"id,day\n1,{today}\n");
        await app.RunAsync("it");
        app.Files.Put("data.csv", "id,day\n2,2001-01-01\n");
        Assert.Equal("Nothing was loaded: check 2 of 3 did not return true.", (await app.RunAsync("it", 422)).GetProperty("detail").GetString());
        app.Files.Put("data.csv", "id,day\n");
        Assert.Contains("check 1 of 3", (await app.RunAsync("it", 422)).GetProperty("detail").GetString());
        Assert.Equal(["1"], await app.SqlAsync("SELECT id FROM {db}.main.t"));
        Assert.Equal(["succeeded|1", "failed|NULL", "failed|NULL"], await app.RunsAsync("it"));
        Assert.Empty(await app.LeftoversAsync());
    }

    [Fact]
    public async Task A_key_loads_once_and_answers_the_same_run_again()
    {
        await using var app = await StartAsync("target: {db}.main.t\nmode: append");
        app.Files.Put("data.csv", "id\n1\n");
        var first = await app.RunAsync("it", key: "monday");
        app.Files.Put("data.csv", "id\n2\n");
        Assert.Equal(first.GetRawText(), (await app.RunAsync("it", key: "monday")).GetRawText());
        await app.RunAsync("it", key: "tuesday");
        Assert.Equal(["1", "2"], await app.SqlAsync("FROM {db}.main.t ORDER BY id"));
    }

    [Fact]
    public async Task A_failed_run_says_why_and_can_be_made_up_for()
    {
        await using var app = await StartAsync("target: {db}.main.t\nmode: append", "SELECT * FROM read_csv('{files}/data.csv?sig=verysecret')");
        Assert.Equal("Source unavailable", (await app.RunAsync("it", 502, "k")).GetProperty("title").GetString());
        Assert.Equal(["failed|1|NULL"], await app.SqlAsync("SELECT status, attempts, rows FROM {db}.md_functions.load_runs"));
        var row = Assert.Single(await app.SqlAsync("SELECT source, error, trigger, started_at <= finished_at FROM {db}.md_functions.load_runs"));
        Assert.StartsWith($"{app.Files.Url}/data.csv|HTTP Error: ", row);
        Assert.EndsWith("|http|t", row);
        app.Files.Put("data.csv", "id\n1\n");
        await app.RunAsync("it", key: "k");
        Assert.Equal(["succeeded|2|1|NULL"], await app.SqlAsync("SELECT status, attempts, rows, error FROM {db}.md_functions.load_runs"));
        Assert.DoesNotContain(app.App.Logs.All, line => line.Contains("verysecret", StringComparison.Ordinal) && !line.Contains("Endpoint", StringComparison.Ordinal));
        Assert.DoesNotContain("verysecret", string.Join('\n', await app.SqlAsync("FROM {db}.md_functions.load_runs")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rejected_statement_leaves_the_target_as_it_was()
    {
        await using var app = await StartAsync("target: {db}.main.t\nmode: append\ncreateAs: { id: BIGINT }");
        app.Files.Put("data.csv", "id\n1\n");
        await app.RunAsync("it");
        app.Files.Put("data.csv", "id\n1\nx\n");
        Assert.Equal("Load refused", (await app.RunAsync("it", 422)).GetProperty("title").GetString());
        Assert.Equal(["1"], await app.SqlAsync("FROM {db}.main.t"));
        Assert.Equal(["column 'id': x cannot be stored exactly as BIGINT"], await app.SqlAsync("SELECT error FROM {db}.md_functions.load_runs WHERE status = 'failed'"));
    }

    [Fact]
    public async Task Timeout_ends_a_run_and_frees_the_load()
    {
        await using var app = await StartAsync("target: {db}.main.t\nmode: replace\ntimeout: 700ms\nparameters:\n  n: { type: bigint, default: 1000000000000 }",
            "SELECT sum(a.range * b.range) AS s FROM range($n) a, range(100000) b");
        var problem = await app.RunAsync("it", 504);
        Assert.Contains("700ms", problem.GetProperty("detail").GetString());
        Assert.Equal(["failed|it took longer than its timeout, 700ms"], await app.SqlAsync("SELECT status, error FROM {db}.md_functions.load_runs"));
        using var response = await app.Client.PostAsync("api/loads/it?n=1", null);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task A_load_that_runs_answers_409_and_shows_how_far_it_is()
    {
        await using var app = await StartAsync("target: {db}.main.t\nmode: replace\ntimeout: 3s\nparameters:\n  n: { type: bigint, default: 1000000000000 }",
            "SELECT sum(a.range * b.range) AS s FROM range($n) a, range(100000) b");
        await using var other = await LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["loads/it.sql"] = $"/*\ntarget: {app.Database}.main.t\nmode: replace\n*/\nSELECT 1 AS s",
        });
        var slow = app.RunAsync("it", 504);
        JsonElement running = default;
        for (var i = 0; i < 50 && running.ValueKind != JsonValueKind.Object; i++)
        {
            await Task.Delay(50);
            running = (await other.GetJsonAsync("api/loads"))[0].GetProperty("running");
        }
        Assert.Equal("staging", running.GetProperty("status").GetString());
        await app.RunAsync("it", 409);
        using (var response = await other.Client.PostAsync("api/loads/it", null))
            await response.ProblemAsync(409);
        await slow;
        using (var response = await other.Client.PostAsync("api/loads/it", null))
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(JsonValueKind.Null, (await other.GetJsonAsync("api/loads"))[0].GetProperty("running").ValueKind);
    }

    [Fact]
    public async Task A_crashed_run_blocks_its_load_no_longer_than_its_lease()
    {
        await using var app = await LoadApp.StartAsync(
            new Dictionary<string, string> { ["it"] = "/*\ntarget: {db}.main.t\nmode: replace\n*/\nSELECT 1 AS id" },
            new Dictionary<string, string?> { ["Loads:LeaseDuration"] = "2s" });
        await app.RunAsync("it");
        // What a crash leaves: the newest term, held, with nobody to renew it.
        await app.SqlAsync("INSERT INTO {db}.md_functions.load_leases BY NAME SELECT lease, max(term) + 1 AS term, 'it' AS load, 'x' AS occurrence, 'http' AS trigger, 'staging' AS phase, now() AS started_at, now() + INTERVAL 2 SECOND AS expires_at FROM {db}.md_functions.load_leases GROUP BY lease");
        await app.RunAsync("it", 409);
        await Task.Delay(2100);
        await app.RunAsync("it");
    }

    [Fact]
    public async Task A_run_that_lost_its_lease_does_not_commit()
    {
        await using var app = await StartAsync("target: {db}.main.t\nmode: append\nparameters:\n  n: { type: bigint, default: 4000 }",
            "SELECT sum(a.range * b.range) AS s FROM range($n) a, range(60000) b");
        var slow = app.RunAsync("it");
        for (var held = Array.Empty<string>(); held.Length == 0;)
        {
            await Task.Delay(10);
            held = await app.SqlAsync("SELECT table_name FROM duckdb_tables() WHERE database_name = '{db}' AND table_name = 'load_leases'");
            if (held.Length > 0)
                held = await app.SqlAsync("FROM {db}.md_functions.load_leases");
        }
        // Another app, which saw the lease expire, takes the next term and ends.
        await app.SqlAsync("INSERT INTO {db}.md_functions.load_leases BY NAME SELECT lease, max(term) + 1 AS term, 'free' AS phase, make_timestamptz(0) AS expires_at FROM {db}.md_functions.load_leases GROUP BY lease");
        Assert.False(slow.IsCompleted);
        await slow;
        // It took a new lease and did its work again, once.
        Assert.Equal(["1"], await app.SqlAsync("SELECT count(*) FROM {db}.main.t"));
        Assert.Contains(app.App.Logs.All, line => line.Contains("another transaction was in the way", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Run_date_and_run_time_are_the_time_of_the_run_or_the_one_that_is_asked_for()
    {
        await using var app = await StartAsync("target: {db}.main.t\nmode: replace", "SELECT $run_date AS d, $run_time AS t");
        using (var response = await app.Client.PostAsync("api/loads/it?run_time=2025-01-31T23:30:00-02:00", null))
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(["2025-02-01|2025-02-01 01:30:00"], await app.SqlAsync("FROM {db}.main.t"));
        await app.RunAsync("it");
        Assert.Equal([$"{DateTime.UtcNow:yyyy-MM-dd}|t"], await app.SqlAsync("SELECT d, now()::TIMESTAMP - t < INTERVAL 1 MINUTE FROM {db}.main.t"));
    }

    [Fact]
    public async Task All_that_is_wrong_with_a_request_is_said_at_once()
    {
        await using var app = await StartAsync("target: {db}.main.t\nmode: replace\nparameters:\n  n: { type: integer }", "SELECT $n AS n");
        using var request = new HttpRequestMessage(HttpMethod.Post, "api/loads/it?run_time=soon&url=x&m=1");
        request.Headers.TryAddWithoutValidation("Idempotency-Key", "two words");
        using var response = await app.Client.SendAsync(request);
        var errors = (await response.ProblemAsync(400)).GetProperty("errors");
        Assert.Equal(["Idempotency-Key", "m", "n", "run_time", "url"], errors.EnumerateObject().Select(error => error.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Unknown_loads_and_wrong_methods_are_problems()
    {
        await using var app = await StartAsync("target: {db}.main.t\nmode: replace", "SELECT 1 AS n");
        await app.RunAsync("other", 404);
        foreach (var (path, allow) in new[] { ("api/loads/it", "POST"), ("api/loads", "GET, HEAD"), ("api/loads/it/runs", "GET, HEAD") })
        {
            using var response = await app.Client.DeleteAsync(path);
            await response.ProblemAsync(405);
            Assert.Equal(allow, string.Join(", ", response.Content.Headers.Allow));
        }
        using var runs = await app.Client.GetAsync("api/loads/other/runs");
        await runs.ProblemAsync(404);
    }

    [Fact]
    public async Task History_is_paged_and_the_list_has_the_last_run()
    {
        await using var app = await StartAsync("target: {db}.main.t\nmode: replace", "SELECT 1 AS n");
        Assert.Equal(JsonValueKind.Null, (await app.App.GetJsonAsync("api/loads"))[0].GetProperty("lastRun").ValueKind);
        foreach (var key in (string[])["a", "b", "c", "d", "e"])
            await app.RunAsync("it", key: key);
        var seen = new List<string>();
        for (string? next = "api/loads/it/runs?limit=2"; next is not null;)
        {
            var page = await app.App.GetJsonAsync(next);
            seen.Add(string.Concat(page.GetProperty("runs").EnumerateArray().Select(run => run.GetProperty("occurrence").GetString())));
            next = page.GetProperty("next").GetString();
        }
        Assert.Equal(["ed", "cb", "a"], seen);
        var load = (await app.App.GetJsonAsync("api/loads"))[0];
        Assert.Equal("e", load.GetProperty("lastRun").GetProperty("occurrence").GetString());
        using var response = await app.Client.GetAsync("api/loads/it/runs?limit=0");
        await response.ProblemAsync(400);
    }

    [Fact]
    public async Task The_log_has_a_line_for_each_step()
    {
        await using var app = await StartAsync("target: {db}.main.t\nmode: replace\ncheck: SELECT true", "SELECT 1 AS n");
        await app.RunAsync("it", key: "k");
        var lines = app.App.Logs.All.Where(line => line.Contains("LoadRunner", StringComparison.Ordinal)).Select(line => line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..].Trim()).ToList();
        Assert.Collection(lines,
            line => Assert.Equal("Load it started (http, occurrence k)", line),
            line => Assert.StartsWith("Load it: staging (", line),
            line => Assert.StartsWith("Load it: checking (", line),
            line => Assert.StartsWith("Load it: publishing (", line),
            line => Assert.Matches(@"^Load it done: 1 rows in \d+\.\d s$", line));
    }

    [Fact]
    public async Task Loads_at_the_same_time_all_get_through()
    {
        var loads = Enumerable.Range(0, 8).ToDictionary(i => $"l{i}", i => $"/*\ntarget: {{db}}.new{i % 2}.t{i % 3}\nmode: append\n*/\nSELECT {i} AS n");
        await using var app = await LoadApp.StartAsync(loads, new Dictionary<string, string?> { ["Loads:Concurrency"] = "3" });
        await Task.WhenAll(loads.Keys.Select(name => app.RunAsync(name)));
        Assert.Equal(["8"], await app.SqlAsync("SELECT count(*) FROM {db}.md_functions.load_runs WHERE status = 'succeeded'"));
        Assert.Equal(["8"], await app.SqlAsync("SELECT sum(estimated_size)::BIGINT FROM duckdb_tables() WHERE database_name = '{db}' AND schema_name LIKE 'new%'"));
    }

    private static Task<LoadApp> StartAsync(string frontMatter, string? select = null) =>
        LoadApp.StartAsync(new Dictionary<string, string> { ["it"] = $"/*\n{frontMatter}\n*/\n{select ?? Csv}" });
}
