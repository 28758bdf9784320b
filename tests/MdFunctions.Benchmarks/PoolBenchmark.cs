using System.Diagnostics;
using System.Globalization;

namespace MdFunctions.Benchmarks;

/// <summary>
/// Requests a second over HTTP, TLS and the PostgreSQL protocol: this app with its pool, against a connection opened for each request (MotherDuck's example
/// for Cloudflare Workers) and against node-postgres with a pool in the module (the one for Vercel). Same machine, server, query, client and pool size.
/// </summary>
public static class PoolBenchmark
{
    // A query with a parameter, as those of an API have. Without one, node-postgres would speak the simple protocol, which has no parameters at all.
    private const string Template = "/*\nsummary: An answer\nparameters:\n  n: { type: integer }\n*/\nSELECT $n AS n\n";
    private const string Sql = "SELECT CAST(CAST($1 AS VARCHAR) AS INTEGER) AS n"; // What the app makes of it.
    private const int Clients = 16;
    private const int Rounds = 5;
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(3);

    /// <summary>Measures against PostgreSQL where it is installed, then against the local endpoint, whose own work is most of what each of its requests takes.</summary>
    public static async Task RunAsync()
    {
        await using (var postgres = await PostgresServer.TryStartAsync())
        {
            if (postgres is not null)
                await RunAsync(postgres);
        }
        await RunAsync(null);
    }

    // Runs the three in turn, several rounds, and prints each one's median with minimum and maximum, and the ratios.
    private static async Task RunAsync(PostgresServer? postgres)
    {
        var templates = Directory.CreateTempSubdirectory("mdfunctions-benchmark-").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(templates, "queries"));
            await File.WriteAllTextAsync(Path.Combine(templates, "queries", "answer.sql"), Template);
            await using var app = await BenchmarkHost.StartAsync(postgres, templates, ("answer", [("n", "INTEGER")]));
            (string, string)[] connection =
            [
                ("DB_PORT", (postgres?.Port ?? app.Endpoint!.Port).ToString(CultureInfo.InvariantCulture)),
                ("DB_NAME", postgres is null ? "md:" : "postgres"),
                ("DB_CA", postgres is null ? app.Endpoint!.CaFile : ""),
                ("DB_SQL", Sql),
            ];
            using var perRequest = await NodeServer.StartAsync("pool-server.mjs", [.. connection, ("DB_POOL", "")]);
            using var module = await NodeServer.StartAsync("pool-server.mjs", [.. connection, ("DB_POOL", BenchmarkHost.PoolSize.ToString(CultureInfo.InvariantCulture))]);
            (string Name, Uri Uri, List<double> Rates)[] contenders =
            [
                ("this app, pooled data source", new Uri(app.BaseAddress, "api/queries/answer?n=42"), []),
                ("node-postgres, connection per request", new Uri($"{perRequest.Url}/?n=42"), []),
                ("node-postgres, pool in the module", new Uri($"{module.Url}/?n=42"), []),
            ];

            using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = Clients });
            foreach (var contender in contenders)
                await MeasureAsync(client, contender.Uri, TimeSpan.FromSeconds(10)); // Until the runtimes have compiled what runs often.
            for (var round = 0; round < Rounds; round++)
            {
                foreach (var contender in contenders)
                    contender.Rates.Add(await MeasureAsync(client, contender.Uri, RoundTime));
            }

            Console.WriteLine($"Requests a second on {(postgres is null ? "the local endpoint" : "PostgreSQL")}, {Clients} clients, {BenchmarkHost.PoolSize} connections, TLS, {Sql}; median [min - max] of {Rounds} rounds:");
            var ours = contenders[0].Rates.Median();
            foreach (var (name, _, rates) in contenders)
                Console.WriteLine($"  {name,-40} {rates.Median(),8:0} [{rates.Min():0} - {rates.Max():0}]   ours is {ours / rates.Median():0.00} x");
        }
        finally
        {
            Directory.Delete(templates, recursive: true);
        }
    }

    private static async Task<double> MeasureAsync(HttpClient client, Uri uri, TimeSpan time)
    {
        var count = 0;
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async _ =>
        {
            while (Stopwatch.GetElapsedTime(start) < time)
            {
                // A wrong answer must not count as a quick one.
                var answer = await client.GetStringAsync(uri);
                if (!answer.Contains("42", StringComparison.Ordinal))
                    throw new InvalidOperationException($"{uri} answered {answer}");
                Interlocked.Increment(ref count);
            }
        }));
        return count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
