using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.Ingest;
using Microsoft.Extensions.DependencyInjection;

namespace MdFunctions.Tests.MotherDuck;

public sealed class TelemetryTests
{
    private const string Secret = "a-literal-of-the-statement";

    private static readonly Dictionary<string, string> Files = new()
    {
        ["queries/traced.sql"] = $"/*\nsummary: Traced\n*/\nSELECT '{Secret}' AS s UNION ALL SELECT '{Secret}'",
        ["queries/traced_failure.sql"] = $"/*\nsummary: Traced\nparameters:\n  text: {{ type: varchar }}\n*/\nSELECT CAST($text || '{Secret}' AS INTEGER) AS i",
    };

    [Fact]
    public async Task A_query_is_a_span_over_Npgsql_s_with_name_rows_and_no_literals()
    {
        var stopped = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is Telemetry.Name or Tracing.Npgsql,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = stopped.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await using var app = await LocalApp.StartAsync(Files);
        await app.GetJsonAsync("api/queries/traced");
        using (var failed = await app.Client.GetAsync("api/queries/traced_failure?text=abc"))
            await failed.ProblemAsync(502);

        var query = Assert.Single(stopped, activity => activity.DisplayName == "query traced");
        Assert.Equal((2L, "ok"), (query.GetTagItem("mdfunctions.rows"), query.GetTagItem("mdfunctions.outcome")));
        Assert.True(query.Duration > TimeSpan.Zero);
        var statements = stopped.Where(activity => activity.Source.Name == Tracing.Npgsql && activity.TraceId == query.TraceId).ToList();
        Assert.Contains(statements, activity => activity.DisplayName == "SELECT");

        var failure = Assert.Single(stopped, activity => activity.DisplayName == "query traced_failure");
        Assert.Equal((ActivityStatusCode.Error, "Conversion Error"), (failure.Status, failure.StatusDescription));
        var statement = Assert.Single(stopped, activity => activity.Source.Name == Tracing.Npgsql && activity.TraceId == failure.TraceId && activity.Status == ActivityStatusCode.Error);
        Assert.Equal("Conversion Error", Assert.Single(statement.Events).Tags.Single(tag => tag.Key == "exception.message").Value);

        // What a trace holds goes to where many may read it.
        Assert.All(stopped.Where(activity => activity.TraceId == query.TraceId || activity.TraceId == failure.TraceId), activity => Assert.DoesNotContain(
            Secret, $"{activity.DisplayName} {activity.StatusDescription} {string.Join(' ', activity.TagObjects)} {string.Join(' ', activity.Events.SelectMany(e => e.Tags))}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Queries_rows_and_the_token_s_age_are_measured()
    {
        await using var app = await LocalApp.StartAsync(Files);
        var scope = app.Host.Services.GetRequiredService<IMeterFactory>();
        var measured = new ConcurrentQueue<(string Instrument, double Value, string Tags)>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Scope == scope && instrument.Meter.Name == Telemetry.Name)
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => measured.Enqueue((instrument.Name, value, Text(tags))));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => measured.Enqueue((instrument.Name, value, Text(tags))));
        listener.Start();

        await app.GetJsonAsync("api/queries/traced");
        using (var failed = await app.Client.GetAsync("api/queries/traced_failure?text=abc"))
            await failed.ProblemAsync(502);
        listener.RecordObservableInstruments();

        Assert.Single(measured, one => one is { Instrument: "mdfunctions.run.duration", Tags: "kind=query name=traced outcome=ok" });
        Assert.Single(measured, one => one is { Instrument: "mdfunctions.run.rows", Value: 2, Tags: "kind=query name=traced outcome=ok" });
        Assert.Single(measured, one => one is { Instrument: "mdfunctions.run.duration", Tags: "kind=query name=traced_failure outcome=Rejected" });
        Assert.Single(measured, one => one is { Instrument: "mdfunctions.token.age", Tags: "pool=read", Value: >= 0 and < 60 });
        Assert.Single(measured, one => one is { Instrument: "mdfunctions.token.age", Tags: "pool=write" });

        static string Text(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var parts = new List<string>();
            foreach (var (key, value) in tags)
                parts.Add($"{key}={value}");
            return string.Join(' ', parts.Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task Each_run_counts_with_what_became_of_it()
    {
        var files = new Dictionary<string, string>(Files)
        {
            ["queries/slow.sql"] = "/*\ntimeout: 1s\n*/\nSELECT sum(a.range * b.range) AS s FROM range(100000000) a, range(100000) b",
            ["queries/many.sql"] = "/*\nmaxRows: 1\nonLimit: error\n*/\nFROM range(2)",
            ["loads/refused.sql"] = $"/*\ntarget: my_db.{Webhook.NewSchema()}.t\nmode: append\nschedule: daily\ncheck: SELECT false\n*/\nSELECT 1 AS n",
            ["loads/missing.sql"] = $"/*\ntarget: my_db.{Webhook.NewSchema()}.t\nmode: append\n*/\nFROM read_csv('http://127.0.0.1:9/nothing.csv')",
            ["ingest/events.sql"] = $"/*\ntarget: my_db.{Webhook.NewSchema()}.t\nsignature: {{ scheme: github, secret: Test }}\ncolumns: {{ a: INTEGER }}\n*/\nSELECT * FROM body",
        };
        await using var app = await LocalApp.StartAsync(files, new Dictionary<string, string?>(Webhook.Settings) { ["MotherDuck:MaxPoolSize"] = "1", ["Queries:QueueLimit"] = "0", ["MotherDuck:WarmUp"] = "false" });
        var scope = app.Host.Services.GetRequiredService<IMeterFactory>();
        var outcomes = new ConcurrentQueue<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Scope == scope && instrument.Name == "mdfunctions.run.duration")
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((_, _, tags, _) =>
        {
            var all = tags.ToArray().ToDictionary(tag => tag.Key, tag => tag.Value);
            outcomes.Enqueue($"{all["name"]} {all["outcome"]}");
        });
        listener.Start();

        await app.GetJsonAsync("api/queries/traced");
        var slow = app.Client.GetAsync("api/queries/slow");
        await Connections.EventuallyAsync(() => app.Host.Services.GetRequiredService<MotherDuckDataSources>().Read.State.InUse == 1, "the slow query runs");
        using (var full = await app.Client.GetAsync("api/queries/traced_failure?text=1"))
            Assert.NotNull((await full.ProblemAsync(503), full.Headers.RetryAfter).RetryAfter);
        await (await slow).ProblemAsync(504);
        await (await app.Client.GetAsync("api/queries/many")).ProblemAsync(422);
        await (await app.Client.PostAsync("api/loads/refused", null)).ProblemAsync(422);
        await (await app.Client.PostAsync("api/loads/missing", null)).ProblemAsync(502);
        await app.StoreAsync("""{"a": 1}""");
        await (await app.SendAsync("""{"a": "x"}""")).ProblemAsync(422);

        Assert.Equal(
            ["events caller", "events ok", "many caller", "missing SourceUnavailable", "refused failed", "slow Timeout", "traced ok", "traced_failure PoolExhausted"],
            outcomes.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_outcome_that_the_page_names_happens_and_no_other()
    {
        var named = Docs.DocPages.Rows("docs/operate.md").Single(row => row[0] == "mdfunctions.run.duration")[2];
        var expected = named[(named.LastIndexOf("`outcome` (", StringComparison.Ordinal) + "`outcome` (".Length)..^1].Split(", ");
        var files = new Dictionary<string, string>(Files)
        {
            ["queries/slow.sql"] = "/*\ntimeout: 1s\n*/\nSELECT sum(a.range * b.range) AS s FROM range(100000000) a, range(100000) b",
            ["queries/large.sql"] = "SELECT i, repeat('x', 500) AS t FROM range(200000) r(i)",
            ["loads/refused.sql"] = $"/*\ntarget: my_db.{Webhook.NewSchema()}.t\nmode: append\ncheck: SELECT false\n*/\nSELECT 1 AS n",
            ["loads/missing.sql"] = $"/*\ntarget: my_db.{Webhook.NewSchema()}.t\nmode: append\n*/\nFROM read_csv('http://127.0.0.1:9/nothing.csv')",
        };
        var outcomes = new ConcurrentDictionary<string, bool>(StringComparer.Ordinal);
        await using (var app = await StartAsync(("Queries:QueueLimit", "0")))
        {
            using var _ = Listen(app);
            await app.GetJsonAsync("api/queries/traced");
            await (await app.Client.GetAsync("api/queries/traced_failure?text=abc")).ProblemAsync(502);
            var slow = app.Client.GetAsync("api/queries/slow");
            await Connections.EventuallyAsync(() => app.Host.Services.GetRequiredService<MotherDuckDataSources>().Read.State.InUse == 1, "the slow query runs");
            await (await app.Client.GetAsync("api/queries/traced")).ProblemAsync(503);
            await (await slow).ProblemAsync(504);
            await (await app.Client.PostAsync("api/loads/missing", null)).ProblemAsync(502);
            await (await app.Client.PostAsync("api/loads/refused", null)).ProblemAsync(422);
            using var gone = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => app.Client.GetAsync("api/queries/slow", gone.Token));
            await Connections.EventuallyAsync(() => outcomes.ContainsKey("caller"), "the caller who went away");
        }
        await using (var app = await StartAsync(("Queries:SlowReaderGrace", "200ms"), ("Queries:SlowReaderBytes", "1000000000"), ("Queries:BufferBytes", "0")))
        {
            using var _ = Listen(app);
            using var reader = await app.Client.GetAsync("api/queries/large", HttpCompletionOption.ResponseHeadersRead);
            await app.GetJsonAsync("api/queries/traced"); // It waits until that reader has lost its connection.
            await Connections.EventuallyAsync(() => outcomes.ContainsKey("SlowReader"), "the reader is broken off");
        }
        await using (var app = await StartAsync(("MOTHERDUCK_TOKEN", "another-token-than-the-endpoints")))
        {
            using var _ = Listen(app);
            await (await app.Client.GetAsync("api/queries/traced")).ProblemAsync(502);
        }
        await using (var app = await StartAsync(("MotherDuck:Port", "9")))
        {
            using var _ = Listen(app);
            await (await app.Client.GetAsync("api/queries/traced")).ProblemAsync(503);
        }
        Assert.Equal(expected.Order(StringComparer.Ordinal), outcomes.Keys.Order(StringComparer.Ordinal));

        Task<LocalApp> StartAsync(params (string Name, string Value)[] settings) => LocalApp.StartAsync(
            files, settings.Append(("MotherDuck:MaxPoolSize", "1")).Append(("MotherDuck:WarmUp", "false")).ToDictionary(setting => setting.Item1, string? (setting) => setting.Item2));

        MeterListener Listen(LocalApp app)
        {
            var scope = app.Host.Services.GetRequiredService<IMeterFactory>();
            var listener = new MeterListener();
            listener.InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Scope == scope && instrument.Name == "mdfunctions.run.duration")
                    self.EnableMeasurementEvents(instrument);
            };
            listener.SetMeasurementEventCallback<double>((_, _, tags, _) =>
            {
                foreach (var (key, value) in tags)
                {
                    if (key == "outcome")
                        outcomes[(string)value!] = true;
                }
            });
            listener.Start();
            return listener;
        }
    }

    [Fact]
    public void A_fault_of_the_apps_own_is_failed_for_each_kind_of_run()
    {
        using var meters = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var telemetry = new Telemetry(meters.GetRequiredService<IMeterFactory>());
        var outcomes = new List<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Scope == meters.GetRequiredService<IMeterFactory>() && instrument.Name == "mdfunctions.run.duration")
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((_, _, tags, _) => outcomes.Add(string.Join(' ', tags.ToArray().Where(tag => tag.Key is "kind" or "outcome").Select(tag => tag.Value))));
        listener.Start();
        foreach (var run in (Telemetry.Run[])[telemetry.StartQuery("q", null), telemetry.StartLoad("l", "timer", null), telemetry.StartIngest("i")])
        {
            run.Fail(new InvalidOperationException("a fault of ours"));
            run.Dispose();
        }
        Assert.Equal(["query failed", "load failed", "ingest failed"], outcomes);
    }

