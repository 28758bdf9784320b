using System.Globalization;
using System.Net;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.MotherDuck;
using Npgsql;
using Xunit.Abstractions;

namespace MdFunctions.Tests.Loads;

/// <summary>
/// Kills the app, and the endpoint, while loads of all modes run. Each round loads a version: a target has the old version or the new one, never both, and
/// what a round did not finish is finished by asking for it again.
/// </summary>
public sealed class CrashTests(ITestOutputHelper output)
{
    private const int Rounds = 10;
    private const int Rows = 10_000;

    private static readonly string[] Loads = [.. from number in "12" from load in (string[])["replaced", "checked", "appended", "appended_checked", "merged"] select load + number];

    [Fact]
    public async Task Killing_the_app_at_any_moment_of_100_loads_loads_each_once()
    {
        await using var observer = await LoadApp.StartAsync(new Dictionary<string, string>());
        var settings = await SharedEndpoint.SettingsAsync();
        settings["Loads:Concurrency"] = "5";
        settings["Loads:LeaseDuration"] = "1s";
        settings["MotherDuck:MaxWritePoolSize"] = "8";
        var app = await AppProcess.StartAsync(Files(observer.Database), settings);
        var unfinished = 0;
        try
        {
            for (var round = 1; round <= Rounds; round++)
            {
                var asked = Loads.Select(load => PostAsync(app.Client, load, round)).ToList();
                // When some of them have ended, however fast the machine is, and a moment later.
                for (var ended = Random.Shared.Next(Loads.Length); asked.Count(load => load.IsCompleted) < ended;)
                    await Task.Delay(2);
                await Task.Delay(Random.Shared.Next(0, 30));
                await app.KillAsync();
                await Task.WhenAll(asked);
                await app.DisposeAsync();
                unfinished += await CheckAsync(sql => observer.SqlAsync(sql), round, complete: false);
                app = await AppProcess.StartAsync(Files(observer.Database), settings);
                await FinishAsync(app.Client, round);
                await CheckAsync(sql => observer.SqlAsync(sql), round, complete: true);
            }
        }
        finally
        {
            await app.DisposeAsync();
        }
        output.WriteLine($"{unfinished} of {Rounds * Loads.Length} loads were killed");
        Assert.InRange(unfinished, 10, (Rounds * Loads.Length) - 5);
        Assert.Empty(await observer.LeftoversAsync());
    }

    [Fact]
    public async Task Killing_the_endpoint_at_any_moment_of_100_loads_loads_each_once()
    {
        var data = Directory.CreateTempSubdirectory("mdfunctions-tests-").FullName;
        var token = Connections.NewToken();
        await using var endpoint = await OwnEndpoint.StartAsync(token, "--data", data);
        var settings = endpoint.Settings();
        settings["MOTHERDUCK_TOKEN"] = token;
        settings["Loads:Concurrency"] = "5";
        settings["Loads:LeaseDuration"] = "1s";
        settings["MotherDuck:MaxWritePoolSize"] = "8";
        settings["MotherDuck:ConnectTimeout"] = "1s";
        await using var app = await LocalApp.StartAsync(new MdFunctions.Local.LocalOptions { MotherDuck = true, Settings = settings }, Files("my_db"));
        var unfinished = 0;
        for (var round = 1; round <= Rounds; round++)
        {
            var asked = Loads.Select(load => PostAsync(app.Client, load, round)).ToList();
            await Task.Delay(Random.Shared.Next(0, 500));
            await endpoint.KillAsync();
            // Where its disk is, the endpoint comes back; what it had not committed is gone.
            await endpoint.StartAsync();
            await Task.WhenAll(asked);
            unfinished += await CheckAsync(SqlAsync, round, complete: false);
            await FinishAsync(app.Client, round);
            await CheckAsync(SqlAsync, round, complete: true);
        }
        output.WriteLine($"{unfinished} of {Rounds * Loads.Length} loads were killed");
        Assert.InRange(unfinished, 10, (Rounds * Loads.Length) - 5);
        Directory.Delete(data, recursive: true);

        async Task<string[]> SqlAsync(string sql)
        {
            await using var connection = new NpgsqlDataSourceBuilder(
                $"Host=localhost;Port={endpoint.Port};Username=postgres;Password={token};Database=md:;SSL Mode=VerifyFull;Root Certificate={endpoint.CaFile};Pooling=false;No Reset On Close=true;GSS Encryption Mode=Disable")
                .ConfigureTypeLoading(types => types.EnableTypeLoading(false)).Build().CreateConnection();
            await connection.OpenAsync();
            var rows = await connection.RowsAsync(sql.Replace("{db}", "my_db", StringComparison.Ordinal), [], CancellationToken.None);
            return [.. rows.Select(row => string.Join('|', row))];
        }
    }

