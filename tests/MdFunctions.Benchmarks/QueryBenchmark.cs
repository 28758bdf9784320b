using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Local;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace MdFunctions.Benchmarks;

/// <summary>
/// A million rows of six columns as JSON over HTTP, and one row, against a bare Npgsql loop that discards what it reads, against what one would write
/// oneself in C#, and against node-postgres: all on one server, TLS throughout.
/// </summary>
public static class QueryBenchmark
{
    private const int Rows = 1_000_000;
    private const int Rounds = 5;
    private const string Sql = "SELECT id, price, name, day, paid, amount FROM benchmark_rows";

    private static readonly (string Name, string Type)[] Columns =
        [("id", "INTEGER"), ("price", "DOUBLE"), ("name", "VARCHAR"), ("day", "DATE"), ("paid", "BOOLEAN"), ("amount", "DECIMAL(18,2)")];

    /// <summary>Measures and prints.</summary>
    public static async Task RunAsync()
    {
        await using var postgres = await PostgresServer.TryStartAsync();
        Console.WriteLine(postgres is null ? "PostgreSQL is not installed: the local endpoint feeds the rows" : "fed by PostgreSQL");
        var folder = Directory.CreateTempSubdirectory("mdfunctions-benchmark-").FullName;
        Directory.CreateDirectory(Path.Combine(folder, "queries"));
        await File.WriteAllTextAsync(Path.Combine(folder, "queries", "rows.sql"), $"/* timeout: 200s */ {Sql}");
        await File.WriteAllTextAsync(Path.Combine(folder, "queries", "one.sql"), "/*\nparameters:\n  id: { type: integer }\n*/\nSELECT $id AS id, 'one' AS name");
        try
        {
            await using var host = await BenchmarkHost.StartAsync(postgres, folder, ("rows", Columns), ("one", [("id", "INTEGER"), ("name", "VARCHAR")]));
            var connectionString = postgres is null
                ? $"Host=localhost;Port={host.Endpoint!.Port};Username=postgres;Password=local;Database=md:;SSL Mode=VerifyFull;Root Certificate={host.Endpoint.CaFile};No Reset On Close=true"
                : $"Host=localhost;Port={postgres.Port};Username=postgres;Password=x;Database=postgres;SSL Mode=Require;No Reset On Close=true";
            var builder = new NpgsqlDataSourceBuilder(connectionString);
            builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
            await using var bare = builder.Build();
            await CreateRowsAsync(bare, postgres is not null);
            await using var peers = await StartPeersAsync(bare);
            using var node = postgres is null ? null : await NodeServer.StartAsync("node-postgres.mjs", ("DB_PORT", postgres.Port.ToString(CultureInfo.InvariantCulture)));
            using var client = new HttpClient { Timeout = TimeSpan.FromMinutes(5) };

            await ManyRowsAsync(bare, client, host, peers, node);
            await OneRowAsync(bare, client, host, peers);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task ManyRowsAsync(NpgsqlDataSource bare, HttpClient client, LocalHost host, WebApplication peers, NodeServer? node)
    {
        var variants = new List<(string Name, Func<Task<long>> Run)>
        {
            ("bare Npgsql: read and discard", () => DiscardAsync(bare)),
            ("this app: GET /api/queries/rows", () => GetAsync(client, $"{host.BaseAddress}api/queries/rows")),
            ("List<Dictionary<string, object>> + JsonSerializer", () => GetAsync(client, $"{peers.Urls.First()}/rows")),
        };
        if (node is not null)
            variants.Add(("node-postgres + JSON.stringify", () => GetAsync(client, $"{node.Url}/rows")));

        var seconds = variants.ToDictionary(variant => variant.Name, _ => new List<double>());
        // Until the runtime has compiled all of it at its best, which takes it a while on a busy machine.
        for (var i = 0; i < 10; i++)
        {
            await variants[0].Run();
            await variants[1].Run();
        }
        var (allocated, grown) = await MemoryAsync(variants[1].Run);
        for (var round = -1; round < Rounds; round++)
        {
            foreach (var (name, run) in variants)
            {
                GC.Collect();
                var start = Stopwatch.GetTimestamp();
                var length = await run();
                var elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
                if (length < Rows)
                    throw new InvalidOperationException($"{name} answered only {length} bytes.");
                if (round >= 0) // The first round warms the others up.
                    seconds[name].Add(elapsed);
            }
        }
        Console.WriteLine($"{Rows:N0} rows of six columns, median of {Rounds}");
        foreach (var (name, _) in variants)
            Figures.Print(name, seconds[name].Median(), "s", seconds[variants[0].Name].Median(), name.StartsWith("this app", StringComparison.Ordinal) ? "2.5x, 2.0x is the aim" : null);
        Figures.Print("this app: allocated, its HTTP client's included", allocated, "B/row", goal: "under 16");
        Figures.Print("this app: working set, the most it grew", grown, "MB", goal: "under 64");
    }

    // Before the variants that fill the process with garbage: bytes allocated a row, and megabytes that the working set grows from its smallest.
    private static async Task<(double Allocated, double Grown)> MemoryAsync(Func<Task<long>> run)
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        double grown;
        using (var memory = new PeakMemory())
        {
            for (var i = 0; i < Rounds; i++)
                await run();
            grown = memory.GrowthInMegabytes();
        }
        // A collection counts what it leaves unused of each thread's allocation context as allocated; so none is forced here.
        var bytes = GC.GetTotalAllocatedBytes(precise: true);
        for (var i = 0; i < Rounds; i++)
            await run();
        return ((GC.GetTotalAllocatedBytes(precise: true) - bytes) / (double)(Rounds * Rows), grown);
    }

    private static async Task OneRowAsync(NpgsqlDataSource bare, HttpClient client, LocalHost host, WebApplication peers)
    {
        List<double> npgsql = [], empty = [], app = [];
        // Many before the first that counts: the runtime compiles what runs often again, and takes its time.
        for (var i = -10_000; i < 5000; i++)
        {
            var a = await TimeAsync(() => OneBareAsync(bare, i));
            var b = await TimeAsync(() => GetAsync(client, $"{peers.Urls.First()}/empty"));
            var c = await TimeAsync(() => GetAsync(client, $"{host.BaseAddress}api/queries/one?id={i.ToString(CultureInfo.InvariantCulture)}"));
            if (i < 0)
                continue;
            npgsql.Add(a);
            empty.Add(b);
            app.Add(c);
        }
        Console.WriteLine("one row over a warm connection, median of 5000");
        Figures.Print("bare Npgsql", npgsql.Median(), "us");
        Figures.Print("an empty Kestrel request", empty.Median(), "us");
        Figures.Print("this app: GET /api/queries/one", app.Median(), "us", npgsql.Median() + empty.Median(), "1.25x of the two above together");
    }

    private static async Task<double> TimeAsync(Func<Task<long>> run)
    {
        var start = Stopwatch.GetTimestamp();
        await run();
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds;
    }

    private static async Task<long> DiscardAsync(NpgsqlDataSource bare)
    {
        await using var connection = await bare.OpenConnectionAsync();
        await using var command = new NpgsqlCommand(Sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        long rows = 0;
        while (await reader.ReadAsync())
            rows++;
        return rows;
    }

    private static async Task<long> OneBareAsync(NpgsqlDataSource bare, int id)
    {
        await using var connection = await bare.OpenConnectionAsync();
        await using var command = connection.Statement("SELECT CAST(CAST($1 AS VARCHAR) AS INTEGER) AS id, 'one' AS name", id.ToString(CultureInfo.InvariantCulture));
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return reader.GetString(0).Length;
    }

    private static async Task<long> GetAsync(HttpClient client, string url)
    {
        using var response = await client.GetAsync(url, HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        await using var body = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[64 * 1024];
        long length = 0;
        for (int read; (read = await body.ReadAsync(buffer)) > 0;)
            length += read;
        return length;
    }

    private static async Task CreateRowsAsync(NpgsqlDataSource source, bool isPostgres)
    {
        var numbers = isPostgres ? $"generate_series(1, {Rows}) r(i)" : $"range(1, {Rows + 1}) r(i)";
        await using var command = source.CreateCommand(
            $"CREATE TABLE benchmark_rows AS SELECT CAST(i AS INTEGER) AS id, CAST(i * 1.37 AS DOUBLE PRECISION) AS price, 'some text value ' || i AS name, " +
            $"DATE '2020-01-01' + CAST(i % 1000 AS INTEGER) AS day, i % 2 = 0 AS paid, CAST(i * 1.25 AS DECIMAL(18,2)) AS amount FROM {numbers}");
        await command.ExecuteNonQueryAsync();
    }

    // What one writes oneself, and a request that does nothing.
    private static async Task<WebApplication> StartPeersAsync(NpgsqlDataSource source)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapGet("/empty", () => Results.Ok());
        app.MapGet("/rows", async () =>
        {
            await using var connection = await source.OpenConnectionAsync();
            await using var command = new NpgsqlCommand(Sql, connection);
            await using var reader = await command.ExecuteReaderAsync();
            var rows = new List<Dictionary<string, object?>>();
            while (await reader.ReadAsync())
            {
                var row = new Dictionary<string, object?>();
                for (var i = 0; i < reader.FieldCount; i++)
                    row[reader.GetName(i)] = reader.IsDBNull(i) ? null : reader.GetValue(i);
                rows.Add(row);
            }
            return Results.Text(JsonSerializer.SerializeToUtf8Bytes(rows), "application/json");
        });
        await app.StartAsync();
        return app;
    }

    /// <summary>Watches the process's working set.</summary>
    private sealed class PeakMemory : IDisposable
    {
        private readonly Timer _timer;
        private readonly long _start = Environment.WorkingSet;
        private long _peak;

        public PeakMemory() => _timer = new Timer(_ => _peak = Math.Max(_peak, Environment.WorkingSet), null, 0, 20);

        public double GrowthInMegabytes() => Math.Max(0, _peak - _start) / (1024.0 * 1024.0);

        public void Dispose() => _timer.Dispose();
    }
}
