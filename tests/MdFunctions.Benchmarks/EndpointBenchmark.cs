using System.Diagnostics;
using MdFunctions.Endpoint;
using Npgsql;

namespace MdFunctions.Benchmarks;

/// <summary>The local endpoint in this process: how long it takes to start, what a query costs, how fast rows come, what it keeps.</summary>
public static class EndpointBenchmark
{
    private const int Rows = 1_000_000;
    private const int Queries = 4000;
    private const int Connections = 8;

    private const string Million = """
        SELECT i AS id, 'item number ' || i AS name, i * 1.25::DOUBLE AS value, (i % 100000)::DECIMAL(12,2) AS price,
               DATE '2020-01-01' + CAST(i % 2000 AS INTEGER) AS day, TIMESTAMP '2020-01-01' + to_seconds(i) AS moment
        FROM range(1000000) t(i)
        """;

    /// <summary>Measures, and prints.</summary>
    public static async Task RunAsync()
    {
        await using var first = await StartAsync("first endpoint, to its first answer");
        var others = new List<double>();
        for (var i = 0; i < 5; i++)
        {
            var clock = Stopwatch.StartNew();
            await using var another = await LocalEndpoint.StartAsync();
            others.Add(clock.Elapsed.TotalMilliseconds);
        }
        Figures.Print("another endpoint in the same process", others.Median(), "ms", goal: "<= 50");

        await using var source = Source(first);
        await using (var connection = await source.OpenConnectionAsync())
        {
            await QueriesAsync(connection, Queries / 4);
            var (processor, clock) = (Process.GetCurrentProcess().TotalProcessorTime, Stopwatch.StartNew());
            await QueriesAsync(connection, Queries);
            Figures.Print("one-row query, client included", clock.Elapsed.TotalMilliseconds / Queries, "ms");
            Figures.Print(
                "its processor time, client included",
                (Process.GetCurrentProcess().TotalProcessorTime - processor).TotalMilliseconds / Queries,
                "ms");
            var times = new List<double>();
            for (var i = 0; i < 5; i++)
                times.Add(await MillionAsync(connection));
            Figures.Print($"{Rows:N0} rows x 6 columns, read by Npgsql", times.Median(), "ms");
        }

        var all = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(async _ =>
        {
            await using var connection = await source.OpenConnectionAsync();
            await QueriesAsync(connection, Queries / Connections);
        }));
        Figures.Print($"one-row queries over {Connections} connections", Queries / all.Elapsed.TotalSeconds, "/s");
        Figures.Print("memory of this process", Environment.WorkingSet / 1e6, "MB");
    }

    private static async Task<LocalEndpoint> StartAsync(string name)
    {
        var clock = Stopwatch.StartNew();
        var endpoint = await LocalEndpoint.StartAsync();
        await using var source = Source(endpoint);
        await using var command = source.CreateCommand("SELECT 1");
        await command.ExecuteScalarAsync();
        Figures.Print(name, clock.Elapsed.TotalMilliseconds, "ms");
        return endpoint;
    }

    private static NpgsqlDataSource Source(LocalEndpoint endpoint)
    {
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = "localhost",
            Port = endpoint.Port,
            Username = "postgres",
            Password = "local",
            Database = "md:",
            SslMode = SslMode.VerifyFull,
            RootCertificate = endpoint.CaFile,
            NoResetOnClose = true,
            MaxPoolSize = Connections,
        };
        return NpgsqlDataSource.Create(settings);
    }

    private static async Task QueriesAsync(NpgsqlConnection connection, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await using var command = new NpgsqlCommand("SELECT title, score FROM sample_data.hn.hacker_news WHERE id = 30000007", connection);
            await using var reader = await command.ExecuteReaderAsync();
            await reader.ReadAsync();
        }
    }

    private static async Task<double> MillionAsync(NpgsqlConnection connection)
    {
        var clock = Stopwatch.StartNew();
        await using var command = new NpgsqlCommand(Million, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = 0;
        while (await reader.ReadAsync())
            rows++;
        return rows == Rows ? clock.Elapsed.TotalMilliseconds : throw new InvalidOperationException($"{rows} rows arrived.");
    }
}