    [Fact]
    public async Task Requests_that_wait_for_a_connection_are_counted()
    {
        await using var app = await LocalApp.StartAsync(
            new Dictionary<string, string> { ["queries/slow.sql"] = "/*\ntimeout: 2s\n*/\nSELECT sum(a.range * b.range) AS s FROM range(100000000) a, range(100000) b" },
            new Dictionary<string, string?> { ["MotherDuck:MaxPoolSize"] = "2" });
        var asked = Enumerable.Range(0, 12).Select(_ => app.Client.GetAsync("api/queries/slow")).ToList();
        var pool = app.Host.Services.GetRequiredService<MotherDuckDataSources>().Read;
        await Connections.EventuallyAsync(() => pool.State is { InUse: 2, Waiting: 10 }, "ten wait");
        Assert.Equal(10, (await app.GetJsonAsync("api/health")).GetProperty("read").GetProperty("connections").GetProperty("waiting").GetInt32());
        foreach (var response in await Task.WhenAll(asked))
        {
            // Those that never ran are told so.
            var problem = await response.ProblemAsync(response.Headers.RetryAfter is null ? 504 : 503);
            Assert.Equal(response.Headers.RetryAfter is null ? "Query timed out" : "Busy", problem.GetProperty("title").GetString());
            response.Dispose();
        }
        Assert.Equal((0, 0), (pool.State.InUse, pool.State.Waiting));
    }

