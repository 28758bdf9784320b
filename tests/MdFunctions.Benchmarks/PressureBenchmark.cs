using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Local;
using Microsoft.Extensions.DependencyInjection;

namespace MdFunctions.Benchmarks;

/// <summary>
/// What slow readers, hang-ups and overload cost those who behave: ratios of one run. Callers, app and endpoint share this machine, so that a refused caller's own work
/// is in the figures too.
/// </summary>
public static class PressureBenchmark
{
    private static readonly Dictionary<string, string> Files = new()
    {
        ["one"] = "/*\nparameters:\n  n: { type: integer }\n*/\nSELECT $n AS n",
        ["rows"] = "/* timeout: 200s */ SELECT i, 'some text that takes a little room ' || i AS t FROM range(2000000) r(i)",
    };

    /// <summary>Measures and prints.</summary>
    public static Task RunAsync() => BenchmarkHost.WithQueriesAsync(Files, MeasureAsync);

    private static async Task MeasureAsync(LocalHost app)
    {
        await AskAsync(app, 50, TimeSpan.FromSeconds(8)); // Until the runtime has compiled what runs often.
        GC.Collect();
        var memory = Environment.WorkingSet;
        await StalledAsync(app);
        await SlowAsync(app);
        await HangUpAsync(app);
        await OverloadAsync(app);
        await IdleAsync(app, memory);
    }

    private static async Task StalledAsync(LocalHost app)
    {
        var time = TimeSpan.FromSeconds(10);
        var alone = await AskAsync(app, 4, time);
        Figures.Print("p99 of four callers of one row, alone", alone.P99, "ms");
        foreach (var count in (int[])[4, 40, 400])
        {
            var stalled = new List<Socket>();
            for (var i = 0; i < count; i++)
                stalled.Add(await SendAsync(app, "GET /api/queries/rows HTTP/1.1\r\nHost: localhost\r\n\r\n"));
            var beside = await AskAsync(app, 4, time);
            Figures.Print($"  beside {count} readers that have stopped", beside.P99, "ms", alone.P99, $"3x at most; {beside.Bad} failed, the longest took {beside.Longest:0} ms");
            stalled.ForEach(socket => socket.Dispose());
            await UntilIdleAsync(app);
        }
    }

