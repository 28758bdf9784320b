using System.Diagnostics;
using MdFunctions.Local;

namespace MdFunctions.Benchmarks;

/// <summary>What one caller in ten whose statements fail costs the nine others: MotherDuck's code for nearly every error makes Npgsql close a connection.</summary>
public static class ErrorBenchmark
{
    private const int Rounds = 5;
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(3);

    private static readonly Dictionary<string, string> Files = new()
    {
        ["answer"] = "/*\nsummary: An answer\nparameters:\n  n: { type: integer }\n*/\nSELECT $n AS n\n",
        ["fails"] = "/*\nsummary: An error\nparameters:\n  text: { type: varchar }\n*/\nSELECT CAST($text AS INTEGER) AS n\n",
    };

    /// <summary>Measures nine callers alone, beside a tenth like them, and beside one that errs.</summary>
    public static Task RunAsync() => BenchmarkHost.WithQueriesAsync(Files, MeasureAsync);

    private static async Task MeasureAsync(LocalHost app)
    {
        using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 10 }) { BaseAddress = app.BaseAddress };
        (string Name, string? Tenth, List<double> P95, List<double> Rates)[] cases =
            [("nine callers alone", null, [], []), ("beside a tenth like them", "api/queries/answer?n=42", [], []), ("beside a tenth that errs", "api/queries/fails?text=abc", [], [])];
        await MeasureAsync(client, cases[2].Tenth, TimeSpan.FromSeconds(10)); // Until the runtimes have compiled what runs often.
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var (_, tenth, p95, rates) in cases)
            {
                var (one, rate) = await MeasureAsync(client, tenth, RoundTime);
                p95.Add(one);
                rates.Add(rate);
            }
        }
        Console.WriteLine($"p95 of nine callers of a one-row query on {BenchmarkHost.PoolSize} connections of the local endpoint; median of {Rounds} rounds:");
        foreach (var (name, _, p95, _) in cases)
            Figures.Print(name, p95.Median(), "ms", cases[0].P95.Median(), name == cases[2].Name ? "1.2x at most" : null);
        Console.WriteLine("good answers of the nine a second, in the same rounds:");
        foreach (var (name, _, _, rates) in cases)
            Figures.Print(name, rates.Median(), "/s", cases[1].Rates.Median());
    }

    // The p95 of the nine, in milliseconds, and their answers a second.
    private static async Task<(double P95, double Rate)> MeasureAsync(HttpClient client, string? tenth, TimeSpan time)
    {
        var took = new List<double>();
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, tenth is null ? 9 : 10).Select(async caller =>
        {
            while (Stopwatch.GetElapsedTime(start) < time)
            {
                var one = Stopwatch.GetTimestamp();
                using var response = await client.GetAsync(caller == 9 ? tenth : "api/queries/answer?n=42");
                var answer = await response.Content.ReadAsStringAsync();
                if (caller == 9)
                    continue;
                if (!answer.Contains("42", StringComparison.Ordinal)) // A wrong answer must not count as a quick one.
                    throw new InvalidOperationException($"answered {answer}");
                lock (took)
                    took.Add(Stopwatch.GetElapsedTime(one).TotalMilliseconds);
            }
        }));
        took.Sort();
        return (took[(int)(took.Count * 0.95)], took.Count / time.TotalSeconds);
    }
}
