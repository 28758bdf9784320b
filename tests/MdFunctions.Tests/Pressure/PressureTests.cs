using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Queries;
using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.MotherDuck;
using Microsoft.Extensions.DependencyInjection;

namespace MdFunctions.Tests.Pressure;

/// <summary>Callers that read slowly, or go away.</summary>
[Collection("Alone")]
public sealed class PressureTests
{
    private static readonly Dictionary<string, string> Files = new()
    {
        ["queries/one.sql"] = "SELECT 1 AS a",
        ["queries/some.sql"] = "SELECT i, repeat('x', 200) AS t FROM range(3000) r(i)",
        ["queries/kept.sql"] = "/* cache: 60s */ SELECT i, repeat('x', 200) AS t FROM range(3000) r(i)",
        ["queries/cut.sql"] = "/* maxRows: 2000 */ SELECT i, repeat('x', 200) AS t FROM range(3000) r(i)",
        ["queries/many.sql"] = "/* timeout: 60s */ SELECT i, repeat('x', 500) AS t FROM range(120000) r(i)",
        ["queries/more.sql"] = "/* timeout: 60s */ SELECT i, repeat('y', 500) AS t FROM range(120000) r(i)",
        ["queries/lines.sql"] = "SELECT i, repeat('x', 500) AS t FROM range(60000) r(i)",
    };

