using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MdFunctions.Engine.Ingest;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Templates;
using MdFunctions.Local;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Benchmarks;

/// <summary>
/// Rows a second into a table: a signed webhook of thousands of rows through the app, HTTP included, against what one writes otherwise, INSERT
/// statements straight to the endpoint: a row each, or with many rows of values, MotherDuck's advice for rows that are in memory.
/// </summary>
public static class IngestBenchmark
{
    private const string Secret = "benchmark";
    private const string Table = "my_db.ingest_benchmark.events";
    private const string Template = $$"""
        /*
        target: {{Table}}
        signature: { scheme: github, secret: Benchmark }
        columns:
          id: BIGINT
          at: TIMESTAMP
          name: VARCHAR
          amount: DECIMAL(18,2)
          paid: BOOLEAN
        */
        SELECT * FROM body
        """;

    private static readonly string[] Types = ["BIGINT", "TIMESTAMP", "VARCHAR", "DECIMAL(18,2)", "BOOLEAN"];

    /// <summary>Measures and prints.</summary>
    public static async Task RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("mdfunctions-benchmark-").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(folder, "ingest"));
            await File.WriteAllTextAsync(Path.Combine(folder, "ingest", "events.sql"), Template);
            await using var host = await LocalHost.StartAsync(
                new LocalOptions
                {
                    Port = 0,
                    EndpointPort = 0,
                    Console = false,
                    LogLevel = LogLevel.Warning,
                    Settings = new Dictionary<string, string?> { ["SqlDirectory"] = folder, ["Secrets:Benchmark"] = Secret },
                },
                Console.WriteLine, CancellationToken.None);
            await MeasureAsync(host);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task MeasureAsync(LocalHost host)
    {
        using var client = new HttpClient { BaseAddress = host.BaseAddress };
        await using var connection = await host.Services.GetRequiredService<MotherDuckDataSources>().Write.OpenAsync(CancellationToken.None);

        await WebhookAsync(client, 0, 1); // The table is there, and everything is compiled.
        await PartsAsync(host, client, connection);
        await InsertAsync(connection, 0, 1);
        var results = new List<(string What, double RowsPerSecond)>
        {
            ("one INSERT a row", await RateAsync(1, rows => InsertAsync(connection, rows, 1))),
            ("INSERT, 100 rows of values", await RateAsync(100, rows => InsertAsync(connection, rows, 100))),
            ("INSERT, 1,000 rows of values", await RateAsync(1000, rows => InsertAsync(connection, rows, 1000))),
            ("INSERT, 100 rows of literals", await RateAsync(100, rows => InsertAsync(connection, rows, 100, literals: true))),
            ("INSERT, 1,000 rows of literals", await RateAsync(1000, rows => InsertAsync(connection, rows, 1000, literals: true))),
            ("webhook, 100 rows", await RateAsync(100, rows => WebhookAsync(client, rows, 100))),
            ("webhook, 1,000 rows", await RateAsync(1000, rows => WebhookAsync(client, rows, 1000))),
            ("webhook, 5,000 rows", await RateAsync(5000, rows => WebhookAsync(client, rows, 5000))),
            ("webhook, 20,000 rows", await RateAsync(20000, rows => WebhookAsync(client, rows, 20000))),
        };

        Console.WriteLine($"{"way",-31} {"rows/s",10} {"times one INSERT a row",24} {"times the best other",22}");
        var best = results.Take(5).Max(result => result.RowsPerSecond);
        foreach (var (what, rate) in results)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-31} {rate,10:N0} {rate / results[0].RowsPerSecond,24:0.0} {rate / best,22:0.0}"));
    }

    // What a body of 1,000 rows spends its time on. The host's hop is what is left.
    private static async Task PartsAsync(LocalHost host, HttpClient client, Npgsql.NpgsqlConnection connection)
    {
        const int rows = 1000;
        var ingest = host.Services.GetRequiredService<TemplateCatalog>().Ingests["events"];
        var insert = await host.Services.GetRequiredService<IngestTargets>().InsertAsync(ingest, TimeSpan.FromSeconds(30), CancellationToken.None);
        var bare = $"INSERT INTO {ingest.Target} BY NAME {ingest.Select("CAST($1 AS VARCHAR)")}";
        var body = Body(0, rows);
        var json = IngestRows.Read(ingest, body, lines: false).Json;
        (string What, Func<Task> Run)[] parts =
        [
            ("webhook, the whole", () => WebhookAsync(client, 0, rows)),
            ("reading and checking the rows", () => Task.FromResult(IngestRows.Read(ingest, body, lines: false))),
            ("the statement", () => connection.CountAsync(insert, [json], CancellationToken.None)),
            ("the statement without the look at types", () => connection.CountAsync(bare, [json], CancellationToken.None)),
            ("a statement that stores nothing of it", () => connection.CountAsync($"INSERT INTO {ingest.Target} BY NAME {ingest.Select("CAST($1 AS VARCHAR)")} WHERE false", [json], CancellationToken.None)),
        ];
        var times = parts.Select(_ => new List<double>()).ToArray();
        for (var round = 0; round < 120; round++)
        {
            for (var part = 0; part < parts.Length; part++)
            {
                var start = Stopwatch.GetTimestamp();
                await parts[part].Run();
                if (round >= 20)
                    times[part].Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        }
        for (var part = 0; part < parts.Length; part++)
            Figures.Print($"1,000 rows, {parts[part].What}", times[part].Median(), "ms", times[0].Median());
    }

    // The median of five runs of two seconds each; one after the other, as a single sender works.
    private static async Task<double> RateAsync(int rowsEach, Func<int, Task> store)
    {
        var rates = new List<double>();
        var rows = 1;
        for (var run = 0; run < 6; run++)
        {
            var start = Stopwatch.GetTimestamp();
            var before = rows;
            while (Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(2))
            {
                await store(rows);
                rows += rowsEach;
            }
            if (run > 0)
                rates.Add((rows - before) / Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return rates.Median();
    }

    private static async Task WebhookAsync(HttpClient client, int first, int rows)
    {
        var body = Body(first, rows);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/ingest/events") { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Add("X-Hub-Signature-256", "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), body)));
        using var response = await client.SendAsync(request);
        var answer = await response.Content.ReadAsStringAsync();
        if (!response.IsSuccessStatusCode || JsonSerializer.Deserialize<JsonElement>(answer).GetProperty("inserted").GetInt32() != rows)
            throw new InvalidOperationException($"The webhook of {rows} rows was answered {(int)response.StatusCode}: {answer}");
    }

    private static byte[] Body(int first, int rows) =>
        JsonSerializer.SerializeToUtf8Bytes(Enumerable.Range(first, rows).Select(i => new { id = i, at = At(i), name = Name(i), amount = Amount(i), paid = i % 2 == 0 }));

    // Values as parameters, or written into the statement, which needs care with quotes and is quicker.
    private static async Task InsertAsync(Npgsql.NpgsqlConnection connection, int first, int rows, bool literals = false)
    {
        var sql = new StringBuilder($"INSERT INTO {Table} VALUES ");
        var values = new string?[rows * Types.Length];
        for (var i = 0; i < rows; i++)
        {
            string[] row = [(first + i).ToString(CultureInfo.InvariantCulture), At(i), Name(i), Amount(i), i % 2 == 0 ? "true" : "false"];
            row.CopyTo(values, i * row.Length);
            sql.Append(i == 0 ? "(" : ", (");
            for (var column = 0; column < row.Length; column++)
            {
                var value = literals ? Sql.Literal(row[column]) : $"CAST(${i * row.Length + column + 1} AS VARCHAR)";
                sql.Append(CultureInfo.InvariantCulture, $"{(column == 0 ? "" : ", ")}CAST({value} AS {Types[column]})");
            }
            sql.Append(')');
        }
        await using var command = connection.Statement(sql.ToString(), literals ? [] : values);
        if (await command.ExecuteNonQueryAsync() != rows)
            throw new InvalidOperationException($"The INSERT of {rows} rows did not insert them.");
    }

    private static string At(int i) => $"2026-01-02T03:04:05.{i % 1_000_000:000000}";

    private static string Name(int i) => $"customer number {i}";

    private static string Amount(int i) => $"{i % 10_000}.{i % 100:00}";
}
