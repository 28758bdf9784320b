using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using MdFunctions.Local;
using MdFunctions.Local.Host;
using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.Ingest;
using MdFunctions.Tests.MotherDuck;
using Microsoft.Extensions.Configuration;

namespace MdFunctions.Tests.Smoke;

/// <summary>What Azure runs: the output of <c>dotnet publish functions</c> as a process of its own.</summary>
[Collection("Published")]
public sealed class SmokeTests(PublishedApp published)
{
    [LinuxFact]
    public async Task Every_trigger_works_once()
    {
        await using var files = await FileServer.StartAsync();
        files.Put("weather.csv", await File.ReadAllTextAsync(Path.Combine(LocalHost.RepositoryRoot(), "local", "samples", "weather.csv")));
        await using var app = await SmokeApp.StartAsync(published, more: new() { ["WEATHER_CSV_URL"] = $"{files.Url}/weather.csv", ["Secrets:GitHubWebhook"] = Webhook.Secret });

        var github = Webhook.Request("""{"action":"opened","issue":{"title":"x","id":1},"repository":{"full_name":"octo/hello"},"sender":{"login":"octocat"}}"""u8.ToArray(), path: "/api/ingest/github_events");
        github.Headers.Add("X-GitHub-Delivery", "1");
        github.Headers.Add("X-GitHub-Event", "issues");
        var storage = new HttpRequestMessage(HttpMethod.Options, "api/events/storage");
        storage.Headers.Add("WebHook-Request-Origin", "eventgrid.azure.net");
        var mcp = new HttpRequestMessage(HttpMethod.Post, "api/mcp")
        {
            Content = new StringContent("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}""", Encoding.UTF8, "application/json"),
        };
        mcp.Headers.Accept.ParseAdd("application/json, text/event-stream");
        mcp.Headers.Add("MCP-Protocol-Version", "2025-06-18");
        var byTrigger = new Dictionary<string, HttpRequestMessage>
        {
            ["Docs"] = new(HttpMethod.Get, "api/docs"),
            ["Health"] = new(HttpMethod.Get, "api/health?deep=true"),
            ["Ingest"] = github,
            ["Load"] = new(HttpMethod.Post, "api/loads/weather"),
            ["LoadRuns"] = new(HttpMethod.Get, "api/loads/weather/runs"),
            ["Loads"] = new(HttpMethod.Get, "api/loads"),
            ["LoadsDaily"] = ByHand("LoadsDaily"),
            ["LoadsHourly"] = ByHand("LoadsHourly"),
            ["Mcp"] = mcp,
            ["McpMetadata"] = new(HttpMethod.Get, "api/.well-known/oauth-protected-resource/mcp"),
            ["OpenApi"] = new(HttpMethod.Get, "api/openapi.json"),
            ["Queries"] = new(HttpMethod.Get, "api/queries"),
            ["Query"] = new(HttpMethod.Get, "api/queries/top_stories?limit=5"),
            ["SampleAuthor"] = new(HttpMethod.Get, "api/samples/authors/nobody"),
            ["StorageEvents"] = storage,
        };
        Assert.Equal(app.Host.Functions.Select(function => function.Name).Where(name => name != "SampleAuthor"), byTrigger.Keys.Where(name => name != "SampleAuthor").Order(StringComparer.Ordinal));
        foreach (var (name, request) in byTrigger.OrderBy(trigger => trigger.Key == "LoadRuns"))
        {
            using var response = await app.Client.SendAsync(request);
            var expected = name switch { "SampleAuthor" or "McpMetadata" => HttpStatusCode.NotFound, _ when name.StartsWith("Loads", StringComparison.Ordinal) && name.Length > 5 => HttpStatusCode.Accepted, _ => HttpStatusCode.OK };
            Assert.True(response.StatusCode == expected, $"{name}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
            await Connections.EventuallyAsync(() => app.Logs.All.Any(line => line.Contains($"Executed 'Functions.{name}' (Succeeded", StringComparison.Ordinal)), name, 30);
        }
        Assert.Equal(["issues|octo/hello"], await app.SqlAsync("SELECT event, repository FROM my_db.main.github_events"));
        Assert.Equal(["http|succeeded", "timer|succeeded"], (await app.SqlAsync("SELECT trigger, status FROM my_db.md_functions.load_runs ORDER BY trigger")).Distinct());
        Assert.Empty(app.Worker.Errors);
    }

    [LinuxFact]
    public async Task An_answer_that_is_cut_reaches_the_caller_as_a_broken_connection()
    {
        await using var app = await SmokeApp.StartAsync(published, Many);
        using var response = await app.Client.GetAsync("api/queries/many", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await using var body = await response.Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte[100_000]);
        await app.Endpoint.KillAsync();
        var broken = await Record.ExceptionAsync(() => body.CopyToAsync(Stream.Null));
        await app.Endpoint.StartAsync();
        Assert.True(broken is IOException or HttpRequestException, $"{broken}");
        // The app goes on.
        using var next = await app.Client.GetAsync("api/queries/one");
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
    }

    [LinuxFact]
    public async Task A_caller_that_goes_away_frees_its_connection()
    {
        await using var app = await SmokeApp.StartAsync(published, Many, new() { ["MotherDuck:MaxPoolSize"] = "1" });
        using (var gone = new CancellationTokenSource(TimeSpan.FromSeconds(2)))
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => app.Client.GetAsync("api/queries/endless", gone.Token));
        using var next = await app.Client.GetAsync("api/queries/one");
        Assert.True(next.IsSuccessStatusCode, await next.Content.ReadAsStringAsync());
    }

