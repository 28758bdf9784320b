using System.Diagnostics;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Xunit.Abstractions;

namespace MdFunctions.Tests.MotherDuck;

/// <summary>What happens to fifty clients while something fails.</summary>
[Collection("Alone")]
public sealed class OutageTests(ITestOutputHelper output)
{
    private const int Clients = 50;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_rotated_token_costs_no_request(bool vaultFirst)
    {
        var (old, @new) = (Connections.NewToken(), Connections.NewToken());
        await using var vault = await KeyVaultServer.StartAsync();
        await using var endpoint = await OwnEndpoint.StartAsync(old);
        vault.Set("motherduck-token", old);
        // Connections live for a second, so that there are logins all the time.
        await using var app = await Connections.AppAsync(endpoint, vault, new Dictionary<string, string?> { ["MotherDuck:ConnectionLifetime"] = "1s" });
        await app.GetJsonAsync("api/queries/answer");

        var version = "";
        var asked = await Connections.AskAsync(app, Clients, async () =>
        {
            await Task.Delay(TimeSpan.FromSeconds(1.5));
            if (vaultFirst)
            {
                version = vault.Set("motherduck-token", @new);
                await Task.Delay(TimeSpan.FromSeconds(0.2));
                endpoint.Accept(@new);
            }
            else
            {
                endpoint.Accept(old, @new);
                version = vault.Set("motherduck-token", @new);
                endpoint.Accept(@new);
            }
            await Task.Delay(TimeSpan.FromSeconds(2.5));
        });

        output.WriteLine($"{asked.Count} requests, {asked.Count(request => !request.Ok)} failed, the longest took {asked.Max(request => request.Took).TotalMilliseconds:0} ms");
        Assert.True(asked.Count > 300, $"only {asked.Count} requests");
        Assert.All(asked, request => Assert.True(request.Ok, request.Answer));
        Assert.Equal(version, app.Host.Services.GetRequiredService<MotherDuckDataSources>().Read.Token.Current?.Version);
        Assert.Equal(2, vault.Reads);
    }

    [Fact]
    public async Task Old_connections_live_out_after_a_rotation()
    {
        var (old, @new) = (Connections.NewToken(), Connections.NewToken());
        await using var vault = await KeyVaultServer.StartAsync();
        await using var endpoint = await OwnEndpoint.StartAsync(old);
        vault.Set("motherduck-token", old);
        await using var app = await Connections.AppAsync(endpoint, vault);
        await app.GetJsonAsync("api/queries/answer");
        endpoint.Accept(@new);
        vault.Set("motherduck-token", @new);
        await app.GetJsonAsync("api/queries/answer"); // On the connection that is open.
        Assert.Equal(1, vault.Reads);
        var asked = await Connections.AskAsync(app, 10, () => Task.Delay(300)); // More connections than that one: they log in anew.
        Assert.All(asked, request => Assert.True(request.Ok, request.Answer));
        Assert.Equal(2, vault.Reads);
    }

