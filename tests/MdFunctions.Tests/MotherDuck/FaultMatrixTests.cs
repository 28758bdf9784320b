using System.Diagnostics;
using System.Text;
using MdFunctions.Engine.Loads;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Templates;
using MdFunctions.Local;
using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.Ingest;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit.Abstractions;

namespace MdFunctions.Tests.MotherDuck;

/// <summary>
/// Each kind of work while each fault is on, all at once as in a busy app: what its caller gets, that the answer comes within the limits that the docs promise, and
/// that the next of its kind works when the fault is over.
/// </summary>
[Collection("Alone")]
public sealed class FaultMatrixTests(ITestOutputHelper output)
{
    // The limits of the work below, the time that a cancelled statement is given to end, and a busy machine.
    private static readonly TimeSpan LongestLimit = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(10);

    private static readonly Dictionary<string, string> Files = new()
    {
        ["queries/plain.sql"] = "/*\ntimeout: 2s\n*/\nSELECT 42 AS n",
        ["queries/cached.sql"] = "/*\ntimeout: 2s\ncache: 1h\nparameters:\n  n: { type: integer }\n*/\nSELECT $n AS n",
        ["loads/numbers.sql"] = "/*\ntarget: my_db.main.numbers\nmode: replace\ntimeout: 8s\n*/\nSELECT * FROM range(10)",
        ["loads/refused.sql"] = "/*\ntarget: my_db.main.refused\nmode: replace\ntimeout: 8s\ncheck: SELECT false\n*/\nSELECT 1 AS n",
        ["ingest/events.sql"] = "/*\ntarget: my_db.main.events\nsignature: { scheme: github, secret: Test }\nid: $header_x_delivery\ntimeout: 8s\ncolumns: { a: INTEGER }\n*/\nSELECT * FROM body",
        ["ingest/plain_events.sql"] = "/*\ntarget: my_db.main.plain_events\nsignature: { scheme: github, secret: Test }\ntimeout: 8s\ncolumns: { a: INTEGER }\n*/\nSELECT * FROM body",
    };

    private static readonly Dictionary<string, int> Normal = new()
    {
        ["query"] = 200,
        ["cached query"] = 200,
        ["catalog of loads"] = 200,
        ["history"] = 200,
        ["load"] = 200,
        ["ledger"] = 422,
        ["ingest"] = 200,
        ["ingest without id"] = 200,
        ["deep health"] = 200,
        ["health"] = 200,
    };

    [Theory]
    // Nothing comes through, and then it does again.
    [InlineData("silent network", "query 504 503, cached query 504 503, catalog of loads 503 504, history 503 504, load 503 504, ledger 503 504, ingest 503 504, ingest without id 503 504, deep health 503")]
    // Only the connections that were open are dead. Who only reads cannot know; who writes asks first, as the connection had rested.
    [InlineData("silent connections", "query 504, cached query 504, deep health 503")]
    [InlineData("reset", "")]
    [InlineData("endpoint killed", "query 503, cached query 503, catalog of loads 503, history 503, load 503, ledger 503, ingest 503, ingest without id 503, deep health 503")]
    [InlineData("slow login", "")]
    public async Task Every_kind_of_work_ends_in_time_and_works_again(string fault, string allowed)
    {
        var token = Connections.NewToken();
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        await using var network = new SilentProxy(endpoint.Port);
        var settings = endpoint.Settings(network.Port);
        (settings["MOTHERDUCK_TOKEN"], settings["Secrets:Test"], settings["MotherDuck:ConnectTimeout"], settings["Loads:LeaseDuration"]) = (token, Webhook.Secret, "2s", "3s");
        (settings["MotherDuck:MaxPoolSize"], settings["MotherDuck:MaxWritePoolSize"]) = ("4", "6");
        await using var app = await LocalApp.StartAsync(new LocalOptions { MotherDuck = true, Settings = settings }, Files);
        foreach (var (kind, answer) in await AllAsync(app))
            Assert.True(answer.Status == Normal[kind], $"before the fault, {kind}: {answer}");
        await Task.Delay(TimeSpan.FromSeconds(1.5)); // Idle connections have rested.

        var over = await StartAsync(fault, network, endpoint);
        var exceptions = allowed.Split(", ", StringSplitOptions.RemoveEmptyEntries).Select(one => one.Split(' '))
            .ToDictionary(words => string.Join(' ', words.TakeWhile(word => !char.IsDigit(word[0]))), words => words.Where(word => char.IsDigit(word[0])).Select(int.Parse).ToList());
        var answers = await AllAsync(app);
        foreach (var (kind, answer) in answers)
            output.WriteLine($"{kind}: {answer}");
        await over;
        if (fault == "endpoint killed")
            Assert.Equal(200, (await AskAsync(app, "health")).Status);

        // What was not asked for a second time works all the same, each at its first try.
        foreach (var (kind, next) in await AllAsync(app))
        {
            output.WriteLine($"then {kind}: {next}");
            Assert.True(next.Status == Normal[kind], $"after the fault, {kind}: {next}");
        }
        // The run that failed after the fault is in the ledger: its row is stored though its own transaction was undone.
        var row = (await app.GetJsonAsync("api/loads/refused/runs?limit=1")).GetProperty("runs")[0];
        Assert.Equal("failed", row.GetProperty("status").GetString());
        Assert.Contains("check", row.GetProperty("error").GetString(), StringComparison.Ordinal);
        foreach (var (kind, answer) in answers)
        {
            Assert.True(answer.Status == Normal[kind] || exceptions.GetValueOrDefault(kind)?.Contains(answer.Status) == true, $"{kind}: {answer}");
            Assert.True(answer.Took < LongestLimit + Margin, $"{kind} took {answer.Took}");
        }
        // Nothing hangs on: no place is taken, nobody waits.
        foreach (var pool in (string[])["read", "write"])
        {
            var connections = (await app.GetJsonAsync("api/health")).GetProperty(pool).GetProperty("connections");
            Assert.Equal((0, 0), (connections.GetProperty("inUse").GetInt32(), connections.GetProperty("waiting").GetInt32()));
        }
    }