    private static async Task SlowAsync(LocalHost app)
    {
        using var socket = await SendAsync(app, "GET /api/queries/rows HTTP/1.1\r\nHost: localhost\r\n\r\n");
        var reading = Task.Run(async () =>
        {
            var buffer = new byte[100_000];
            long read = 0;
            var start = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(20))
            {
                var count = await socket.ReceiveAsync(buffer);
                if (count == 0)
                    return (read, Broke: true);
                read += count;
                await Task.Delay(TimeSpan.FromSeconds(count / 1_000_000.0));
            }
            return (read, Broke: false);
        });
        var beside = await AskAsync(app, 50, TimeSpan.FromSeconds(20));
        var (bytes, broke) = await reading;
        Console.WriteLine(FormattableString.Invariant($"a reader at 1 MB/s got {bytes / 1e6:0.0} MB of its rows in 20 s{(broke ? ", and was BROKEN OFF" : "")}; of {beside.Good + beside.Bad} calls beside it {beside.Bad} failed, p99 {beside.P99:0.0} ms"));
        socket.Dispose();
        await UntilIdleAsync(app);
    }

    private static async Task HangUpAsync(LocalHost app)
    {
        await Task.WhenAll(Enumerable.Range(0, 30).Select(async caller =>
        {
            var random = new Random(caller);
            for (var i = 0; i < 50; i++)
            {
                var text = $"GET /api/queries/{(random.Next(2) == 0 ? "rows" : "one?n=42")} HTTP/1.1\r\nHost: localhost\r\n\r\n";
                using var socket = await SendAsync(app, random.Next(4) == 0 ? text[..random.Next(text.Length)] : text);
                if (random.Next(2) == 0)
                    await Task.Delay(random.Next(20));
                else if (text.Contains("rows", StringComparison.Ordinal))
                    await Task.WhenAny(socket.ReceiveAsync(new byte[random.Next(1, 300_000)]), Task.Delay(200));
                socket.LingerState = new LingerOption(random.Next(2) == 0, 0);
            }
        }));
        await UntilIdleAsync(app);
        var pool = app.Services.GetRequiredService<MotherDuckDataSources>().Read.State;
        Console.WriteLine($"after 1,500 hang-ups: {pool.InUse} connections in use, {pool.Waiting} requests wait (errors would stand above this line)");
    }

    private static async Task OverloadAsync(LocalHost app)
    {
        double? baseline = null;
        foreach (var regard in (bool[])[true, false])
        {
            foreach (var callers in (int[])[50, 200, 1000, 4000])
            {
                var asked = await AskAsync(app, callers, TimeSpan.FromSeconds(8), regard);
                baseline ??= asked.Rate;
                Figures.Print($"good answers, {callers} callers{(regard ? "" : " that ignore Retry-After")}", asked.Rate, "/s", baseline, $"0.9x; p50 {asked.P50:0} ms, p99 {asked.P99:0} ms, {asked.Bad} refused");
                await UntilIdleAsync(app);
            }
        }
    }

    private static async Task IdleAsync(LocalHost app, long memory)
    {
        await UntilIdleAsync(app);
        await Task.Delay(TimeSpan.FromSeconds(60));
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        Figures.Print("working set a minute after the burst, over before", (Environment.WorkingSet - memory) / 1048576.0, "MB", goal: "under 32");
    }

    private static async Task<Asked> AskAsync(LocalHost app, int callers, TimeSpan time, bool regard = true)
    {
        using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = callers, UseProxy = false }) { BaseAddress = app.BaseAddress, Timeout = TimeSpan.FromSeconds(60) };
        var took = new ConcurrentBag<double>();
        int good = 0, bad = 0;
        var start = Stopwatch.GetTimestamp();
        using var stop = new CancellationTokenSource(time);
        await Task.WhenAll(Enumerable.Range(0, callers).Select(async _ =>
        {
            while (!stop.IsCancellationRequested)
            {
                var one = Stopwatch.GetTimestamp();
                using var response = await client.GetAsync("api/queries/one?n=42");
                var answer = await response.Content.ReadAsStringAsync();
                var elapsed = Stopwatch.GetElapsedTime(one).TotalMilliseconds;
                if (response.StatusCode == HttpStatusCode.OK && answer.Contains("42", StringComparison.Ordinal))
                {
                    took.Add(elapsed);
                    if (!stop.IsCancellationRequested) // Those that were under way at the end belong to no second.
                        Interlocked.Increment(ref good);
                    continue;
                }
                Interlocked.Increment(ref bad);
                if (regard && response.Headers.RetryAfter?.Delta is { } wait)
                    await Task.Delay(wait, stop.Token).ContinueWith(static _ => { }, TaskScheduler.Default);
            }
        }));
        var sorted = took.Order().ToArray();
        return new(good, bad, good / time.TotalSeconds, At(0.5), At(0.99), At(1));

        double At(double part) => sorted.Length == 0 ? double.NaN : sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * part))];
    }

    private static async Task<Socket> SendAsync(LocalHost app, string request)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 16 * 1024 };
        await socket.ConnectAsync(IPAddress.Loopback, app.BaseAddress.Port);
        await socket.SendAsync(Encoding.ASCII.GetBytes(request));
        return socket;
    }

    private static async Task UntilIdleAsync(LocalHost app)
    {
        var pool = app.Services.GetRequiredService<MotherDuckDataSources>().Read;
        for (var start = Stopwatch.GetTimestamp(); pool.State is not { InUse: 0, Waiting: 0 }; await Task.Delay(50))
        {
            if (Stopwatch.GetElapsedTime(start) > TimeSpan.FromSeconds(30))
                throw new InvalidOperationException($"Connections or turns have leaked: {pool.State}");
        }
    }

    private sealed record Asked(int Good, int Bad, double Rate, double P50, double P99, double Longest);
}
