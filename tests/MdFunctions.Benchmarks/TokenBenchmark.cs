using System.Diagnostics;
using System.Net.Http.Headers;
using MdFunctions.Local;
using MdFunctions.Tests.Access;

namespace MdFunctions.Benchmarks;

/// <summary>One row asked for with a bearer token against one asked for with a function key: two apps in this process on one database, in turns.</summary>
public static class TokenBenchmark
{
    private const int Rounds = 5000;

    /// <summary>Measures and prints.</summary>
    public static async Task RunAsync()
    {
        await using var postgres = await PostgresServer.TryStartAsync();
        Console.WriteLine(postgres is null ? "PostgreSQL is not installed: each app has a local endpoint" : "fed by PostgreSQL");
        await using var issuer = await TokenServer.StartAsync();
        var folder = Directory.CreateTempSubdirectory("mdfunctions-benchmark-").FullName;
        Directory.CreateDirectory(Path.Combine(folder, "queries"));
        await File.WriteAllTextAsync(Path.Combine(folder, "queries", "one.sql"), "/*\nparameters:\n  id: { type: integer }\n*/\nSELECT $id AS id, 'one' AS name");
        try
        {
            (string, (string, string)[])[] queries = [("one", [("id", "INTEGER"), ("name", "VARCHAR")])];
            await using var keyed = await BenchmarkHost.StartAsync(postgres, folder, new Dictionary<string, string?>(), queries);
            await using var named = await BenchmarkHost.StartAsync(postgres, folder, issuer.Settings(("Auth:Audit", "false")), queries);
            await using var audited = await BenchmarkHost.StartAsync(postgres, folder, issuer.Settings(), queries);
            using var withKey = new HttpClient();
            withKey.DefaultRequestHeaders.Add("x-functions-key", new string('k', 56));
            using var withToken = new HttpClient();
            withToken.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", issuer.Token(("exp", DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeSeconds())));

            (string Name, HttpClient Client, LocalHost App)[] variants = [("with a key", withKey, keyed), ("with a token", withToken, named), ("with a token, and an audit line", withToken, audited)];
            var times = variants.Select(_ => new List<double>(Rounds)).ToArray();
            // Many before the first that counts: the runtime compiles what runs often again, and takes its time.
            for (var i = -10_000; i < Rounds; i++)
            {
                for (var turn = 0; turn < variants.Length; turn++)
                {
                    var which = (turn + i + 10_000) % variants.Length;
                    var start = Stopwatch.GetTimestamp();
                    using var response = await variants[which].Client.GetAsync($"{variants[which].App.BaseAddress}api/queries/one?id={i}");
                    response.EnsureSuccessStatusCode();
                    await response.Content.ReadAsByteArrayAsync();
                    if (i >= 0)
                        times[which].Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
                }
            }
            Console.WriteLine($"one row over a warm connection, median of {Rounds}");
            for (var i = 0; i < variants.Length; i++)
                Figures.Print(variants[i].Name, times[i].Median(), "us", times[0].Median(), i == 0 ? null : "1.05x");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