    [Fact]
    public async Task Requests_go_on_when_the_vault_is_gone_for_good()
    {
        var token = Connections.NewToken();
        await using var vault = await KeyVaultServer.StartAsync();
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        vault.Set("motherduck-token", token);
        await using var app = await Connections.AppAsync(endpoint, vault, Connections.NewEachSecond);
        await app.GetJsonAsync("api/queries/answer");
        await vault.GoDownAsync();

        var asked = await Connections.AskAsync(app, Clients, () => Task.Delay(TimeSpan.FromSeconds(4)));
        Assert.True(asked.Count > 300, $"only {asked.Count} requests");
        Assert.All(asked, request => Assert.True(request.Ok, request.Answer));
        Assert.True(asked.Max(request => request.Took) < TimeSpan.FromSeconds(2), "a request waited for the vault");
        Assert.True((await app.GetJsonAsync("api/health")).GetProperty("read").GetProperty("tokenReadFails").GetBoolean());
        Assert.Contains(app.Logs.All, line => line.Contains("stays in use", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Requests_recover_each_time_that_the_endpoint_is_back()
    {
        var token = Connections.NewToken();
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        await using var app = await Connections.AppAsync(endpoint, settings: new Dictionary<string, string?> { ["MOTHERDUCK_TOKEN"] = token });
        await app.GetJsonAsync("api/queries/answer");

        var up = new List<(long From, long To)>();
        var since = Stopwatch.GetTimestamp();
        var asked = await Connections.AskAsync(app, Clients, async () =>
        {
            for (var i = 0; i < 5; i++)
            {
                await Task.Delay(TimeSpan.FromSeconds(1.5));
                up.Add((since, Stopwatch.GetTimestamp()));
                await endpoint.KillAsync();
                await Task.Delay(TimeSpan.FromSeconds(0.3));
                await endpoint.StartAsync();
                since = Stopwatch.GetTimestamp();
            }
            await Task.Delay(TimeSpan.FromSeconds(1.5));
            up.Add((since, Stopwatch.GetTimestamp()));
        });

        foreach (var (from, to) in up.Skip(1))
        {
            var first = asked.Where(request => request.Ok && request.End > from).Min(request => Stopwatch.GetElapsedTime(from, request.End));
            output.WriteLine($"first answer {first.TotalMilliseconds:0} ms after the endpoint's return");
            Assert.True(first < TimeSpan.FromSeconds(1), $"{first}");
            Assert.All(asked.Where(request => request.Start > from + Stopwatch.Frequency && request.End < to), request => Assert.True(request.Ok, request.Answer));
        }
        output.WriteLine($"{asked.Count} requests, {asked.Count(request => !request.Ok)} of them refused while it was away");
        Assert.All(asked.Where(request => !request.Ok), request => Assert.StartsWith("503", request.Answer, StringComparison.Ordinal));
        var pool = app.Host.Services.GetRequiredService<MotherDuckDataSources>().Read;
        await Connections.EventuallyAsync(() => pool.State is { InUse: 0, Waiting: 0 }, "all connections returned");
        Assert.InRange(pool.State.Idle, 1, 4);
        Assert.Equal(pool.State.Idle, Connections.SocketsTo(endpoint.Port));
    }

    [Fact]
    public async Task A_broken_pooled_connection_costs_no_request()
    {
        var token = Connections.NewToken();
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        await using var app = await Connections.AppAsync(endpoint, settings: new Dictionary<string, string?> { ["MOTHERDUCK_TOKEN"] = token });
        for (var i = 0; i < 3; i++)
        {
            await Connections.AskAsync(app, 10, () => Task.Delay(300));
            await endpoint.KillAsync();
            await endpoint.StartAsync();
            // The pool does not know yet that its connections are dead. Each request finds that out and answers all the same.
            var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => app.GetJsonAsync("api/queries/answer")));
            Assert.Equal(16, answers.Length);
        }
        await endpoint.KillAsync();
        await endpoint.StartAsync();
        Assert.Equal("ok", (await app.GetJsonAsync("api/health?deep=true")).GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_refused_statement_costs_no_connection()
    {
        Assert.True(StatementErrors.KeepConnections(), "this version of Npgsql keeps its list of fatal codes elsewhere: each error closes its connection");
        var token = Connections.NewToken();
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        await using var network = new SilentProxy(endpoint.Port);
        var settings = endpoint.Settings(network.Port);
        (settings["MOTHERDUCK_TOKEN"], settings["MotherDuck:MaxPoolSize"]) = (token, "2");
        await using var app = await LocalApp.StartAsync(
            new MdFunctions.Local.LocalOptions { MotherDuck = true, Settings = settings },
            new Dictionary<string, string>(Connections.Files) { ["queries/fails.sql"] = "/*\nparameters:\n  text: { type: varchar }\n*/\nSELECT CAST($text AS INTEGER) AS n" });
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => app.GetJsonAsync("api/queries/answer")));
        for (var i = 0; i < 20; i++)
        {
            using var refused = await app.Client.GetAsync("api/queries/fails?text=abc");
            await refused.ProblemAsync(502);
            await app.GetJsonAsync("api/queries/answer");
        }
        Assert.InRange(network.Accepted, 1, 2);
    }

    [Theory]
    [InlineData("Conversion Error: x", true)]
    [InlineData("INTERNAL Error: x", false)]
    [InlineData("FATAL Error: x", false)]
    [InlineData("the server is going down", false)]
    public void A_connection_is_kept_after_DuckDB_s_own_errors_that_leave_it_alive(string message, bool harmless) =>
        Assert.Equal(harmless, StatementErrors.IsHarmless(new Npgsql.PostgresException(message, "ERROR", "ERROR", "XX000")));

    [Fact]
    public async Task Connections_that_a_firewall_forgot_fail_in_time_and_are_not_used_again()
    {
        var token = Connections.NewToken();
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        await using var network = new SilentProxy(endpoint.Port);
        await using var app = await Connections.AppAsync(endpoint, settings: new Dictionary<string, string?> { ["MOTHERDUCK_TOKEN"] = token }, port: network.Port);
        await Connections.AskAsync(app, Clients, () => Task.Delay(500), "api/queries/quick");
        network.ForgetConnections();

        // A request on a dead connection ends at its limit of 2 s and what its cancellation takes.
        var start = Stopwatch.GetTimestamp();
        using (var response = await app.Client.GetAsync("api/queries/quick"))
            await response.ProblemAsync(504);
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 1.9, 4);
        // The other dead connections went with it.
        start = Stopwatch.GetTimestamp();
        await app.GetJsonAsync("api/queries/quick");
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 1);

