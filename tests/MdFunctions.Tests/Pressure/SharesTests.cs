using System.Collections.Concurrent;
using System.Net;
using System.Text;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.Ingest;
using MdFunctions.Tests.MotherDuck;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace MdFunctions.Tests.Pressure;

/// <summary>Who waits for whom while all connections are taken. Here a test takes them, so that nothing depends on how long a query runs.</summary>
public sealed class SharesTests
{
    private static readonly Dictionary<string, string> Files = new()
    {
        ["queries/one.sql"] = "/* parameters: { n: { type: integer, default: 1 } } */ SELECT $n AS n",
        ["queries/slow.sql"] = "SELECT (SELECT sum(a.i * b.i) FROM range(2000) a(i), range(2000) b(i)) AS s",
        ["queries/kept.sql"] = "/* cache: 1h */ SELECT 1 AS n",
    };

    [Fact]
    public async Task A_cached_answer_the_catalog_health_docs_and_ingests_never_wait_behind_queries()
    {
        var files = new Dictionary<string, string>(Files)
        {
            ["ingest/events.sql"] = $"/*\ntarget: my_db.{Webhook.NewSchema()}.events\nsignature: {{ scheme: github, secret: Test }}\ncolumns: {{ a: INTEGER }}\n*/\nSELECT * FROM body",
        };
        await using var app = await StartAsync(files, ("MotherDuck:MaxPoolSize", "2"), ("Queries:QueueLimit", "3"), ("Secrets:Test", Webhook.Secret), ("MotherDuck:ConnectTimeout", "30s"));
        await app.GetJsonAsync("/api/queries/kept");
        var pool = Pool(app);
        Task<HttpResponseMessage[]> served;
        await using (await TakeAllAsync(pool, 2))
        {
            var waiting = Enumerable.Range(0, 3).Select(_ => app.Client.GetAsync("/api/queries/one")).ToList();
            await Connections.EventuallyAsync(() => pool.State.Waiting == 3, "three wait");
            using (var refused = await app.Client.GetAsync("/api/queries/one"))
                await refused.ProblemAsync(503);

            foreach (var path in (string[])["/api/queries/kept", "/api/queries", "/api/health", "/api/docs", "/api/openapi.json"])
            {
                using var answer = await app.Client.GetAsync(path);
                Assert.Equal((path, HttpStatusCode.OK), (path, answer.StatusCode));
            }
            await app.StoreAsync("""{"a": 1}""");

            // The document did not even try to wait for columns that it does not know.
            Assert.Contains(app.Logs.All, line => line.Contains("not known yet: all connections are in use", StringComparison.Ordinal));
            Assert.Equal(3, pool.State.Waiting);
            Assert.DoesNotContain(waiting, request => request.IsCompleted);
            served = Task.WhenAll(waiting);
        }
        Assert.All(await served, answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task One_caller_s_many_requests_do_not_keep_another_waiting(int connections)
    {
        await using var app = await StartAsync(Files, ("MotherDuck:MaxPoolSize", $"{connections}"), ("MotherDuck:ConnectTimeout", "1m"));
        var pool = Pool(app);
        var order = new ConcurrentQueue<string>();
        var all = new List<Task>();
        await using (await TakeAllAsync(pool, connections))
        {
            for (var i = 0; i < 40; i++)
                all.Add(AskAsync("greedy"));
            await Connections.EventuallyAsync(() => pool.State.Waiting == 40, "all of the first caller's wait");
            all.Add(AskAsync("modest"));
            await Connections.EventuallyAsync(() => pool.State.Waiting == 41, "the other caller's waits too");
        }
        await Task.WhenAll(all);
        Assert.InRange(order.ToList().IndexOf("modest"), 0, 20);

        async Task AskAsync(string key)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/queries/slow") { Headers = { { "x-functions-key", key } } };
            using var response = await app.Client.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            order.Enqueue(key);
        }
    }

    [Fact]
    public async Task What_is_turned_away_is_not_looked_at_and_told_when_to_come_again()
    {
        await using var app = await StartAsync(Files, ("MotherDuck:MaxPoolSize", "1"), ("Queries:QueueLimit", "0"), ("MotherDuck:WarmUp", "false"));
        await app.GetJsonAsync("/api/queries/one");
        var waits = new HashSet<TimeSpan>();
        await using (await TakeAllAsync(Pool(app), 1))
        {
            using (var nonsense = await app.Client.GetAsync("/api/queries/one?nonsense=1&format=none"))
                await nonsense.ProblemAsync(503);
            using (var body = await app.Client.PostAsync("/api/queries/one", new StringContent("{", Encoding.UTF8, "text/nonsense")))
                await body.ProblemAsync(503);
            for (var i = 0; i < 40; i++)
            {
                using var refused = await app.Client.GetAsync("/api/queries/one");
                await refused.ProblemAsync(503);
                waits.Add(refused.Headers.RetryAfter!.Delta!.Value);
            }
        }
        Assert.All(waits, wait => Assert.InRange(wait, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(2)));
        Assert.NotEqual(1, waits.Count); // Not all come back together.
        await app.GetJsonAsync("/api/queries/one");
    }

    [Fact]
    public async Task Refusals_leave_at_their_pace_and_whoever_is_gone_waits_for_none()
    {
        await using var app = await StartAsync(Files, ("MotherDuck:MaxPoolSize", "1"), ("Queries:QueueLimit", "0"), ("Queries:RefusalRate", "1"), ("MotherDuck:WarmUp", "false"));
        await using (await TakeAllAsync(Pool(app), 1))
        {
            var calls = Enumerable.Range(0, 4).Select(_ => app.Client.GetAsync("/api/queries/one")).ToList();
            await Task.WhenAny(calls);
            Assert.Contains(calls, call => !call.IsCompleted);
            using var gone = new CancellationTokenSource();
            var more = app.Client.GetAsync("/api/queries/one", gone.Token);
            await gone.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => more);
            foreach (var call in calls)
                await (await call).ProblemAsync(503);
        }
        await app.GetJsonAsync("/api/queries/one");
        Assert.DoesNotContain(app.Logs.All, line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Whoever_waits_to_be_turned_away_is_served_when_the_queue_has_become_short()
    {
        await using var app = await StartAsync(Files, ("MotherDuck:MaxPoolSize", "1"), ("Queries:QueueLimit", "4"), ("Queries:RefusalRate", "1"), ("MotherDuck:ConnectTimeout", "1m"));
        var pool = Pool(app);
        List<Task<HttpResponseMessage>> calls;
        await using (await TakeAllAsync(pool, 1))
        {
            calls = [.. Enumerable.Range(0, 150).Select(n => app.Client.GetAsync($"/api/queries/one?n={n}"))];
            await Task.WhenAny(calls); // The first that is told: 145 wait for that now, and would for 145 seconds.
            await Connections.EventuallyAsync(() => pool.State.Waiting == 4, "the queue is full");
        }
        var answers = await Task.WhenAll(calls);
        var refused = 0;
        for (var n = 0; n < answers.Length; n++)
        {
            using var answer = answers[n];
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
                refused++;
            else
                Assert.Equal($"[{{\"n\":{n}}}]", await answer.Content.ReadAsStringAsync());
        }
        Assert.InRange(refused, 1, 15); // One a second, for as long as the connection was taken.
        Assert.Equal((0, 0), (pool.State.InUse, pool.State.Waiting));
    }

    [Fact]
    public async Task A_burst_is_answered_whole_each_call_with_its_rows_or_with_503()
    {
        await using var app = await StartAsync(Files, ("MotherDuck:MaxPoolSize", "2"), ("Queries:QueueLimit", "20"));
        await app.GetJsonAsync("/api/queries/one");
        var answers = await Task.WhenAll(Enumerable.Range(0, 600).Select(async n =>
        {
            using var response = await app.Client.GetAsync($"/api/queries/one?n={n}");
            return (n, response.StatusCode, Body: await response.Content.ReadAsStringAsync());
        }));
        Assert.All(answers, answer => Assert.True(answer.StatusCode switch
        {
            HttpStatusCode.OK => answer.Body == $"[{{\"n\":{answer.n}}}]",
            HttpStatusCode.ServiceUnavailable => answer.Body.Contains("\"Busy\"", StringComparison.Ordinal),
            _ => false,
        }, $"{answer}"));
        Assert.Contains(answers, answer => answer.StatusCode == HttpStatusCode.OK);
        await Connections.EventuallyAsync(() => Pool(app).State is { InUse: 0, Waiting: 0 }, "no turn is taken");
        Assert.DoesNotContain(app.Logs.All, line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    private static MotherDuckDataSource Pool(LocalApp app) => app.Host.Services.GetRequiredService<MotherDuckDataSources>().Read;

    private static Task<LocalApp> StartAsync(Dictionary<string, string> files, params (string Name, string Value)[] settings) =>
        LocalApp.StartAsync(files, settings.ToDictionary(setting => setting.Name, string? (setting) => setting.Value));

    private static async Task<Taken> TakeAllAsync(MotherDuckDataSource pool, int count) =>
        new(await Task.WhenAll(Enumerable.Range(0, count).Select(_ => pool.OpenAsync(CancellationToken.None))));

    private sealed class Taken(NpgsqlConnection[] connections) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            foreach (var connection in connections)
                await connection.DisposeAsync();
        }
    }
}
