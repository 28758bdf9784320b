using System.Net.Http.Json;
using System.Text.Json;
using MdFunctions.Engine;
using MdFunctions.Engine.Access;
using MdFunctions.Tests.Infrastructure;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace MdFunctions.Tests.Access;

/// <summary>What callers with tokens see, and what stays theirs.</summary>
public sealed class AccessTests(AccessApp app) : IClassFixture<AccessApp>
{
    [Fact]
    public async Task A_kept_answer_and_its_tag_are_for_the_tenant_that_asked()
    {
        var (a, b, neither) = (app.Issuer.Token(), app.Issuer.Token(("tid", "b"), ("sub", "bob")), app.Issuer.Token(("tid", "x")));
        using var first = await app.SendAsync("GET", "api/queries/mine?least=3", a); // Empty, as x's is too.
        Assert.Equal("[]", await first.Content.ReadAsStringAsync());
        Assert.Contains("Authorization", first.Headers.Vary);
        foreach (var token in (string[])[b, neither])
        {
            using var other = await app.SendAsync("GET", "api/queries/mine?least=3", token, change: request => request.Headers.IfNoneMatch.Add(first.Headers.ETag!));
            Assert.Equal(200, (int)other.StatusCode);
            Assert.Equal(token == b ? """[{"tenant":"b","n":3}]""" : "[]", await other.Content.ReadAsStringAsync());
        }
        using var again = await app.SendAsync("HEAD", "api/queries/mine?least=3", a, change: request => request.Headers.IfNoneMatch.Add(first.Headers.ETag!));
        Assert.Equal(304, (int)again.StatusCode);

        // At the same time, where identical calls run once.
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
        {
            var tenant = i % 2 == 0 ? "a" : "b";
            using var response = await app.SendAsync("GET", $"api/queries/mine?least={-100 - (i / 10)}", tenant == "a" ? a : b);
            return (tenant, Rows: await response.Content.ReadFromJsonAsync<JsonElement>());
        }));
        Assert.All(answers, answer => Assert.All(answer.Rows.EnumerateArray(), row => Assert.Equal(answer.tenant, row.GetProperty("tenant").GetString())));
        Assert.All(answers, answer => Assert.Equal(answer.tenant == "a" ? 2 : 1, answer.Rows.GetArrayLength()));
    }

    [Fact]
    public async Task A_caller_sees_what_that_caller_may_run_and_no_more()
    {
        var (reader, admin) = (app.Issuer.Token(), app.Issuer.Token(("roles", new[] { "admin" })));
        Assert.Equal(["groups", "mine", "open", "readers", "streamed"], await NamesAsync("api/queries", reader));
        Assert.Equal(["admins", "groups", "mine", "open", "readers", "streamed"], await NamesAsync("api/queries", admin));
        Assert.Equal(["tenants"], await NamesAsync("api/loads", reader));
        Assert.Equal(["blobs", "tenants", "theirs"], await NamesAsync("api/loads", admin));

        var document = await TextAsync("api/openapi.json?columns=false", reader);
        var api = JsonSerializer.Deserialize<JsonElement>(document);
        Assert.Equal(["/api/queries/groups", "/api/queries/mine", "/api/queries/open", "/api/queries/readers", "/api/queries/streamed"],
            api.GetProperty("paths").EnumerateObject().Select(path => path.Name).Where(path => path.StartsWith("/api/queries/", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.DoesNotContain("/api/ingest/", document, StringComparison.Ordinal);
        Assert.DoesNotContain("\"name\": \"tenant\"", document, StringComparison.Ordinal); // An answer may have such a column.
        var post = api.GetProperty("paths").GetProperty("/api/queries/mine").GetProperty("post").GetProperty("requestBody").GetProperty("content").GetProperty("application/json").GetProperty("schema");
        Assert.Equal(["least"], post.GetProperty("properties").EnumerateObject().Select(property => property.Name));
        Assert.DoesNotContain("\"tenant\"", await TextAsync("api/queries", reader), StringComparison.Ordinal);
        Assert.Equal("openIdConnect", api.GetProperty("components").GetProperty("securitySchemes").GetProperty("token").GetProperty("type").GetString());
    }

    [Fact]
    public async Task Models_have_the_tools_of_who_sent_them()
    {
        var reader = app.Issuer.Token();
        var tools = await McpAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}""", reader);
        Assert.Equal(["groups", "mine", "open", "readers", "streamed"], tools.GetProperty("tools").EnumerateArray().Select(tool => tool.GetProperty("name").GetString()));
        Assert.DoesNotContain("\"tenant\"", tools.GetRawText(), StringComparison.Ordinal);
        Assert.Contains("a token needs one of the roles admin", (await CallAsync("admins", "{}")).GetRawText(), StringComparison.Ordinal);
        Assert.Contains("a token needs one of the roles admin", (await CallAsync("load_theirs", "{}")).GetRawText(), StringComparison.Ordinal);
        Assert.Contains("comes from the caller", (await CallAsync("mine", """{"tenant":"b"}""")).GetRawText(), StringComparison.Ordinal);
        var mine = await CallAsync("mine", "{}");
        Assert.Equal("""[{"tenant":"a","n":1},{"tenant":"a","n":2}]""", mine.GetProperty("structuredContent").GetProperty("rows").GetRawText());

        Task<JsonElement> CallAsync(string tool, string arguments) =>
            McpAsync($$$"""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"{{{tool}}}","arguments":{{{arguments}}}}}""", reader);
    }

    [Fact]
    public async Task A_client_of_MCP_is_told_where_to_get_a_token()
    {
        using var refused = await app.SendAsync("POST", "api/mcp", null, "{}");
        var parameter = refused.Headers.WwwAuthenticate.Single().Parameter!;
        var url = parameter["resource_metadata=\"".Length..^1];
        using var response = await app.App.Client.GetAsync(url);
        var metadata = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(new Uri(app.App.Client.BaseAddress!, "api/mcp").ToString(), metadata.GetProperty("resource").GetString());
        Assert.Equal(app.Issuer.Authority, metadata.GetProperty("authorization_servers")[0].GetString());
    }

    [Fact]
    public async Task An_audit_line_says_who_did_what_and_parameters_only_where_the_file_says_so()
    {
        using var mine = await app.SendAsync("GET", "api/queries/mine?least=-7", app.Issuer.Token(("sub", "eve\nInformation: forged")));
        using var kept = await app.SendAsync("GET", "api/queries/mine?least=-7", app.Issuer.Token(("sub", "fred")));
        using var unchanged = await app.SendAsync("GET", "api/queries/mine?least=-7", app.Issuer.Token(("sub", "gina")), change: request => request.Headers.IfNoneMatch.Add(kept.Headers.ETag!));
        using var document = await app.SendAsync("GET", "api/openapi.json", app.Issuer.Token(("sub", "hans")));
        using var streamed = await app.SendAsync("GET", "api/queries/streamed", app.Issuer.Token(("sub", "carl"), ("name", "Carl")));
        using var refused = await app.SendAsync("GET", "api/queries/admins", app.Issuer.Token(("sub", "dora")));
        await MotherDuck.Connections.EventuallyAsync(() => Lines().Count(line => Names().Any(name => line.Contains(name, StringComparison.Ordinal))) >= 5, "five lines");
        Assert.Contains(Lines(), line => line.Contains("token eve?Information: forged Ann query mine ok, rows 2,", StringComparison.Ordinal) && line.Contains("""parameters {"tenant":"a","least":"-7"}""", StringComparison.Ordinal));
        Assert.Contains(Lines(), line => line.Contains("token carl Carl query streamed ok, rows 1,", StringComparison.Ordinal) && line.Contains("parameters (null)", StringComparison.Ordinal));
        Assert.Contains(Lines(), line => line.Contains("token fred Ann query mine ok, rows 2,", StringComparison.Ordinal)); // From the cache.
        Assert.Contains(Lines(), line => line.Contains("token gina Ann query mine ok, rows 0,", StringComparison.Ordinal)); // 304.
        Assert.Contains(Lines(), line => line.Contains("token hans Ann list openapi ok,", StringComparison.Ordinal));
        Assert.Contains(Lines(), line => line.Contains("token dora Ann call GET /api/queries/admins refused 403", StringComparison.Ordinal));
        Assert.All(Lines(), line => Assert.DoesNotContain('\n', line.TrimEnd()));

        static string[] Names() => ["eve?", "fred", "gina", "hans", "carl"];
        IEnumerable<string> Lines() => app.App.Logs.All.Where(line => line.StartsWith("Information MdFunctions.Engine.Audit:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Keys_rotate_and_an_issuer_that_is_down_is_not_needed()
    {
        await using var issuer = await TokenServer.StartAsync();
        await using var own = await LocalApp.StartAsync(AccessApp.Files, issuer.Settings(("Secrets:hook", "x")));
        own.Host.Services.GetRequiredService<TokenCheck>().UnknownKeyInterval = TimeSpan.Zero;
        issuer.Down = true;
        using (var unknown = await AccessApp.SendAsync(own, "GET", "api/queries/open", issuer.Token()))
            Assert.NotNull((await Problem(unknown, 503)).Headers.RetryAfter);
        issuer.Down = false;
        await MotherDuck.Connections.EventuallyAsync(() => Status(issuer.Token()) == 200, "the issuer is back", 20);

        issuer.Rotate();
        Assert.Equal(200, Status(issuer.Token(("sub", "after"))));
        issuer.Down = true;
        Assert.Equal(200, Status(issuer.Token(("sub", "while down"))));
        issuer.Rotate();
        Assert.Equal(401, Status(issuer.Token(("sub", "of a key that nobody can read"))));

        int Status(string token) => (int)AccessApp.SendAsync(own, "GET", "api/queries/open", token).GetAwaiter().GetResult().StatusCode;

        static async Task<HttpResponseMessage> Problem(HttpResponseMessage response, int status)
        {
            await response.ProblemAsync(status);
            return response;
        }
    }

    [Fact]
    public async Task A_caller_who_asks_too_often_waits_and_others_do_not()
    {
        await using var own = await LocalApp.StartAsync(AccessApp.Files, app.Issuer.Settings(("Secrets:hook", "x"), ("Limits:PerCaller", "3")));
        var statuses = new List<int>();
        for (var i = 0; i < 4; i++)
        {
            using var response = await AccessApp.SendAsync(own, "GET", "api/queries/open", app.Issuer.Token(("jti", $"{i}")));
            statuses.Add((int)response.StatusCode);
            if (i == 3)
                Assert.True(response.Headers.RetryAfter?.Delta > TimeSpan.Zero, $"{response} {await response.Content.ReadAsStringAsync()}");
        }
        Assert.Equal([200, 200, 200, 429], statuses);
        using var other = await AccessApp.SendAsync(own, "GET", "api/queries/open", app.Issuer.Token(("sub", "bob")));
        Assert.Equal(200, (int)other.StatusCode);
    }

    [Theory]
    [InlineData("queries/q.sql", "/* access: { roles: [a] } */ SELECT 1 AS n", "'access' needs the setting Auth:Authority")]
    [InlineData("queries/q.sql", "/* access: */ SELECT 1 AS n", "'access' is empty")]
    [InlineData("queries/q.sql", "/*\nparameters: { t: { type: varchar, claim: tid } }\n*/\nSELECT $t AS t", "its claim needs the setting Auth:Authority")]
    [InlineData("queries/q.sql", "/*\nparameters: { t: { type: varchar, claim: tid, default: x } }\n*/\nSELECT $t AS t", "so it has no default")]
    [InlineData("loads/l.sql", "/*\ntarget: my_db.main.t\nmode: replace\nschedule: daily\nparameters: { t: { type: varchar, claim: tid } }\n*/\nSELECT $t AS t", "nobody has one when the load runs by itself")]
    [InlineData("ingest/i.sql", "/*\ntarget: my_db.main.t\naccess: { roles: [a] }\nsignature: { scheme: github, secret: s }\ncolumns: { n: BIGINT }\n*/\nSELECT * FROM body", "has no 'access'")]
    public async Task A_rule_that_nothing_could_check_stops_the_start(string file, string sql, string fault)
    {
        var exception = await Assert.ThrowsAsync<StartupException>(() => LocalApp.StartAsync(new Dictionary<string, string> { [file] = sql }));
        Assert.Contains(exception.Faults, line => line.Contains(fault, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false, "", "Setting Auth:Authority: is not set, and the triggers of OpenLoads ask for no key")]
    [InlineData(true, "Auth:Open=true", null)]
    [InlineData(true, "Auth:Authority=https://issuer.example;Auth:Audience=x", null)]
    [InlineData(false, "Auth:Authority=https://issuer.example", "Setting Auth:Audience: is not set")]
    [InlineData(false, "Auth:Authority=http://issuer.example;Auth:Audience=x", "Setting Auth:Authority: expected the URL")]
    [InlineData(false, "Auth:Audience=x;Auth:Open=true", "Setting Auth:Audience: is set, and Auth:Authority")]
    [InlineData(false, "Auth:Authority=https://issuer.example;Auth:Audience=x;Auth:Open=true", "Setting Auth:Open: says that everybody")]
    public void Open_triggers_need_an_authority_or_a_word_that_they_are_meant(bool starts, string text, string? fault)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(text.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(part => part.Split('=', 2)).ToDictionary(part => part[0], part => (string?)part[1])).Build();
        var settings = new Settings(configuration);
        var trigger = HttpTrigger.Read(typeof(OpenLoadFunctions).GetMethod(nameof(OpenLoadFunctions.List))!)!;
        Assert.Equal(("OpenLoads", "loads", true), (trigger.Function, trigger.Route, trigger.IsOpen));
        AccessOptions.Read(settings, new(new Dictionary<string, string>(), new Dictionary<string, string>()) { Http = [trigger] });
        Assert.Equal(starts, settings.Faults.Count == 0);
        if (fault is not null)
            Assert.Contains(settings.Faults, line => line.StartsWith(fault, StringComparison.Ordinal));
    }

    [Fact]
    public void The_apps_own_triggers_ask_for_a_key()
    {
        var triggers = AppTriggers.Of(typeof(LoadFunctions)).Http;
        Assert.Contains(triggers, trigger => trigger is { Function: "Query", Route: "queries/{name}", IsOpen: false, NeedsCaller: true });
        Assert.Equal(["Docs", "Ingest", "McpMetadata"], triggers.Where(trigger => trigger.IsOpen).Select(trigger => trigger.Function).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(triggers, trigger => trigger is { IsOpen: true, NeedsCaller: true });
    }

    [Fact]
    public void The_local_host_says_how_to_call_an_app_that_wants_a_token() =>
        Assert.Contains($"curl '{app.App.Host.BaseAddress}api/queries' -H \"Authorization: Bearer $TOKEN\"", MdFunctions.Local.Banner.For(app.App.Host), StringComparison.Ordinal);

    private async Task<IEnumerable<string?>> NamesAsync(string path, string token) =>
        JsonSerializer.Deserialize<JsonElement>(await TextAsync(path, token)).EnumerateArray().Select(item => item.GetProperty("name").GetString()).ToList();

    private async Task<string> TextAsync(string path, string token)
    {
        using var response = await app.SendAsync("GET", path, token);
        Assert.Equal(200, (int)response.StatusCode);
        return await response.Content.ReadAsStringAsync();
    }

    private async Task<JsonElement> McpAsync(string message, string token)
    {
        using var response = await app.SendAsync("POST", "api/mcp", token, message, request => request.Headers.Accept.ParseAdd("application/json, text/event-stream"));
        var body = await response.Content.ReadAsStringAsync();
        var data = body.Split('\n').Last(line => line.StartsWith("data:", StringComparison.Ordinal))["data:".Length..];
        return JsonSerializer.Deserialize<JsonElement>(data).GetProperty("result");
    }
}

/// <summary>An app's triggers, opened. The engine reads attributes by name, as it knows no package of Functions.</summary>
public sealed class OpenLoadFunctions(Engine.Loads.LoadRequests requests)
{
    [Microsoft.Azure.Functions.Worker.Function("OpenLoads")]
    public Task<Microsoft.AspNetCore.Http.IResult> List(
        [Microsoft.Azure.Functions.Worker.HttpTrigger(Microsoft.Azure.Functions.Worker.AuthorizationLevel.Anonymous, Route = "loads")] Microsoft.AspNetCore.Http.HttpRequest request) => requests.ListAsync(request);
}
