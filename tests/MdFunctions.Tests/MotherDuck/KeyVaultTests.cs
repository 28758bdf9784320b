using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.Ingest;
using Microsoft.Extensions.DependencyInjection;

namespace MdFunctions.Tests.MotherDuck;

public sealed class KeyVaultTests
{
    private static readonly Dictionary<string, string?> Quiet = new() { ["MotherDuck:WarmUp"] = "false" };

    [Fact]
    public async Task The_token_comes_from_the_vault_by_the_app_s_own_identity()
    {
        var token = Connections.NewToken();
        await using var vault = await KeyVaultServer.StartAsync(clientId: "6f8e0c2a-0000-4000-8000-000000000001");
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        var version = vault.Set("motherduck-token", token);

        await using var app = await Connections.AppAsync(endpoint, vault, Quiet);
        await app.GetJsonAsync("api/queries/answer");
        await app.GetJsonAsync("api/queries/answer");

        Assert.True(KeyVaultServer.Challenges > 0);
        Assert.Equal(1, vault.Reads);
        Assert.Contains(app.Logs.All, line => line.Contains(version, StringComparison.Ordinal));
        var health = await app.GetJsonAsync("api/health");
        Assert.InRange(health.GetProperty("read").GetProperty("tokenAgeSeconds").GetDouble(), 0, 60);
    }

