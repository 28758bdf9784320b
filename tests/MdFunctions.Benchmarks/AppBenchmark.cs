using System.Diagnostics;
using System.Globalization;
using MdFunctions.Endpoint;
using MdFunctions.Local;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Benchmarks;

/// <summary>An app as tests start it: the real worker in this process, on an endpoint that runs already.</summary>
public static class AppBenchmark
{
    private const int Rounds = 50;

    /// <summary>Measures, and prints.</summary>
    public static async Task RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("mdfunctions-benchmark-").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(folder, "queries"));
            await File.WriteAllTextAsync(Path.Combine(folder, "queries", "one.sql"), "SELECT 1 AS n");
            await using var endpoint = await LocalEndpoint.StartAsync(
                new() { Tokens = ["local"], CertificateAuthorityDirectory = Path.Combine(LocalHost.RepositoryRoot(), "local", ".data", "ca") });
            var options = new LocalOptions
            {
                MotherDuck = true,
                Port = 0,
                Console = false,
                LogLevel = LogLevel.Debug,
                Settings = new Dictionary<string, string?>
                {
                    ["MOTHERDUCK_TOKEN"] = "local",
                    ["MotherDuck:Host"] = "localhost",
                    ["MotherDuck:Port"] = endpoint.Port.ToString(CultureInfo.InvariantCulture),
                    ["MotherDuck:RootCertificate"] = endpoint.CaFile,
                    ["SqlDirectory"] = folder,
                    ["LOADS_HOURLY_SCHEDULE"] = "0 0 0 1 1 *",
                    ["LOADS_DAILY_SCHEDULE"] = "0 0 0 1 1 *",
                },
            };
            var (starts, stops) = (new List<double>(), new List<double>());
            for (var round = -5; round < Rounds; round++)
            {
                var clock = Stopwatch.StartNew();
                var app = await LocalHost.StartAsync(options, _ => { }, CancellationToken.None);
                var started = clock.Elapsed.TotalMilliseconds;
                await app.DisposeAsync();
                if (round < 0)
                    continue; // The first ones compile what the others use.
                starts.Add(started);
                stops.Add(clock.Elapsed.TotalMilliseconds - started);
            }
            Console.WriteLine($"an app in this process, median of {Rounds}");
            Figures.Print("its start", starts.Median(), "ms", goal: "30 ms at most");
            Figures.Print("its end", stops.Median(), "ms");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