    [LinuxFact]
    public async Task A_timer_by_hand_with_a_load_that_fails_loads_the_others_once()
    {
        await using var app = await SmokeApp.StartAsync(published, new()
        {
            ["loads/good.sql"] = "/*\ntarget: my_db.main.good\nmode: append\nschedule: daily\n*/\nSELECT 1 AS n",
            ["loads/bad.sql"] = "/*\ntarget: my_db.main.bad\nmode: append\nschedule: daily\n*/\nSELECT error('no') AS n",
        });
        using var response = await app.Client.SendAsync(ByHand("LoadsDaily"));
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        await Connections.EventuallyAsync(() => app.Logs.All.Any(line => line.Contains("Executed 'Functions.LoadsDaily'", StringComparison.Ordinal)), "the run", 30);
        Assert.Equal(["bad|failed", "good|succeeded"], await app.SqlAsync("SELECT load, status FROM my_db.md_functions.load_runs ORDER BY load"));
        // A retry would be another run to the app: the host gives it another id.
        await Task.Delay(TimeSpan.FromSeconds(32));
        Assert.Equal(["1"], await app.SqlAsync("SELECT count(*) FROM my_db.main.good"));
    }

    [LinuxFact]
    public async Task Faults_at_the_start_are_one_line_that_the_host_takes_for_an_error()
    {
        await using var worker = new ChildWorker(published.Folder, new Dictionary<string, string?> { ["MOTHERDUCK_TOKEN"] = "", ["MotherDuck:MaxPoolSize"] = "many" });
        var options = new FunctionsHostOptions { Settings = new ConfigurationBuilder().Build(), ApplicationDirectory = published.Folder, Logging = _ => { } };
        var error = await Assert.ThrowsAsync<LocalException>(() => FunctionsHost.StartAsync(worker, options, CancellationToken.None));
        var line = Assert.Single(worker.Errors);
        Assert.Contains($"exit code 1: {line}", error.Message, StringComparison.Ordinal);
        Assert.StartsWith("error: The app cannot start: ", line, StringComparison.Ordinal);
        Assert.Contains("MotherDuck:MaxPoolSize", line, StringComparison.Ordinal);
        Assert.Contains(" | ", line, StringComparison.Ordinal);
    }

    [LinuxFact]
    public async Task A_worker_that_is_killed_in_a_load_leaves_nothing_half_and_another_finishes_it()
    {
        Dictionary<string, string> files = new()
        {
            ["loads/slow.sql"] = "/*\ntarget: my_db.main.slow\nmode: append\n*/\nSELECT sum(a.range * b.range) AS s FROM range(30000) a, range(60000) b",
        };
        Dictionary<string, string?> settings = new() { ["Loads:LeaseDuration"] = "1s" };
        await using var first = await SmokeApp.StartAsync(published, files, settings);
        var asked = PostAsync(first.Client);
        await Connections.EventuallyAsync(() => first.Logs.All.Any(line => line.Contains("Load slow: staging", StringComparison.Ordinal)) || asked.IsCompleted, "the load", 30);
        first.Worker.Kill();
        var status = await asked;
        Assert.True(status is null or HttpStatusCode.InternalServerError, $"{status}: the load was done too early to be killed");

        var second = await SmokeApp.StartAsync(published, files, settings, on: first);
        try
        {
            for (var start = DateTime.UtcNow; await PostAsync(second.Client) is var again && again != HttpStatusCode.OK; await Task.Delay(200))
                Assert.True(DateTime.UtcNow - start < TimeSpan.FromMinutes(1), $"still {again}");
            Assert.Equal(["1"], await second.SqlAsync("SELECT count(*) FROM my_db.main.slow"));
        }
        finally
        {
            await second.StopAsync();
        }

        static async Task<HttpStatusCode?> PostAsync(HttpClient client)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "api/loads/slow");
            request.Headers.Add("Idempotency-Key", "once");
            try
            {
                using var response = await client.SendAsync(request);
                return response.StatusCode;
            }
            catch (HttpRequestException)
            {
                return null;
            }
        }
    }

    private static Dictionary<string, string> Many => new()
    {
        ["queries/one.sql"] = "SELECT 1 AS n",
        ["queries/many.sql"] = "/*\ntimeout: 60s\n*/\nSELECT range AS n, md5(range::VARCHAR) AS text FROM range(20000000)",
        ["queries/endless.sql"] = "/*\ntimeout: 60s\n*/\nSELECT sum(a.range * b.range) AS s FROM range(1000000) a, range(10000000) b",
    };

    private static HttpRequestMessage ByHand(string timer) =>
        new(HttpMethod.Post, $"admin/functions/{timer}") { Content = JsonContent.Create(new { }, new MediaTypeHeaderValue("application/json")) };
}