        network.ForgetConnections();
        var asked = await Connections.AskAsync(app, Clients, () => Task.Delay(TimeSpan.FromSeconds(6)), "api/queries/quick");
        output.WriteLine($"{asked.Count} requests, {asked.Count(request => !request.Ok)} failed, the longest took {asked.Max(request => request.Took).TotalSeconds:0.0} s");
        Assert.All(asked, request => Assert.True(request.Took < TimeSpan.FromSeconds(4), $"{request.Took}"));
        var failed = asked.Count(request => !request.Ok);
        Assert.True(failed <= Clients, $"{failed} requests failed");
        Assert.All(asked.OrderBy(request => request.Start).TakeLast(asked.Count / 2), request => Assert.True(request.Ok, request.Answer));
        Assert.InRange(network.Open, 1, 4);
    }

    [Fact]
    public async Task Each_of_four_queries_that_the_network_swallows_ends_at_its_limit_and_gives_its_place_back()
    {
        var token = Connections.NewToken();
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        await using var network = new SilentProxy(endpoint.Port);
        var settings = endpoint.Settings(network.Port);
        (settings["MOTHERDUCK_TOKEN"], settings["MotherDuck:MaxPoolSize"]) = (token, "4");
        await using var app = await LocalApp.StartAsync(
            new MdFunctions.Local.LocalOptions { MotherDuck = true, Settings = settings },
            new Dictionary<string, string>(Connections.Files) { ["queries/long.sql"] = "/*\ntimeout: 3s\n*/\nSELECT sum(a.range * b.range) AS s FROM range(1000000) a, range(10000000) b" });
        var pool = app.Host.Services.GetRequiredService<MotherDuckDataSources>().Read;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => app.GetJsonAsync("api/queries/answer")));
        var asked = Enumerable.Range(0, 4).Select(_ => app.Client.GetAsync("api/queries/long")).ToList();
        await Connections.EventuallyAsync(() => pool.State.InUse == 4 && network.Open == 4, "all four run");
        await Task.Delay(500); // Their statements are sent.
        // Neither an answer nor a request to cancel comes through.
        network.LoseNewConnections(true);
        network.ForgetConnections();
        foreach (var response in await Task.WhenAll(asked))
        {
            Assert.Equal("Query timed out", (await response.ProblemAsync(504)).GetProperty("title").GetString());
            response.Dispose();
        }
        Assert.Equal((0, 0), (pool.State.InUse, pool.State.Waiting));
        Assert.Equal(4, app.Logs.All.Count(line => line.Contains("the connection is given up", StringComparison.Ordinal)));
        network.LoseNewConnections(false);
        // All four places are good again, at once.
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => app.GetJsonAsync("api/queries/answer")));
        await Connections.EventuallyAsync(() => network.Open <= 4, "what hung was closed", seconds: 30);
    }

    [Fact]
    public async Task A_network_that_swallows_everything_does_not_outlast_a_request_s_limit()
    {
        var token = Connections.NewToken();
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        await using var network = new SilentProxy(endpoint.Port);
        await using var app = await Connections.AppAsync(
            endpoint, settings: new Dictionary<string, string?> { ["MOTHERDUCK_TOKEN"] = token, ["MotherDuck:ConnectTimeout"] = "3s" }, port: network.Port);
        await app.GetJsonAsync("api/queries/quick");
        network.LoseNewConnections(true);
        network.ForgetConnections();

        var start = Stopwatch.GetTimestamp();
        using (var response = await app.Client.GetAsync("api/queries/quick"))
            await response.ProblemAsync(504);
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 1.9, 4);
        // A login hangs in its TLS handshake, which has no limit of Npgsql's.
        start = Stopwatch.GetTimestamp();
        using (var response = await app.Client.GetAsync("api/queries/answer"))
        {
            var problem = await response.ProblemAsync(503);
            Assert.Contains("no connection in time", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 2.9, 5);

        network.LoseNewConnections(false);
        await app.GetJsonAsync("api/queries/quick");
        await Connections.EventuallyAsync(() => network.Open == 1, "what hung was closed", seconds: 20);
    }
}