    private static Dictionary<string, string> Files(string database)
    {
        string File(string load, string rest) => $"""
            /*
            target: {database}.main.{load}
            {rest}
            parameters:
              version: {"{"} type: integer {"}"}
            */
            SELECT $version AS version, range AS id, md5(range::VARCHAR) AS filling FROM range({Rows})
            """;
        const string check = "\ncheck: [SELECT count(*) = 10000 FROM staged, SELECT count(DISTINCT id) = 10000 FROM staged]";
        return Loads.ToDictionary(load => $"loads/{load}.sql", load => File(load, load[..^1] switch
        {
            "replaced" => "mode: replace",
            "checked" => "mode: replace" + check,
            "appended" => "mode: append",
            "appended_checked" => "mode: append" + check,
            _ => "mode: merge\nkeys: id",
        }));
    }

    private static async Task<HttpStatusCode?> PostAsync(HttpClient client, string load, int round)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, string.Create(CultureInfo.InvariantCulture, $"api/loads/{load}?version={round}"));
        request.Headers.Add("Idempotency-Key", round.ToString(CultureInfo.InvariantCulture));
        try
        {
            using var response = await client.SendAsync(request);
            return response.StatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or System.Net.Sockets.SocketException)
        {
            return null;
        }
    }

    /// <summary>Asks for a round's loads until each says that it is done.</summary>
    private static Task FinishAsync(HttpClient client, int round) => Task.WhenAll(Loads.Select(async load =>
    {
        for (var start = DateTime.UtcNow; await PostAsync(client, load, round) is var status && status != HttpStatusCode.OK;)
        {
            Assert.True(DateTime.UtcNow - start < TimeSpan.FromSeconds(20), $"{load}, round {round}: still {status}");
            await Task.Delay(100);
        }
    }));

    /// <summary>Asserts that every target and its record agree on what was loaded.</summary>
    /// <returns>How many loads of the round are not done.</returns>
    private static async Task<int> CheckAsync(Func<string, Task<string[]>> sql, int round, bool complete)
    {
        // After a first round that was killed early there may be nothing at all.
        var tables = await sql("SELECT table_name FROM duckdb_tables() WHERE database_name = '{db}'");
        var done = 0;
        foreach (var load in Loads)
        {
            var occurrences = tables.Contains("load_runs")
                ? await sql($"SELECT occurrence FROM {{db}}.md_functions.load_runs WHERE load = '{load}' AND status = 'succeeded' ORDER BY occurrence::INTEGER")
                : [];
            var versions = tables.Contains(load)
                ? await sql($"SELECT version, count(*), count(DISTINCT id), count(filling) FROM {{db}}.main.{load} GROUP BY version ORDER BY version")
                : [];
            string[] loaded = load.StartsWith("appended", StringComparison.Ordinal) ? occurrences : [.. occurrences.TakeLast(1)];
            Assert.Equal(loaded.Select(version => $"{version}|{Rows}|{Rows}|{Rows}"), versions);
            var last = occurrences.LastOrDefault() == round.ToString(CultureInfo.InvariantCulture);
            Assert.Equal(last ? round : round - 1, occurrences.Length);
            done += last ? 1 : 0;
        }
        Assert.True(!complete || done == Loads.Length);
        return Loads.Length - done;
    }
}
