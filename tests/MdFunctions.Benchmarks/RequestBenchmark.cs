using System.Globalization;
using MdFunctions.Endpoint;
using MdFunctions.Tests.Smoke;

namespace MdFunctions.Benchmarks;

/// <summary>What one request costs the process of the published app, apart from host and endpoint: a query of one row against an app with one empty function, published in the same way.</summary>
public static class RequestBenchmark
{
    private const int WarmUp = 15_000;
    private const int Requests = 4000;
    private const int Rounds = 7;

    /// <summary>Measures, and prints.</summary>
    public static async Task RunAsync()
    {
        using var published = await PublishedApps.PublishAsync();
        var sql = Directory.CreateTempSubdirectory("mdfunctions-benchmark-").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(sql, "queries"));
            await File.WriteAllTextAsync(Path.Combine(sql, "queries", "one.sql"), "/*\nparameters:\n  n: { type: integer }\n*/\nSELECT $n AS n, 'one' AS name");
            await File.WriteAllTextAsync(Path.Combine(sql, "queries", "kept.sql"), "/*\ncache: 1h\n*/\nSELECT 1 AS n, 'one' AS name");
            await using var endpoint = await LocalEndpoint.StartAsync();
            var settings = new Dictionary<string, string?>(PublishedApps.Settings)
            {
                ["SqlDirectory"] = sql,
                ["MotherDuck:Region"] = "",
                ["MotherDuck:Host"] = "localhost",
                ["MotherDuck:Port"] = endpoint.Port.ToString(CultureInfo.InvariantCulture),
                ["MotherDuck:RootCertificate"] = endpoint.CaFile,
            };
            var (app, one) = (new ChildWorker(published.App, settings), new ChildWorker(published.Empty, settings));
            await using var appHost = await PublishedApps.StartAsync(app, published.App, settings);
            await using var oneHost = await PublishedApps.StartAsync(one, published.Empty, settings);
            using var client = new HttpClient();
            (string Name, ChildWorker Worker, string Url, List<double> Cost)[] cases =
            [
                ("an empty function", one, $"{oneHost.BaseAddress}api/health", []),
                ("this app: a query of one row", app, $"{appHost.BaseAddress}api/queries/one?n=", []),
                ("this app: an answer from the cache", app, $"{appHost.BaseAddress}api/queries/kept", []),
            ];
            foreach (var (_, _, url, _) in cases)
                await AskAsync(client, url, WarmUp); // Until the runtime has compiled what runs often.
            for (var round = 0; round < Rounds; round++)
            {
                foreach (var (_, worker, url, cost) in cases)
                {
                    var before = worker.ProcessorTime;
                    await AskAsync(client, url, Requests);
                    cost.Add((worker.ProcessorTime - before).TotalMicroseconds / Requests);
                }
            }
            Console.WriteLine($"processor time of the app's process a request, median of {Rounds} rounds of {Requests}");
            foreach (var (name, _, _, cost) in cases)
                Figures.Print(name, cost.Median(), "us", cases[0].Cost.Median());
        }
        finally
        {
            Directory.Delete(sql, recursive: true);
        }
    }

    private static async Task AskAsync(HttpClient client, string url, int count)
    {
        for (var i = 0; i < count; i++)
        {
            using var response = await client.GetAsync(url.EndsWith('=') ? url + i.ToString(CultureInfo.InvariantCulture) : url);
            response.EnsureSuccessStatusCode();
            await response.Content.ReadAsByteArrayAsync();
        }
    }
}
