using System.Diagnostics;
using System.Globalization;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Local;
using MdFunctions.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace MdFunctions.Benchmarks;

/// <summary>
/// A load of 10,000,000 rows from 20 Parquet files over HTTP, against the same statement sent straight to the endpoint, and the memory that the app takes
/// meanwhile. The files are served by another process.
/// </summary>
public static class LoadBenchmark
{
    private const int Files = 20;
    private const int Runs = 5;
    private const int RowsEach = 500_000;

    /// <summary>Measures and prints.</summary>
    public static async Task RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("mdfunctions-benchmark-").FullName;
        for (var i = 0; i < Files; i++)
        {
            ParquetFile.Write(
                $"""
                SELECT {i} * {RowsEach} + range AS id, TIMESTAMP '2026-01-01' + to_seconds(range) AS at, 'customer ' || (range * 7919 % 100003) AS customer,
                  (range * 31 % 1000000 / 100)::DECIMAL(18,2) AS amount, range % 7 AS kind, random() AS score FROM range({RowsEach})
                """,
                Path.Combine(folder, $"{i}.parquet"));
        }
        using var server = await FileServer.StartAsync(folder);
        try
        {
            var url = server.Url;
            var select = $"SELECT * FROM read_parquet([{string.Join(", ", Enumerable.Range(0, Files).Select(i => $"'{url}/{i}.parquet'"))}], MD_RUN = REMOTE)";
            Directory.CreateDirectory(Path.Combine(folder, "loads"));
            await WriteAsync("replaced", "mode: replace");
            await WriteAsync("appended", "mode: append");
            await WriteAsync("checked", "mode: append\ncheck: SELECT count(*) > 0 FROM staged");
            await using var host = await LocalHost.StartAsync(
                new LocalOptions { Port = 0, EndpointPort = 0, Console = false, LogLevel = LogLevel.Warning, Settings = new Dictionary<string, string?> { ["SqlDirectory"] = folder } },
                Console.WriteLine, CancellationToken.None);
            await MeasureAsync(host, select);

            Task WriteAsync(string name, string frontMatter) =>
                File.WriteAllTextAsync(Path.Combine(folder, "loads", $"{name}.sql"), $"/*\ntarget: my_db.main.{name}\n{frontMatter}\n*/\n{select}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task MeasureAsync(LocalHost host, string select)
    {
        using var client = new HttpClient { BaseAddress = host.BaseAddress, Timeout = TimeSpan.FromMinutes(10) };
        await using var connection = await host.Services.GetRequiredService<MotherDuckDataSources>().Write.OpenAsync(CancellationToken.None);
        var straight = new List<double>();
        var straightInsert = new List<double>();
        var loads = new Dictionary<string, List<double>> { ["replaced"] = [], ["appended"] = [], ["checked"] = [] };
        long memory = 0, peak = 0, allocated = 0;
        // One after the other in each run, so that all see the same machine; the first run warms up.
        for (var run = 0; run <= Runs; run++)
        {
            await RunStatementAsync(connection, "CREATE SCHEMA IF NOT EXISTS my_db.straight");
            Add(straight, run, await TimeAsync(() => RunStatementAsync(connection, $"CREATE OR REPLACE TABLE my_db.straight.t AS {select}")));
            Add(straightInsert, run, await TimeAsync(() => RunStatementAsync(connection, $"INSERT INTO my_db.straight.t {select}")));
            foreach (var (load, times) in loads)
            {
                if (load != "replaced")
                    await RunStatementAsync(connection, $"CREATE OR REPLACE TABLE my_db.main.{load} AS FROM my_db.straight.t LIMIT 0");
                var before = GC.GetTotalAllocatedBytes(precise: true);
                var time = await TimeAsync(async () =>
                {
                    var posting = PostAsync(client, load);
                    while (!posting.IsCompleted)
                    {
                        await Task.WhenAny(posting, Task.Delay(50));
                        if (run > 0)
                            peak = Math.Max(peak, WorkingSet());
                    }
                    await posting;
                });
                Add(times, run, time);
                if (run > 0)
                    allocated = Math.Max(allocated, GC.GetTotalAllocatedBytes(precise: true) - before);
            }
            if (run == 0)
                memory = WorkingSet();
        }
        Figures.Print("10,000,000 rows, CREATE TABLE AS straight", straight.Median(), "s");
        Figures.Print("10,000,000 rows, load in mode replace", loads["replaced"].Median(), "s", straight.Median(), "1.3x");
        Figures.Print("10,000,000 rows, INSERT straight", straightInsert.Median(), "s");
        Figures.Print("10,000,000 rows, load in mode append", loads["appended"].Median(), "s", straightInsert.Median(), "1.3x");
        Figures.Print("10,000,000 rows, append with a check (staged first)", loads["checked"].Median(), "s", straightInsert.Median());
        Figures.Print("the app's memory after the first loads", memory / 1048576.0, "MiB");
        Figures.Print("the app's memory at most", peak / 1048576.0, "MiB", memory / 1048576.0);
        Figures.Print("allocated by a load at most", allocated / 1048576.0, "MiB");
    }

    private static long WorkingSet()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    private static void Add(List<double> times, int run, double time)
    {
        if (run > 0)
            times.Add(time);
    }

    private static async Task<double> TimeAsync(Func<Task> work)
    {
        var start = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static Task RunStatementAsync(NpgsqlConnection connection, string sql) => connection.ScalarAsync(sql, CancellationToken.None);

    private static async Task PostAsync(HttpClient client, string load)
    {
        using var response = await client.PostAsync($"api/loads/{load}", null);
        var answer = await response.Content.ReadAsStringAsync();
        if (!answer.Contains(string.Create(CultureInfo.InvariantCulture, $"\"rows\":{Files * RowsEach},"), StringComparison.Ordinal))
            throw new InvalidOperationException($"Load {load} was answered {(int)response.StatusCode}: {answer}");
    }
}