    [Fact]
    public async Task Readers_that_stop_lose_their_connections_to_those_who_wait()
    {
        await using var app = await StartAsync(("MotherDuck:MaxPoolSize", "2"), ("Queries:SlowReaderGrace", "2s"));
        // Of one query the last connection would be kept for others.
        using var first = await StalledAsync(app, "many");
        using var second = await StalledAsync(app, "more");
        var pool = app.Host.Services.GetRequiredService<MotherDuckDataSources>().Read;
        await Connections.EventuallyAsync(() => pool.State.InUse == 2, "both have a connection");
        using var outcomes = new Outcomes(app);

        for (var i = 0; i < 20; i++)
            Assert.Equal("[{\"a\":1}]", await app.Client.GetStringAsync("/api/queries/one"));

        // One connection is enough, so one of them is left alone: one line, one measurement.
        await Connections.EventuallyAsync(() => outcomes["many SlowReader"] + outcomes["more SlowReader"] > 0 && outcomes["one ok"] == 20, "all is measured");
        Assert.Single(app.Logs.All, line => line.Contains("is broken off", StringComparison.Ordinal));
        Assert.Equal(1, outcomes["many SlowReader"] + outcomes["more SlowReader"]);
        Assert.Equal(20, outcomes["one ok"]);
        // What it was sent does not look whole. The other one has its connection still.
        Assert.False(await await Task.WhenAny(IsWholeAsync(first), IsWholeAsync(second)));
        first.Dispose();
        second.Dispose();
        await IdleAsync(app);
        Assert.DoesNotContain(app.Logs.All, line => line.StartsWith("Error", StringComparison.Ordinal) && !line.Contains("Executed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_reader_alone_may_be_as_slow_as_it_likes()
    {
        await using var app = await StartAsync(("MotherDuck:MaxPoolSize", "1"), ("Queries:SlowReaderGrace", "100ms"), ("Queries:SlowReaderBytes", "1000000000"));
        using var response = await app.Client.GetAsync("/api/queries/many", HttpCompletionOption.ResponseHeadersRead);
        await using var body = await response.Content.ReadAsStreamAsync();
        await Task.Delay(2000);
        Assert.Equal(120_000, (await JsonSerializer.DeserializeAsync<JsonElement>(body)).GetArrayLength());
        await IdleAsync(app);
    }

    [Fact]
    public async Task No_reader_is_too_slow_where_the_floor_is_0()
    {
        await using var app = await StartAsync(("MotherDuck:MaxPoolSize", "1"), ("Queries:SlowReaderGrace", "100ms"), ("Queries:SlowReaderBytes", "0"), ("MotherDuck:ConnectTimeout", "2s"));
        using var stalled = await StalledAsync(app, "many");
        var pool = app.Host.Services.GetRequiredService<MotherDuckDataSources>().Read;
        await Connections.EventuallyAsync(() => pool.State.InUse == 1, "it has the connection");
        using (var waits = await app.Client.GetAsync("/api/queries/one"))
            await waits.ProblemAsync(503);
        Assert.DoesNotContain(app.Logs.All, line => line.Contains("is broken off", StringComparison.Ordinal));
        Assert.True(await IsWholeAsync(stalled));
        await IdleAsync(app);
    }

    [Fact]
    public async Task An_answer_that_waits_in_memory_has_left_its_connection()
    {
        await using var app = await StartAsync(("MotherDuck:MaxPoolSize", "1"), ("Queries:BufferBytes", "1073741824"));
        using var stalled = await StalledAsync(app, "lines");
        var pool = app.Host.Services.GetRequiredService<MotherDuckDataSources>().Read;
        var buffer = app.Host.Services.GetRequiredService<AnswerBuffer>();
        await Connections.EventuallyAsync(() => pool.State.InUse == 0 && buffer.Used > 0, "the connection is free, and the answer is not read");
        Assert.Equal("[{\"a\":1}]", await app.Client.GetStringAsync("/api/queries/one"));
        Assert.True(buffer.Used > 0);
        Assert.True(await IsWholeAsync(stalled));
        await IdleAsync(app);
    }

    [Fact]
    public async Task Of_a_large_answer_a_bounded_part_waits_in_memory()
    {
        const int share = 4 * 1024 * 1024;
        await using var app = await StartAsync(("Queries:BufferBytes", $"{16 * share}"));
        using var stalled = await StalledAsync(app, "many");
        var pool = app.Host.Services.GetRequiredService<MotherDuckDataSources>().Read;
        var buffer = app.Host.Services.GetRequiredService<AnswerBuffer>();
        await Connections.EventuallyAsync(() => buffer.Used > share - (256 * 1024), "its part is full");
        Assert.InRange(buffer.Used, 1, share);
        Assert.Equal(1, pool.State.InUse); // The rest stays at MotherDuck.
        Assert.True(await IsWholeAsync(stalled));
        await IdleAsync(app);
    }

    [Fact]
    public async Task Whoever_hangs_up_in_the_middle_of_an_answer_leaves_one_quiet_line_and_an_outcome()
    {
        await using var app = await StartAsync();
        using var outcomes = new Outcomes(app);
        using (var socket = await StalledAsync(app, "many"))
            socket.LingerState = new LingerOption(true, 0);
        await IdleAsync(app);
        await Connections.EventuallyAsync(() => outcomes["many caller"] == 1, "the call was measured");
        var lines = app.Logs.All.Where(line => line.Contains("MdFunctions.Engine", StringComparison.Ordinal) && line.Contains("went away", StringComparison.Ordinal)).ToList();
        Assert.StartsWith("Debug ", Assert.Single(lines), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", lines[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("1000000")]
    [InlineData("67108864")]
    public async Task Answers_are_the_same_however_much_of_them_waits_in_memory(string bytes)
    {
        await using var app = await StartAsync(("Queries:BufferBytes", bytes));
        foreach (var encoding in (string[])["identity", "gzip", "br"])
        {
            using var client = new HttpClient(new HttpClientHandler { AutomaticDecompression = DecompressionMethods.All }) { BaseAddress = app.Client.BaseAddress };
            client.DefaultRequestHeaders.Add("Accept-Encoding", encoding);
            using var response = await client.GetAsync("/api/queries/lines?format=csv", HttpCompletionOption.ResponseHeadersRead);
            await Task.Delay(300); // Long enough for it to pile up.
            using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());
            Assert.Equal("i,t", await lines.ReadLineAsync());
            for (var i = 0; i < 60_000; i++)
                Assert.Equal($"{i},{new string('x', 500)}", await lines.ReadLineAsync());
            Assert.Null(await lines.ReadLineAsync());
        }
        await IdleAsync(app);
    }

    [Fact]
    public async Task Hanging_up_at_any_byte_is_no_error_and_leaves_nothing_behind()
    {
        await using var app = await StartAsync();
        foreach (var name in Files.Keys)
            (await app.Client.GetAsync($"/api/{name[..^4]}", HttpCompletionOption.ResponseHeadersRead)).Dispose();
        await Task.WhenAll(Enumerable.Range(0, 10).Select(async caller =>
        {
            var random = new Random(caller);
            string[] paths = ["queries/one", "queries/some", "queries/kept", "queries/cut", "queries/many", "queries/one?x=1", "queries", "health", "openapi.json", "docs"];
            for (var i = 0; i < 30; i++)
            {
                using var socket = await ConnectAsync(app);
                var request = Encoding.ASCII.GetBytes($"{(random.Next(4) == 0 ? "POST" : "GET")} /api/{paths[random.Next(paths.Length)]} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}");
                var isWhole = random.Next(4) > 0;
                await socket.SendAsync(isWhole ? request : request[..random.Next(request.Length)]);
                if (isWhole && random.Next(2) == 0)
                    await socket.ReceiveAsync(new byte[random.Next(1, random.Next(1, 300_000))]);
                else
                    await Task.Delay(random.Next(10));
                socket.LingerState = new LingerOption(random.Next(2) == 0, 0); // Half of them with a reset.
            }
        }));
        await IdleAsync(app);
        Assert.Equal("[{\"a\":1}]", await app.Client.GetStringAsync("/api/queries/one"));
        var bad = app.Logs.All.Where(line => line.StartsWith("Error", StringComparison.Ordinal) || line.StartsWith("Critical", StringComparison.Ordinal) || line.StartsWith("Warning", StringComparison.Ordinal))
            .Where(line => !IsOfWorker(line)).ToList();
        Assert.True(bad.Count == 0, $"{bad.Count} lines:\n{string.Join('\n', bad.GroupBy(line => line[..Math.Min(1500, line.Length)]).Take(8).Select(group => $"{group.Count()} x {group.Key}"))}");
    }

    // Faults of Microsoft's worker that no app can mend. A call that was cancelled may end before its HTTP half has found it: that half then looks for what is gone.
    private static bool IsOfWorker(string line) => line.Contains("Kestrel", StringComparison.Ordinal) && line.Contains("WorkerRequestServicesMiddleware", StringComparison.Ordinal)
        && (line.Contains("ObjectDisposedException", StringComparison.Ordinal) || line.Contains("DefaultHttpCoordinator.RunFunctionInvocationAsync", StringComparison.Ordinal));

    private static Task<LocalApp> StartAsync(params (string Name, string Value)[] settings) =>
        LocalApp.StartAsync(Files, settings.ToDictionary(setting => setting.Name, string? (setting) => setting.Value));

    private static async Task<Socket> ConnectAsync(LocalApp app)
    {
        // With a receive buffer of a fixed small size, the rest of a large answer would come in small pieces for minutes.
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, app.Client.BaseAddress!.Port);
        return socket;
    }

    private static async Task<Socket> StalledAsync(LocalApp app, string query)
    {
        var socket = await ConnectAsync(app);
        await socket.SendAsync(Encoding.ASCII.GetBytes($"GET /api/queries/{query} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        await socket.ReceiveAsync(new byte[1000]);
        return socket;
    }

    // Reads to the end and tells whether the last chunk was there.
    private static async Task<bool> IsWholeAsync(Socket socket)
    {
        var buffer = new byte[1024 * 1024];
        var end = "     ";
        try
        {
            // The server keeps the connection open, so nothing is asked of it after the end.
            for (int read; !end.EndsWith("0\r\n\r\n", StringComparison.Ordinal) && (read = await socket.ReceiveAsync(buffer)) > 0;)
                end = (end + Encoding.ASCII.GetString(buffer, Math.Max(0, read - 5), Math.Min(5, read)))[^5..];
        }
        catch (SocketException)
        {
            return false;
        }
        return end.EndsWith("0\r\n\r\n", StringComparison.Ordinal);
    }

    private static async Task IdleAsync(LocalApp app)
    {
        var pool = app.Host.Services.GetRequiredService<MotherDuckDataSources>().Read;
        var buffer = app.Host.Services.GetRequiredService<AnswerBuffer>();
        await Connections.EventuallyAsync(() => pool.State is { InUse: 0, Waiting: 0 } && buffer.Used == 0, "no turn is taken and no answer waits");
    }

    /// <summary>How often queries ended in some way: <c>one ok</c>.</summary>
    private sealed class Outcomes : IDisposable
    {
        private readonly ConcurrentDictionary<string, int> _counts = new(StringComparer.Ordinal);
        private readonly MeterListener _listener = new();

        public Outcomes(LocalApp app)
        {
            var scope = app.Host.Services.GetRequiredService<IMeterFactory>();
            _listener.InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Scope == scope && instrument.Name == "mdfunctions.run.duration")
                    self.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<double>((_, _, tags, _) =>
            {
                string name = "", outcome = "";
                foreach (var (key, value) in tags)
                    (name, outcome) = (key == "name" ? $"{value}" : name, key == "outcome" ? $"{value}" : outcome);
                _counts.AddOrUpdate($"{name} {outcome}", 1, (_, count) => count + 1);
            });
            _listener.Start();
        }

        public int this[string nameAndOutcome] => _counts.GetValueOrDefault(nameAndOutcome);

        public void Dispose() => _listener.Dispose();
    }
}
