using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;

namespace MdFunctions.Benchmarks;

/// <summary>What callers of one URL saw.</summary>
/// <param name="Good">Answers of status 200.</param>
/// <param name="Refused">Answers of status 503.</param>
/// <param name="Failed">All others, and calls without an answer.</param>
/// <param name="Rate">Good answers a second.</param>
/// <param name="P50">The median of a good answer's time, in milliseconds.</param>
/// <param name="P99">Its 99th percentile.</param>
/// <param name="Longest">The longest.</param>
internal sealed record Asked(int Good, int Refused, int Failed, double Rate, double P50, double P99, double Longest)
{
    /// <summary>The processor time of this process, which is not the callers', over the good answers, in microseconds: what those cost with all that was refused beside them. Over the refused ones where there is no good one.</summary>
    public double Processor { get; init; }
}

/// <summary>Callers that ask again and again, in a process of their own: what they cost is not in the app's figures, though they share its machine.</summary>
internal static class Callers
{
    /// <summary>The word on this program's command line that makes it one.</summary>
    public const string Word = "call";

    // Until all have a connection through to the worker, which costs once.
    private static readonly TimeSpan Ramp = TimeSpan.FromSeconds(3);

    /// <summary>Asks for some time, counted from some seconds after all callers have begun.</summary>
    /// <param name="url">What they ask for.</param>
    /// <param name="callers">How many there are.</param>
    /// <param name="time">How long they ask.</param>
    /// <param name="regard">Whether who is refused waits for as long as it is told.</param>
    public static async Task<Asked> AskAsync(string url, int callers, TimeSpan time, bool regard = true)
    {
        string[] arguments = [typeof(Callers).Assembly.Location, Word, url, $"{callers}", time.TotalSeconds.ToString(CultureInfo.InvariantCulture), $"{regard}"];
        using var process = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true })!;
        await process.StandardOutput.ReadLineAsync(); // They begin.
        var processor = Environment.CpuUsage.TotalTime;
        await process.StandardOutput.ReadLineAsync(); // They end.
        processor = Environment.CpuUsage.TotalTime - processor;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        var asked = JsonSerializer.Deserialize<Asked>(output) ?? throw new InvalidOperationException("The callers said nothing.");
        return asked with { Processor = processor.TotalMicroseconds / (asked.Good > 0 ? asked.Good : asked.Refused) };
    }

    /// <summary>Is the callers, and prints what they saw.</summary>
    public static async Task RunAsync(string[] arguments)
    {
        var (url, callers, seconds, regard) =
            (new Uri(arguments[0]), int.Parse(arguments[1], CultureInfo.InvariantCulture), double.Parse(arguments[2], CultureInfo.InvariantCulture), bool.Parse(arguments[3]));
        using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = callers, UseProxy = false }) { Timeout = TimeSpan.FromMinutes(2) };
        var took = new ConcurrentBag<double>();
        int good = 0, refused = 0, failed = 0, connected = 0;
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stop = new CancellationTokenSource();
        var all = Enumerable.Range(0, callers).Select(async caller =>
        {
            await Task.Delay(caller / 2); // Not all at the same moment.
            (await client.GetAsync(new Uri(url, "/api/health"))).Dispose();
            if (Interlocked.Increment(ref connected) == callers)
                start.SetResult();
            await start.Task;
            while (!stop.IsCancellationRequested)
                await AskAsync();
        }).ToList();
        await start.Task;
        await Task.Delay(Ramp);
        took.Clear();
        (good, refused) = (0, 0);
        var begun = Stopwatch.GetTimestamp();
        Console.WriteLine("begin");
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        var (rate, seen) = (good / Stopwatch.GetElapsedTime(begun).TotalSeconds, new Asked(good, refused, 0, 0, 0, 0, 0)); // Those under way belong to no second.
        Console.WriteLine("end");
        await stop.CancelAsync();
        await Task.WhenAll(all);
        var sorted = took.Order().ToArray();
        Console.WriteLine(JsonSerializer.Serialize(seen with { Failed = failed, Rate = rate, P50 = At(0.5), P99 = At(0.99), Longest = At(1) }));

        async Task AskAsync()
        {
            var one = Stopwatch.GetTimestamp();
            try
            {
                using var response = await client.GetAsync(url);
                await response.Content.CopyToAsync(Stream.Null);
                if (response.StatusCode == HttpStatusCode.OK)
                {
                    took.Add(Stopwatch.GetElapsedTime(one).TotalMilliseconds);
                    Interlocked.Increment(ref good);
                }
                else if (response.StatusCode != HttpStatusCode.ServiceUnavailable)
                {
                    Interlocked.Increment(ref failed);
                }
                else
                {
                    Interlocked.Increment(ref refused);
                    if (regard && response.Headers.RetryAfter?.Delta is { } wait)
                        await Task.Delay(wait, stop.Token).ContinueWith(static _ => { }, TaskScheduler.Default);
                }
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                Interlocked.Increment(ref failed);
            }
        }

        double At(double part) => sorted.Length == 0 ? 0 : sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * part))];
    }
}
