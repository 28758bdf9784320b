using System.Diagnostics;
using MdFunctions.Tests.Smoke;

namespace MdFunctions.Benchmarks;

/// <summary>The published app as a process of its own, from its start to its first answer, against an app with one empty function, published in the same way.</summary>
public static class StartBenchmark
{
    private const int Rounds = 15;

    /// <summary>Measures, and prints.</summary>
    public static async Task RunAsync()
    {
        using var published = await PublishedApps.PublishAsync();
        (string Name, string Folder, List<double> Times)[] apps = [("an app with one empty function", published.Empty, []), ("this app", published.App, [])];
        for (var round = -2; round < Rounds; round++)
        {
            foreach (var (_, folder, times) in apps)
            {
                var time = await StartAsync(folder);
                if (round >= 0) // The first rounds bring the files into memory.
                    times.Add(time);
            }
        }
        Console.WriteLine($"the published app, from the start of its process to its first answer, median of {Rounds}");
        foreach (var (name, _, times) in apps)
            Figures.Print(name, times.Median(), "ms", apps[0].Times.Median(), name == "this app" ? "1.2x at most" : null);
    }

    // In milliseconds.
    private static async Task<double> StartAsync(string folder)
    {
        var clock = Stopwatch.StartNew();
        await using var host = await PublishedApps.StartAsync(new ChildWorker(folder, PublishedApps.Settings), folder, PublishedApps.Settings);
        using var client = new HttpClient { BaseAddress = host.BaseAddress };
        using var response = await client.GetAsync("api/health");
        response.EnsureSuccessStatusCode();
        return clock.Elapsed.TotalMilliseconds;
    }
}