    [Theory]
    [InlineData("silent")]
    [InlineData("refused")]
    [InlineData("reset")]
    [InlineData("slow")]
    public async Task Token_and_secret_of_a_faulty_vault_end_in_time_and_work_again(string fault)
    {
        var token = Connections.NewToken();
        await using var vault = await KeyVaultServer.StartAsync();
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        vault.Set("motherduck-token", token);
        vault.Set("Test", Webhook.Secret);
        var services = vault.Services;
        if (fault == "refused")
            await vault.GoDownAsync();
        vault.Resets = fault == "reset";
        vault.Delay = fault switch { "silent" => TimeSpan.FromMinutes(2), "slow" => TimeSpan.FromSeconds(1), _ => TimeSpan.Zero };
        var settings = endpoint.Settings();
        foreach (var (key, value) in vault.Settings())
            settings[key] = value;
        (settings["MotherDuck:ConnectTimeout"], settings["MotherDuck:WarmUp"]) = ("2s", "false");
        await using var app = await LocalApp.StartAsync(new LocalOptions { MotherDuck = true, Settings = settings, Services = services }, Files);

        var asked = await Task.WhenAll(((string[])["query", "deep health", "ingest", "health"]).Select(async kind => (kind, answer: await AskAsync(app, kind))));
        foreach (var (kind, answer) in asked)
        {
            output.WriteLine($"{kind}: {answer}");
            // A sender waits for its ingest's 8 s, not longer: 408 as its body was not taken, 503 where the vault had answered.
            Assert.Contains(answer.Status, kind == "health" ? (int[])[200] : fault == "slow" ? [200, 503] : [503, 408]);
            Assert.True(answer.Took < LongestLimit + Margin, $"{kind} took {answer.Took}");
        }
        if (fault == "refused")
            await vault.ComeBackAsync();
        (vault.Delay, vault.Resets) = (TimeSpan.Zero, false);
        // A call of the vault that hangs is given up after a while (Azure's client tries again itself), and asking anew waits some seconds.
        foreach (var kind in (string[])["query", "ingest", "deep health"])
        {
            var last = default(Answered);
            for (var start = Stopwatch.GetTimestamp(); last?.Status != 200; last = await AskAsync(app, kind))
                Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(45), $"after the fault, {kind}: {last}");
        }
    }

    [Theory]
    [InlineData("silent network")]
    [InlineData("silent connections")]
    [InlineData("reset")]
    [InlineData("endpoint killed")]
    [InlineData("slow login")]
    public async Task A_lease_survives_each_fault_while_its_load_runs(string fault)
    {
        var token = Connections.NewToken();
        // What it knew outlives it, as at MotherDuck.
        var data = Directory.CreateTempSubdirectory("mdfunctions-tests-").FullName;
        await using var endpoint = await OwnEndpoint.StartAsync(token, "--data", data);
        await using var network = new SilentProxy(endpoint.Port);
        var settings = endpoint.Settings(network.Port);
        (settings["MOTHERDUCK_TOKEN"], settings["MotherDuck:ConnectTimeout"]) = (token, "2s");
        await using var app = await LocalApp.StartAsync(new LocalOptions { MotherDuck = true, Settings = settings }, Files);
        Assert.Equal(200, (await AskAsync(app, "load")).Status);
        var pools = app.Host.Services.GetRequiredService<MotherDuckDataSources>();
        var load = app.Host.Services.GetRequiredService<TemplateCatalog>().Loads["numbers"];
        var duration = TimeSpan.FromSeconds(9); // Renewed after three.
        await using var direct = new NpgsqlDataSourceBuilder(
            $"Host=localhost;Port={endpoint.Port};Username=postgres;Password={token};Database=md:;SSL Mode=VerifyFull;Root Certificate={endpoint.CaFile};Pooling=false;GSS Encryption Mode=Disable")
            .ConfigureTypeLoading(types => types.EnableTypeLoading(false)).Build();
        await using var lease = (await TakeAsync("mine"))!;
        lease.Hold();
        var over = await StartAsync(fault, network, endpoint);
        for (var second = 0; second < 14; second++)
        {
            await Task.Delay(TimeSpan.FromSeconds(1));
            // While the endpoint is down, nobody can take anything.
            if (fault != "endpoint killed" || over.IsCompleted)
                Assert.True(await TakeAsync("another") is null, $"lost after {second} s");
        }
        await over;
        Directory.Delete(data, recursive: true);

        // Another instance of the app, with its own way to the endpoint.
        async Task<LoadLease?> TakeAsync(string occurrence)
        {
            await using var another = await direct.OpenConnectionAsync();
            return await LoadLease.TryTakeAsync(
                pools, another, new LoadRequest(load, occurrence, "http", DateTimeOffset.UtcNow, []), duration, NullLogger.Instance, CancellationToken.None);
        }
    }

    // Begins a fault; the task ends with it.
    private static async Task<Task> StartAsync(string fault, SilentProxy network, OwnEndpoint endpoint)
    {
        switch (fault)
        {
            case "silent network":
                network.LoseNewConnections(true);
                network.ForgetConnections();
                return AfterAsync(3, () => Done(() => network.LoseNewConnections(false)));
            case "silent connections":
                network.ForgetConnections();
                return Task.CompletedTask;
            case "reset":
                network.ResetConnections();
                return Task.CompletedTask;
            case "endpoint killed":
                await endpoint.KillAsync();
                return AfterAsync(1, endpoint.StartAsync);
            default:
                network.Delay = TimeSpan.FromSeconds(1);
                network.ResetConnections();
                return AfterAsync(3, () => Done(() => network.Delay = TimeSpan.Zero));
        }
    }

    private static Task Done(Action action)
    {
        action();
        return Task.CompletedTask;
    }

    private static async Task AfterAsync(double seconds, Func<Task> action)
    {
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        await action();
    }

    private static async Task<List<(string Kind, Answered Answer)>> AllAsync(LocalApp app) =>
        [.. await Task.WhenAll(Normal.Keys.Select(async kind => (kind, await AskAsync(app, kind))))];

    private static async Task<Answered> AskAsync(LocalApp app, string kind)
    {
        var start = Stopwatch.GetTimestamp();
        using var response = await (kind switch
        {
            "query" => app.Client.GetAsync("api/queries/plain"),
            "cached query" => app.Client.GetAsync($"api/queries/cached?n={Random.Shared.Next()}"),
            "catalog of loads" => app.Client.GetAsync("api/loads"),
            "history" => app.Client.GetAsync("api/loads/numbers/runs"),
            "load" => app.Client.PostAsync("api/loads/numbers", null),
            "ledger" => app.Client.PostAsync("api/loads/refused", null), // Its failure is written down.
            "ingest" => app.Client.SendAsync(Webhook.Request(Encoding.UTF8.GetBytes("""{"a": 1}"""), Guid.NewGuid().ToString())),
            "ingest without id" => app.Client.SendAsync(Webhook.Request(Encoding.UTF8.GetBytes("""{"a": 1}"""), path: "/api/ingest/plain_events")),
            "deep health" => app.Client.GetAsync("api/health?deep=true"),
            _ => app.Client.GetAsync("api/health"),
        });
        return new((int)response.StatusCode, Stopwatch.GetElapsedTime(start), await response.Content.ReadAsStringAsync());
    }

    private sealed record Answered(int Status, TimeSpan Took, string Body);
}
