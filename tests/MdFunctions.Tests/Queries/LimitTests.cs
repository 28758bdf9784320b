using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.MotherDuck;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace MdFunctions.Tests.Queries;

/// <summary>Row limits, caching and concurrency.</summary>
public sealed class LimitTests
{
    [Theory]
    [InlineData(3)]
    [InlineData(100_000)]
    public async Task An_answer_cut_at_its_row_limit_says_so(int limit)
    {
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["queries/cut.sql"] = $"/* maxRows: {limit} */ SELECT i FROM range({limit + 1}) r(i) ORDER BY i DESC",
            ["queries/whole.sql"] = $"/* maxRows: {limit} */ SELECT i FROM range({limit}) r(i)",
            ["queries/cached.sql"] = $"/*\nmaxRows: {limit}\ncache: 60s\n*/ SELECT i FROM range({limit + 1}) r(i) ORDER BY i DESC",
        });
        foreach (var name in (string[])["cut", "cached"])
        {
            foreach (var format in (string[])["json", "ndjson", "csv"])
            {
                using var response = await app.Client.GetAsync($"/api/queries/{name}?format={format}");
                var body = await response.Content.ReadAsStringAsync();
                Assert.Equal(limit.ToString(null as IFormatProvider), Truncated(response));
                if (format == "json")
                {
                    var rows = JsonSerializer.Deserialize<JsonElement>(body);
                    Assert.Equal((limit, limit), (rows.GetArrayLength(), rows[0].GetProperty("i").GetInt32()));
                }
            }
        }
        using var whole = await app.Client.GetAsync("/api/queries/whole");
        Assert.Equal(limit, JsonSerializer.Deserialize<JsonElement>(await whole.Content.ReadAsStringAsync()).GetArrayLength());
        Assert.Null(Truncated(whole));

        static string? Truncated(HttpResponseMessage response) =>
            response.Headers.TryGetValues("Result-Truncated", out var values) ? values.Single() : null;
    }

    [Fact]
    public async Task Too_many_rows_are_an_error_where_the_author_says_so()
    {
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["queries/over.sql"] = "/*\nmaxRows: 50000\nonLimit: error\n*/\nSELECT i FROM range(50001) r(i)",
            ["queries/over_cached.sql"] = "/*\nmaxRows: 10\nonLimit: error\ncache: 1m\n*/\nSELECT i FROM range(11) r(i)",
            ["queries/under.sql"] = "/*\nmaxRows: 50000\nonLimit: error\n*/\nSELECT i FROM range(50000) r(i)",
        });
        using var over = await app.Client.GetAsync("/api/queries/over");
        Assert.Contains("50000", (await over.ProblemAsync(422)).GetProperty("detail").GetString(), StringComparison.Ordinal);
        using var cached = await app.Client.GetAsync("/api/queries/over_cached");
        await cached.ProblemAsync(422);
        Assert.Equal(50000, (await app.GetJsonAsync("/api/queries/under")).GetArrayLength());
    }

    [Fact]
    public async Task A_global_row_limit_holds_where_a_file_has_none()
    {
        await using var app = await LocalApp.StartAsync(
            new Dictionary<string, string> { ["queries/q.sql"] = "FROM range(10)", ["queries/own.sql"] = "/* maxRows: 5 */ FROM range(10)" },
            new Dictionary<string, string?> { ["Queries:MaxRows"] = "2" });
        Assert.Equal(2, (await app.GetJsonAsync("/api/queries/q")).GetArrayLength());
        Assert.Equal(5, (await app.GetJsonAsync("/api/queries/own")).GetArrayLength());
    }

    [Fact]
    public async Task Cached_answers_cost_MotherDuck_nothing_and_have_a_strong_tag()
    {
        await using var table = await CounterTable.CreateAsync();
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["queries/cached.sql"] = $"/*\ncache: 60s\nparameters:\n  x: {{ type: varchar, default: a }}\n*/\nSELECT n, $x AS x FROM {table.Name}",
            ["queries/plain.sql"] = $"SELECT n FROM {table.Name}",
        });
        using var first = await app.Client.GetAsync("/api/queries/cached");
        await table.SetAsync(2);
        using var second = await app.Client.GetAsync("/api/queries/cached");

        Assert.Equal("[{\"n\":1,\"x\":\"a\"}]", await first.Content.ReadAsStringAsync());
        Assert.Equal(await first.Content.ReadAsStringAsync(), await second.Content.ReadAsStringAsync());
        Assert.Equal(TimeSpan.FromSeconds(60), second.Headers.CacheControl?.MaxAge);
        Assert.True(second.Headers.CacheControl!.Private);
        Assert.False(second.Headers.ETag!.IsWeak);
        Assert.Equal(first.Headers.ETag, second.Headers.ETag);
        // Other values and other formats are other answers.
        Assert.Equal("[{\"n\":2,\"x\":\"b\"}]", await app.Client.GetStringAsync("/api/queries/cached?x=b"));
        Assert.Equal("n,x\r\n2,a\r\n", await app.Client.GetStringAsync("/api/queries/cached?format=csv"));

        using var conditional = new HttpRequestMessage(HttpMethod.Get, "/api/queries/cached") { Headers = { IfNoneMatch = { first.Headers.ETag! } } };
        using var unchanged = await app.Client.SendAsync(conditional);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        Assert.Empty(await unchanged.Content.ReadAsByteArrayAsync());
        using var stale = new HttpRequestMessage(HttpMethod.Get, "/api/queries/cached") { Headers = { IfNoneMatch = { new EntityTagHeaderValue("\"other\"") } } };
        using var changed = await app.Client.SendAsync(stale);
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);

        using var plain = await app.Client.GetAsync("/api/queries/plain");
        Assert.True(plain.Headers.CacheControl!.NoStore);
        Assert.Null(plain.Headers.ETag);
    }

    [Fact]
    public async Task A_cached_answer_expires()
    {
        await using var table = await CounterTable.CreateAsync();
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string> { ["queries/cached.sql"] = $"/* cache: 1s */ SELECT n FROM {table.Name}" });
        Assert.Equal(1, (await app.GetJsonAsync("/api/queries/cached"))[0].GetProperty("n").GetInt32());
        await table.SetAsync(2);
        await Task.Delay(1100);
        Assert.Equal(2, (await app.GetJsonAsync("/api/queries/cached"))[0].GetProperty("n").GetInt32());
    }

    [Fact]
    public async Task Identical_calls_at_the_same_time_run_once()
    {
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string>
        {
            // Each run has a number of its own.
            ["queries/cached.sql"] = "/* cache: 60s */ SELECT random() AS r, (SELECT sum(a.i * b.i) FROM range(8000) a(i), range(8000) b(i)) AS s",
        });
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => app.Client.GetStringAsync("/api/queries/cached")));
        Assert.Single(answers.Distinct());
    }

    [Fact]
    public async Task A_first_caller_that_goes_away_leaves_the_answer_to_the_others()
    {
        var session = $"test-{Guid.NewGuid():N}";
        var runs = 0;
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Tracing.Npgsql,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            // What is sent to MotherDuck over this app's connections.
            ActivityStopped = sent =>
            {
                if (sent.DisplayName == "SELECT" && sent.TagObjects.Any(tag => tag.Value is string text && text.StartsWith(session, StringComparison.Ordinal)))
                    Interlocked.Increment(ref runs);
            },
        };
        ActivitySource.AddActivityListener(listener);
        await using var app = await LocalApp.StartAsync(
            new Dictionary<string, string> { ["queries/cached.sql"] = "/*\ncache: 60s\ntimeout: 120s\n*/\nSELECT random() AS run, (SELECT sum(a.i * b.i) FROM range(15000) a(i), range(15000) b(i)) AS s" },
            new Dictionary<string, string?> { ["MotherDuck:SessionName"] = session });
        var pool = app.Host.Services.GetRequiredService<MotherDuckDataSources>().Read;
        using var gone = new CancellationTokenSource();
        var first = app.Client.GetAsync("/api/queries/cached", gone.Token);
        await Connections.EventuallyAsync(() => pool.State.InUse == 1, "the first caller's run");
        var others = Enumerable.Range(0, 7).Select(_ => app.Client.GetStringAsync("/api/queries/cached")).ToList();
        // Whoever joins the run takes no connection; each is a call of its own to the host.
        await Task.Delay(300);
        Assert.False(first.IsCompleted, "the query is too fast for this test");
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        var answers = await Task.WhenAll(others);
        Assert.Single(answers.Distinct());
        Assert.Equal(answers[0], await app.Client.GetStringAsync("/api/queries/cached"));
        Assert.Equal(1, Volatile.Read(ref runs));
    }

    [Fact]
    public async Task An_answer_too_large_for_the_cache_is_streamed()
    {
        await using var app = await LocalApp.StartAsync(
            new Dictionary<string, string> { ["queries/cached.sql"] = "/* cache: 60s */ SELECT i FROM range(100000) r(i)" },
            new Dictionary<string, string?> { ["Queries:CacheBytes"] = "100000" });
        for (var i = 0; i < 3; i++)
        {
            using var response = await app.Client.GetAsync("/api/queries/cached");
            Assert.Equal(100_000, JsonSerializer.Deserialize<JsonElement>(await response.Content.ReadAsStringAsync()).GetArrayLength());
            Assert.Null(response.Headers.ETag);
        }
    }

    [Fact]
    public async Task Over_the_queue_a_call_is_503_with_Retry_After_and_the_others_are_answered()
    {
        await using var app = await LocalApp.StartAsync(
            new Dictionary<string, string> { ["queries/busy.sql"] = "SELECT 1 AS s" },
            new Dictionary<string, string?> { ["MotherDuck:MaxPoolSize"] = "2", ["Queries:QueueLimit"] = "3" });
        var pool = app.Host.Services.GetRequiredService<MotherDuckDataSources>().Read;
        NpgsqlConnection[] taken = [await pool.OpenAsync(default), await pool.OpenAsync(default)];
        var asked = Enumerable.Range(0, 12).Select(_ => app.Client.GetAsync("/api/queries/busy")).ToList();
        // Both connections are taken and three wait: the other nine are told so at once, no more and no fewer.
        await Connections.EventuallyAsync(() => asked.Count(call => call.IsCompleted) == 9, "nine answers");
        Assert.Equal((2, 3), (pool.State.InUse, pool.State.Waiting));
        foreach (var refused in asked.Where(call => call.IsCompleted))
        {
            await (await refused).ProblemAsync(503);
            Assert.NotNull((await refused).Headers.RetryAfter);
        }
        var waiting = asked.Where(call => !call.IsCompleted).ToList();
        foreach (var connection in taken)
            await connection.DisposeAsync();
        Assert.All(await Task.WhenAll(waiting), response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
        // All turns and connections came back.
        Assert.Equal((0, 0), (pool.State.InUse, pool.State.Waiting));
        for (var i = 0; i < 4; i++)
            await app.GetJsonAsync("/api/queries/busy");
    }

    [Fact]
    public async Task Changed_tables_change_the_answer_without_a_restart()
    {
        await using var table = await CounterTable.CreateAsync();
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["queries/all.sql"] = $"SELECT * FROM {table.Name}",
            ["queries/nested.sql"] = $"SELECT [n] AS l, * FROM {table.Name}",
        });
        Assert.Equal("[{\"n\":1}]", await app.Client.GetStringAsync("/api/queries/all"));
        Assert.Equal("[{\"l\":[1],\"n\":1}]", await app.Client.GetStringAsync("/api/queries/nested"));
        await table.ExecuteAsync($"CREATE OR REPLACE TABLE {table.Name} AS SELECT 'one' AS n, [1, 2] AS m");
        Assert.Equal("[{\"n\":\"one\",\"m\":[1,2]}]", await app.Client.GetStringAsync("/api/queries/all"));
        Assert.Equal("[{\"l\":[\"one\"],\"n\":\"one\",\"m\":[1,2]}]", await app.Client.GetStringAsync("/api/queries/nested"));
        await table.ExecuteAsync($"ALTER TABLE {table.Name} RENAME n TO o");
        Assert.Equal("[{\"o\":\"one\",\"m\":[1,2]}]", await app.Client.GetStringAsync("/api/queries/all"));
        using var gone = await app.Client.GetAsync("/api/queries/nested");
        await gone.ProblemAsync(502);
    }

    /// <summary>A table of one number that tests change behind the app's back.</summary>
    private sealed class CounterTable(NpgsqlConnection connection, string name) : IAsyncDisposable
    {
        public string Name { get; } = name;

        public static async Task<CounterTable> CreateAsync()
        {
            var table = new CounterTable(await SharedEndpoint.ConnectAsync(), $"my_db.main.counter_{Guid.NewGuid():N}");
            await table.ExecuteAsync($"CREATE TABLE {table.Name} AS SELECT 1 AS n");
            return table;
        }

        public Task SetAsync(int n) => ExecuteAsync($"UPDATE {Name} SET n = {n}");

        public async Task ExecuteAsync(string sql)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = sql;
            await command.ExecuteNonQueryAsync();
        }

        public async ValueTask DisposeAsync()
        {
            await ExecuteAsync($"DROP TABLE {Name}");
            await connection.DisposeAsync();
        }
    }
}