    [Fact]
    public async Task The_pool_is_opened_before_the_first_request_and_runs_no_query()
    {
        var token = Connections.NewToken();
        await using var vault = await KeyVaultServer.StartAsync();
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        vault.Set("motherduck-token", token);

        await using var app = await Connections.AppAsync(endpoint, vault);
        var pool = app.Host.Services.GetRequiredService<MotherDuckDataSources>();
        await Connections.EventuallyAsync(() => pool.Read.State is { Idle: 1, InUse: 0 }, "an idle connection");
        Assert.Equal(new PoolState(0, 0, 0, 4), pool.Write.State);
        Assert.DoesNotContain(app.Logs.All, line => line.Contains("SELECT", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Queries_use_the_read_token_and_loads_the_read_write_one()
    {
        var (write, read) = (Connections.NewToken(), Connections.NewToken());
        await using var vault = await KeyVaultServer.StartAsync();
        await using var endpoint = await OwnEndpoint.StartAsync(write, "--read-only-token", read);
        vault.Set("motherduck-token", write);
        vault.Set("motherduck-read", read);

        await using var app = await Connections.AppAsync(endpoint, vault, new Dictionary<string, string?> { ["MotherDuck:ReadTokenSecret"] = "motherduck-read" });
        await app.GetJsonAsync("api/queries/answer");
        using (var load = await app.Client.PostAsync("api/loads/numbers", null))
            Assert.Equal(HttpStatusCode.OK, load.StatusCode);
        // The endpoint itself is asked which pool may write.
        var pools = app.Host.Services.GetRequiredService<MotherDuckDataSources>();
        await using var reader = await pools.Read.OpenAsync(default);
        var refused = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => reader.ScalarAsync("CREATE TABLE my_db.main.refused (i INTEGER)", default));
        Assert.Contains("read-only", refused.MessageText, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData(401, "refused the app's identity")]
    [InlineData(403, "role Key Vault Secrets User")]
    [InlineData(404, "There is no secret 'motherduck-token' (MotherDuck:TokenSecret) of https://test-vault.vault.azure.net/")]
    [InlineData(500, "Key Vault answered 500")]
    public async Task A_vault_that_gives_no_token_is_503_and_the_log_says_what_to_do(int status, string expected)
    {
        var token = Connections.NewToken();
        await using var vault = await KeyVaultServer.StartAsync();
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        vault.Set("motherduck-token", token);
        vault.Failing = status;

        await using var app = await Connections.AppAsync(endpoint, vault, Quiet);
        using (var response = await app.Client.GetAsync("api/queries/answer"))
        {
            var problem = await response.ProblemAsync(503);
            Assert.Contains("the access token could not be read from Key Vault", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
        Assert.Contains(app.Logs.All, line => line.Contains(expected, StringComparison.Ordinal));
        Assert.True((await app.GetJsonAsync("api/health")).GetProperty("read").GetProperty("tokenReadFails").GetBoolean());

        vault.Failing = null;
        await app.GetJsonAsync("api/queries/answer");
        Assert.False((await app.GetJsonAsync("api/health")).GetProperty("read").GetProperty("tokenReadFails").GetBoolean());
    }

    [Fact]
    public async Task A_missing_secret_is_named()
    {
        await using var vault = await KeyVaultServer.StartAsync();
        await using var endpoint = await OwnEndpoint.StartAsync();
        await using var app = await Connections.AppAsync(endpoint, vault, Quiet);
        using var response = await app.Client.GetAsync("api/queries/answer");
        await response.ProblemAsync(503);
        Assert.Contains(app.Logs.All, line => line.Contains("There is no secret 'motherduck-token' (MotherDuck:TokenSecret)", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_token_whose_secret_is_gone_after_a_success_stays_as_long_as_MotherDuck_takes_it()
    {
        var (token, next) = (Connections.NewToken(), Connections.NewToken());
        await using var vault = await KeyVaultServer.StartAsync();
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        vault.Set("motherduck-token", token);
        await using var app = await Connections.AppAsync(endpoint, vault, Connections.NewEachSecond);
        await app.GetJsonAsync("api/queries/answer");
        vault.Remove("motherduck-token");
        var health = default(JsonElement);
        for (var tries = 0; tries < 100 && !(health.ValueKind == JsonValueKind.Object && health.GetProperty("tokenReadFails").GetBoolean()); tries++)
        {
            await Task.Delay(100);
            await app.GetJsonAsync("api/queries/answer"); // Each is answered, with logins all the time.
            health = (await app.GetJsonAsync("api/health")).GetProperty("read");
        }
        Assert.True(health.GetProperty("tokenReadFails").GetBoolean());
        Assert.Contains(app.Logs.All, line => line.Contains("There is no secret 'motherduck-token'", StringComparison.Ordinal) && line.Contains("stays in use", StringComparison.Ordinal));

        // Once MotherDuck refuses it too, callers are told, and the next version is found.
        endpoint.Accept(next);
        await Task.Delay(1500);
        using (var refused = await app.Client.GetAsync("api/queries/answer"))
            await refused.ProblemAsync(502);
        vault.Set("motherduck-token", next);
        await Task.Delay(1500);
        await app.GetJsonAsync("api/queries/answer");
        Assert.False((await app.GetJsonAsync("api/health")).GetProperty("read").GetProperty("tokenReadFails").GetBoolean());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_webhooks_secret_that_is_gone_after_a_success_ends_within_the_minute(bool deleted)
    {
        var token = Connections.NewToken();
        await using var vault = await KeyVaultServer.StartAsync();
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        vault.Set("motherduck-token", token);
        vault.Set("Test", Webhook.Secret);
        var clock = new LaterClock();
        var settings = endpoint.Settings();
        foreach (var (key, value) in vault.Settings())
            settings[key] = value;
        await using var app = await LocalApp.StartAsync(
            new MdFunctions.Local.LocalOptions { MotherDuck = true, Settings = settings, Services = services => { vault.Services(services); services.AddSingleton<TimeProvider>(clock); } },
            new Dictionary<string, string> { ["ingest/events.sql"] = "/*\ntarget: my_db.main.vaulted\nsignature: { scheme: github, secret: Test }\ncolumns: { a: INTEGER }\n*/\nSELECT * FROM body" });
        await app.StoreAsync("""{"a": 1}""");
        if (deleted)
            vault.Remove("Test");
        else
            vault.Failing = 403; // Disabled.
        clock.Later += TimeSpan.FromSeconds(61);
        using (var refused = await app.SendAsync("""{"a": 2}"""))
            await refused.ProblemAsync(503);
        vault.Failing = null;
        vault.Set("Test", Webhook.Secret);
        clock.Later += TimeSpan.FromSeconds(61);
        await app.StoreAsync("""{"a": 3}""");
    }

    [Fact]
    public async Task A_throttling_vault_is_asked_again_when_it_says()
    {
        var token = Connections.NewToken();
        await using var vault = await KeyVaultServer.StartAsync();
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        vault.Set("motherduck-token", token);
        vault.FailNext(429, retryAfter: "2");
        vault.FailNext(500);

        await using var app = await Connections.AppAsync(endpoint, vault, Quiet);
        var start = Stopwatch.GetTimestamp();
        await app.GetJsonAsync("api/queries/answer");
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 2, 8);
        Assert.Equal(1, vault.Reads);
    }

    [Fact]
    public async Task A_slow_vault_is_asked_once_for_all_who_wait()
    {
        var token = Connections.NewToken();
        await using var vault = await KeyVaultServer.StartAsync();
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        vault.Set("motherduck-token", token);
        vault.Delay = TimeSpan.FromSeconds(1);

        await using var app = await Connections.AppAsync(endpoint, vault, Quiet);
        // One who goes away in between takes nothing from the others.
        using var impatient = new CancellationTokenSource(TimeSpan.FromSeconds(0.3));
        var leaves = app.Client.GetAsync("api/queries/answer", impatient.Token);
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => app.GetJsonAsync("api/queries/answer")));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaves);
        Assert.Equal(20, answers.Length);
        Assert.Equal(1, vault.Reads);
    }

    [Fact]
    public async Task A_vault_that_is_down_at_the_start_is_found_when_it_is_back()
    {
        var token = Connections.NewToken();
        await using var vault = await KeyVaultServer.StartAsync();
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        vault.Set("motherduck-token", token);
        await using var app = await Connections.AppAsync(endpoint, vault, Quiet);
        await vault.GoDownAsync();
        using (var response = await app.Client.GetAsync("api/queries/answer"))
            await response.ProblemAsync(503);
        Assert.Contains(app.Logs.All, line => line.Contains("Key Vault https://test-vault.vault.azure.net/ (KEY_VAULT_URI) cannot be reached", StringComparison.Ordinal));

        await vault.ComeBackAsync();
        await app.GetJsonAsync("api/queries/answer");
    }

    [Fact]
    public async Task An_end_in_sight_is_warned_about()
    {
        var soon = DateTimeOffset.UtcNow.AddDays(3);
        var token = Connections.Jwt(new { sub = "x", exp = DateTimeOffset.UtcNow.AddDays(30).ToUnixTimeSeconds() });
        await using var vault = await KeyVaultServer.StartAsync();
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        vault.Set("motherduck-token", token, expires: soon);
        await using var app = await Connections.AppAsync(endpoint, vault, Quiet);
        await app.GetJsonAsync("api/queries/answer");
        Assert.Single(app.Logs.All, line => line.StartsWith("Warning", StringComparison.Ordinal) && line.Contains($"The Key Vault secret of Key Vault secret 'motherduck-token' (MotherDuck:TokenSecret) expires on {soon:u}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_refused_token_s_own_claims_explain_it()
    {
        await using var vault = await KeyVaultServer.StartAsync();
        await using var endpoint = await OwnEndpoint.StartAsync();
        await using var app = await Connections.AppAsync(endpoint, vault, Quiet);

        vault.Set("motherduck-token", Connections.Jwt(new { sub = "x", exp = 1_700_000_000 }));
        using (var response = await app.Client.GetAsync("api/queries/answer"))
        {
            var problem = await response.ProblemAsync(502);
            Assert.Equal("MotherDuck refused the login: the access token was refused.", problem.GetProperty("detail").GetString());
        }
        Assert.Contains(app.Logs.All, line => line.Contains("it expired on 2023-11-14 22:13:20Z", StringComparison.Ordinal));
        using var deep = await app.Client.GetAsync("api/health?deep=true");
        await deep.ProblemAsync(503);
    }

    [Fact]
    public async Task A_refused_token_does_not_make_each_request_a_call_of_the_vault()
    {
        await using var vault = await KeyVaultServer.StartAsync();
        await using var endpoint = await OwnEndpoint.StartAsync();
        vault.Set("motherduck-token", Connections.NewToken());
        await using var app = await Connections.AppAsync(endpoint, vault, Quiet);
        var start = Stopwatch.GetTimestamp();
        var asked = await Connections.AskAsync(app, 10, () => Task.Delay(TimeSpan.FromSeconds(2)));
        Assert.True(asked.Count > 20);
        Assert.All(asked, request => Assert.StartsWith("502", request.Answer, StringComparison.Ordinal));
        Assert.InRange(vault.Reads, 2, 2 + Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    [Fact]
    public async Task A_read_scaling_token_serves_queries_and_is_refused_to_loads()
    {
        var token = Connections.Jwt(new { sub = "x", tokenType = "read_scaling" });
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        await using var app = await Connections.AppAsync(endpoint, settings: new Dictionary<string, string?> { ["MOTHERDUCK_TOKEN"] = token });
        await app.GetJsonAsync("api/queries/answer");
        using var load = await app.Client.PostAsync("api/loads/numbers", null);
        await load.ProblemAsync(502);
        Assert.Contains(app.Logs.All, line => line.Contains("the token of MOTHERDUCK_TOKEN is a read-scaling token", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_vault_the_settings_hold_both_tokens()
    {
        var (write, read) = (Connections.NewToken(), Connections.NewToken());
        await using var endpoint = await OwnEndpoint.StartAsync(write, "--read-only-token", read);
        await using var app = await Connections.AppAsync(
            endpoint, settings: new Dictionary<string, string?> { ["MOTHERDUCK_TOKEN"] = write, ["MOTHERDUCK_READ_TOKEN"] = read });
        await app.GetJsonAsync("api/queries/answer");
        var pools = app.Host.Services.GetRequiredService<MotherDuckDataSources>();
        Assert.NotSame(pools.Read.Token, pools.Write.Token);
        using var load = await app.Client.PostAsync("api/loads/numbers", null);
        Assert.Equal(10, (await load.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("rows").GetInt64());
    }

    private sealed class LaterClock : TimeProvider
    {
        public TimeSpan Later { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Later;
    }
}
