using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Local;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Benchmarks;

/// <summary>
/// What slow readers, hang-ups and overload cost those who behave: ratios of one run. Callers, app and endpoint share this machine, so that a refused caller's own work
/// is in what is left for others too.
/// </summary>
public static class PressureBenchmark
{
    private static readonly Dictionary<string, string> Files = new()
    {
        ["one"] = "/*\nparameters:\n  n: { type: integer }\n*/\nSELECT $n AS n",
        ["rows"] = "/* timeout: 200s */ SELECT i, 'some text that takes a little room ' || i AS t FROM range(2000000) r(i)",
    };

    private const int Rounds = 3;
    private static readonly ErrorLines Errors = new();

    /// <summary>Measures and prints.</summary>
    public static Task RunAsync() => WithAppAsync(MeasureAsync);

    /// <summary>The part of it that is about overload.</summary>
    public static Task RunOverloadAsync() => WithAppAsync(OverloadAsync);

    // The endpoint's memory and processor time are not the app's.
    private static async Task WithAppAsync(Func<LocalHost, Task> measure)
    {
        using var endpoint = await EndpointProgram.StartAsync();
        await BenchmarkHost.WithQueriesAsync(Files, async app =>
        {
            await AskAsync(app, 50, TimeSpan.FromSeconds(20)); // Until the runtime has compiled what runs often.
            await measure(app);
        }, Errors, BenchmarkHost.OtherProcess(endpoint.Port));
    }

    private static async Task MeasureAsync(LocalHost app)
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        var (memory, open) = (Environment.WorkingSet, OpenFiles());
        await StalledAsync(app);
        await SlowAsync(app);
        await HangUpAsync(app);
        await OverloadAsync(app);
        await IdleAsync(app, memory, open);
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
            Figures.Print($"  beside {count} readers that have stopped", beside.P99, "ms", alone.P99, $"3x at most; {beside.Failed + beside.Refused} failed, the longest took {beside.Longest:0} ms");
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
        Console.WriteLine(FormattableString.Invariant($"a reader at 1 MB/s got {bytes / 1e6:0.0} MB of its rows in 20 s{(broke ? ", and was BROKEN OFF" : "")}; of {beside.Good + beside.Failed + beside.Refused} calls beside it {beside.Failed + beside.Refused} failed, p99 {beside.P99:0.0} ms"));
        socket.Dispose();
        await UntilIdleAsync(app);
    }

    private static async Task HangUpAsync(LocalHost app)
    {
        var errors = Errors.Count; // The host calls it a failure where the app broke an answer off.
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
        Console.WriteLine($"after 1,500 hang-ups: {pool.InUse} connections in use, {pool.Waiting} requests wait, {Errors.Count - errors} error lines");
    }

    // Rounds in turn, and their medians: a machine may be another one a minute later.
    private static async Task OverloadAsync(LocalHost app)
    {
        (bool Regard, int Callers)[] kinds = [.. ((bool[])[true, false]).SelectMany(regard => ((int[])[50, 200, 1000, 4000]).Select(callers => (regard, callers)))];
        var asked = kinds.ToDictionary(kind => kind, _ => new List<Asked>());
        for (var round = -1; round < Rounds; round++)
        {
            foreach (var kind in kinds)
            {
                var one = await AskAsync(app, kind.Callers, TimeSpan.FromSeconds(5), kind.Regard);
                if (round >= 0) // In the first the runtime compiles what only many callers use.
                    asked[kind].Add(one);
                await UntilIdleAsync(app);
            }
        }
        foreach (var (kind, rounds) in asked)
        {
            var few = asked[kind with { Callers = 50 }];
            var label = $"good answers, {kind.Callers} callers{(kind.Regard ? "" : " that ignore Retry-After")}";
            Figures.Print(label, Median(rounds, one => one.Rate), "/s", Median(few, one => one.Rate), $"0.9x; p50 {Median(rounds, one => one.P50):0} ms, p99 {Median(rounds, one => one.P99):0} ms, {rounds.Sum(one => one.Refused)} refused, {rounds.Sum(one => one.Failed)} failed");
            Figures.Print("  processor time of the app and the host for each", Median(rounds, one => one.Processor), "us", Median(few, one => one.Processor), "1.1x");
        }

        static double Median(List<Asked> rounds, Func<Asked, double> of) => rounds.Select(of).Median();
    }

    private static async Task IdleAsync(LocalHost app, long memory, int open)
    {
        await UntilIdleAsync(app);
        await Task.Delay(TimeSpan.FromSeconds(60));
        Figures.Print("working set a minute after the burst, over before", (Environment.WorkingSet - memory) / 1048576.0, "MB", goal: "under 32");
        if (OperatingSystem.IsLinux())
            Console.WriteLine($"files and sockets open: {open} before, {OpenFiles()} now");
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        Figures.Print("  after a collection by hand", (Environment.WorkingSet - memory) / 1048576.0, "MB", goal: "what is not garbage");
    }

    private static int OpenFiles() => OperatingSystem.IsLinux() ? Directory.GetFileSystemEntries("/proc/self/fd").Length : 0;

    private static Task<Asked> AskAsync(LocalHost app, int callers, TimeSpan time, bool regard = true) =>
        Callers.AskAsync($"{app.BaseAddress}api/queries/one?n=42", callers, time, regard);

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

    /// <summary>Counts log lines of level Error and above, and prints the first.</summary>
    private sealed class ErrorLines : ILoggerProvider, ILogger
    {
        private int _count;

        public int Count => _count;

        public ILogger CreateLogger(string categoryName) => this;

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel) && Interlocked.Increment(ref _count) <= 3)
                Console.WriteLine($"{logLevel}: {formatter(state, exception)} {exception?.InnerException?.Message}");
        }
    }
}