    [Fact]
    public async Task A_health_probe_tells_the_pools_state_and_never_asks_MotherDuck()
    {
        var token = Connections.NewToken();
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        await using var app = await Connections.AppAsync(
            endpoint, settings: new Dictionary<string, string?> { ["MOTHERDUCK_TOKEN"] = token, ["MotherDuck:WarmUp"] = "false", ["MotherDuck:MaxWritePoolSize"] = "2" });
        for (var i = 0; i < 3; i++)
            await app.GetJsonAsync("api/health");
        Assert.Equal(0, Connections.SocketsTo(endpoint.Port));
        var health = await app.GetJsonAsync("api/health");
        Assert.Equal("""{"inUse":0,"idle":0,"waiting":0,"maximum":4}""", health.GetProperty("read").GetProperty("connections").GetRawText());
        Assert.Equal("""{"inUse":0,"idle":0,"waiting":0,"maximum":2}""", health.GetProperty("write").GetProperty("connections").GetRawText());

        var pool = app.Host.Services.GetRequiredService<MotherDuckDataSources>().Read;
        var taken = new List<Npgsql.NpgsqlConnection>();
        for (var i = 0; i < 4; i++)
            taken.Add(await pool.OpenAsync(default));
        var waiting = pool.OpenAsync(default);
        health = await app.GetJsonAsync("api/health");
        Assert.Equal("""{"inUse":4,"idle":0,"waiting":1,"maximum":4}""", health.GetProperty("read").GetProperty("connections").GetRawText());
        foreach (var connection in taken)
            await connection.DisposeAsync();
        await (await waiting).DisposeAsync();

        health = await app.GetJsonAsync("api/health?deep=true");
        Assert.True(health.GetProperty("motherDuck").GetProperty("roundTripMilliseconds").GetDouble() > 0);
        Assert.Equal("""{"inUse":0,"idle":4,"waiting":0,"maximum":4}""", health.GetProperty("read").GetProperty("connections").GetRawText());
        Assert.True(health.GetProperty("read").GetProperty("tokenAgeSeconds").GetDouble() >= 0);
    }

    [Fact]
    public async Task Idle_connections_are_closed_so_that_MotherDuck_can_sleep()
    {
        var token = Connections.NewToken();
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        await using var app = await Connections.AppAsync(
            endpoint, settings: new Dictionary<string, string?> { ["MOTHERDUCK_TOKEN"] = token, ["MotherDuck:ConnectionIdleLifetime"] = "1s" });
        await app.GetJsonAsync("api/queries/answer");
        Assert.True(Connections.SocketsTo(endpoint.Port) > 0);
        await Connections.EventuallyAsync(() => Connections.SocketsTo(endpoint.Port) == 0, "no connection left");
        await app.GetJsonAsync("api/queries/answer");
    }
}
