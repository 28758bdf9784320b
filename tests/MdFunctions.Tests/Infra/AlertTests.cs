using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.RegularExpressions;
using Azure.Monitor.OpenTelemetry.Exporter;
using MdFunctions.Engine.Loads;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Tests.Loads;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace MdFunctions.Tests.Infra;

/// <summary>
/// The alerts' queries against what the app sends: a load that succeeds and one that fails run on a timer, and the real exporter writes the measurements to
/// a server in the place of Application Insights.
/// </summary>
public sealed class AlertTests
{
    private static readonly Dictionary<string, string> Loads = new()
    {
        ["alerts_good"] = "/*\nsummary: Good\ntarget: {db}.main.good\nmode: replace\nschedule: hourly\n*/\nSELECT 1 AS i",
        ["alerts_bad"] = "/*\nsummary: Bad\ntarget: {db}.main.bad\nmode: replace\nschedule: daily\n*/\nSELECT * FROM nowhere",
        ["alerts_by_hand"] = "/*\nsummary: By hand\ntarget: {db}.main.hand\nmode: replace\n*/\nSELECT 1 AS i",
    };

    [Fact]
    public async Task Queries_name_the_metrics_tags_and_outcomes_that_arrive()
    {
        var queries = await QueriesAsync();
        await using var insights = await Insights.StartAsync();
        await using var app = await LoadApp.StartAsync(Loads, new Dictionary<string, string?> { ["LOADS_HOURLY_SCHEDULE"] = "0 5 * * * *", ["LOADS_DAILY_SCHEDULE"] = "0 30 2 * * *" });
        using (var provider = Sdk.CreateMeterProviderBuilder()
            .AddMeter(TelemetrySources.Names)
            .AddAzureMonitorMetricExporter(options => (options.ConnectionString, options.DisableOfflineStorage) = (insights.ConnectionString, true))
            .Build())
        {
            // What the timers' triggers do.
            var schedule = app.App.Host.Services.GetRequiredService<LoadSchedule>();
            await schedule.RunAsync("hourly", null, "alerts");
            await schedule.RunAsync("daily", null, "alerts");
            provider.ForceFlush();
        }

        var durations = insights.Of("mdfunctions.run.duration").Where(one => one.Tags.GetValueOrDefault("name", "").StartsWith("alerts_", StringComparison.Ordinal)).ToList();
        Assert.Contains(durations, one => one.Tags["name"] == "alerts_good" && one.Tags["kind"] == "load" && one.Tags["trigger"] == "timer" && one.Tags["outcome"] == "ok");
        Assert.Contains(durations, one => one.Tags["name"] == "alerts_bad" && one.Tags["kind"] == "load" && one.Tags["trigger"] == "timer" && one.Tags["outcome"] is not ("ok" or "caller"));
        // A scheduled load is due within its period; one without a schedule is not due at all.
        var due = insights.Of("mdfunctions.load.due").Where(one => one.Tags["name"].StartsWith("alerts_", StringComparison.Ordinal)).ToList();
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        Assert.Contains(due, one => one.Tags["name"] == "alerts_good" && one.Tags["schedule"] == "0 5 * * * *" && one.Value > now - 60 && one.Value <= now + 3600 && one.Value % 3600 == 300);
        Assert.Contains(due, one => one.Tags["name"] == "alerts_bad" && one.Tags["schedule"] == "0 30 2 * * *" && one.Value > now - 60 && one.Value <= now + 86400);
        Assert.DoesNotContain(due, one => one.Tags["name"] == "alerts_by_hand");

        // What the queries name, arrives: each instrument, each tag of it, each value that a tag is held against.
        foreach (var (name, query) in queries)
        {
            foreach (var metric in Texts.Find(query, "name == \"(mdfunctions[^\"]+)\""))
                Assert.True(insights.Of(metric).Any(), $"{name}: nothing sends {metric}");
            var tags = insights.All.SelectMany(one => one.Tags.Keys).ToHashSet(StringComparer.Ordinal);
            Assert.All(Texts.Find(query, @"customDimensions\.(\w+)"), tag => Assert.Contains(tag, tags));
        }
        foreach (var (tag, values) in ((string, string[])[])[("kind", ["load"]), ("trigger", ["timer"]), ("outcome", ["ok"])])
        {
            Assert.All(values, value => Assert.Matches($"{tag}[^|]*\"{value}\"", queries["misses"]));
            Assert.All(values, value => Assert.Contains(durations, one => one.Tags[tag] == value));
        }
    }

    [Fact]
    public async Task The_words_that_a_query_looks_for_are_in_the_log_line_that_the_app_writes()
    {
        var words = Assert.Single(Texts.Find((await QueriesAsync())["endings"], "message has \"([^\"]+)\""));
        // The exporter may send the template or the finished text; the words are in both.
        var template = Assert.Single(Texts.Code.SelectMany(file => Texts.Find(file.Text, "LogWarning\\(\"([^\"]*\\{End[^\"]*)\"")));
        Assert.Contains(words, Regex.Replace(template, @"\{[^}]+\}", "\0"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Traces_are_sampled_as_documented_and_log_lines_never()
    {
        var builder = App.CreateBuilder([], builder => builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["APPLICATIONINSIGHTS_CONNECTION_STRING"] = $"InstrumentationKey={Guid.Empty};IngestionEndpoint=http://127.0.0.1:1/",
            ["MOTHERDUCK_TOKEN"] = "a-token-of-nobody",
            ["MotherDuck:Region"] = "us-east-1",
            ["LOADS_HOURLY_SCHEDULE"] = "0 5 * * * *",
            ["LOADS_DAILY_SCHEDULE"] = "0 30 2 * * *",
            ["WEATHER_CSV_URL"] = "https://example.com/weather.csv",
        }));
        await using var services = builder.Services.BuildServiceProvider();
        var exporter = services.GetRequiredService<IOptions<AzureMonitorExporterOptions>>().Value;
        Assert.Equal((5, false), (exporter.TracesPerSecond, exporter.EnableTraceBasedLogsSampler));
        Assert.Contains("five traces a second from each instance", Texts.Of("docs/operate.md"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rules_look_back_far_enough_and_at_tables_of_Application_Insights()
    {
        var rules = (await Bicep.DevAsync()).Where(resource => resource.Type == "Microsoft.Insights/scheduledQueryRules").ToList();
        var mail = (await Bicep.DevAsync()).Single(resource => resource.Type == "Microsoft.Insights/actionGroups").Id;
        Assert.Equal(3, rules.Count);
        foreach (var rule in rules)
        {
            var (every, window) = (Time(rule, "evaluationFrequency"), Time(rule, "windowSize"));
            Assert.True(every <= window, rule.Name); // Nothing falls between two looks.
            Assert.InRange(window, TimeSpan.FromMinutes(5), TimeSpan.FromDays(2));
            Assert.Equal([mail], rule.Properties.GetProperty("actions").GetProperty("actionGroups").EnumerateArray().Select(group => group.GetString()));
            var query = rule.Properties.GetProperty("criteria").GetProperty("allOf")[0].GetProperty("query").GetString()!;
            var known = Texts.Find(query, @"^let (\w+)").Concat(["requests", "customMetrics", "traces", "union"]);
            Assert.All(Texts.Find(query, @"^(\w+)\s*$").Concat(Texts.Find(query, @"^\s*\((\w+)$")).Concat(Texts.Find(query, @"= (\w+)$")), table => Assert.Contains(table, known));
            // Brackets and quotes close.
            var bare = Regex.Replace(query, "\"[^\"\n]*\"|//.*", "");
            Assert.DoesNotContain('"', bare);
            Assert.Equal(bare.Count(c => c == '('), bare.Count(c => c == ')'));
        }
        var misses = rules.Single(rule => rule.Name.StartsWith("misses", StringComparison.Ordinal));
        // A period of a day and the hour after it are within what the query sees; the alert does not end by running out of data.
        Assert.Equal(TimeSpan.FromDays(2), Time(misses, "windowSize"));
        Assert.False(misses.Properties.GetProperty("autoMitigate").GetBoolean());

        static TimeSpan Time(Bicep.Resource rule, string name) => System.Xml.XmlConvert.ToTimeSpan(rule.Properties.GetProperty(name).GetString()!);
    }

    private static async Task<Dictionary<string, string>> QueriesAsync() => (await Bicep.DevAsync())
        .Where(resource => resource.Type == "Microsoft.Insights/scheduledQueryRules")
        .ToDictionary(rule => rule.Name.Split('-')[0], rule => rule.Properties.GetProperty("criteria").GetProperty("allOf")[0].GetProperty("query").GetString()!);

    /// <summary>In the place of Application Insights: takes what the exporter sends.</summary>
    private sealed class Insights(WebApplication server) : IAsyncDisposable
    {
        private readonly ConcurrentQueue<(string Name, double Value, Dictionary<string, string> Tags)> _metrics = new();

        public IReadOnlyCollection<(string Name, double Value, Dictionary<string, string> Tags)> All => _metrics;

        public string ConnectionString => $"InstrumentationKey={Guid.Empty};IngestionEndpoint={server.Urls.Single()}/";

        public static async Task<Insights> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Services.AddRequestDecompression();
            var server = builder.Build();
            server.Urls.Add("http://127.0.0.1:0");
            var insights = new Insights(server);
            server.UseRequestDecompression();
            server.MapPost("/{**path}", insights.TakeAsync);
            await server.StartAsync();
            return insights;
        }

        public IEnumerable<(string Name, double Value, Dictionary<string, string> Tags)> Of(string metric) => _metrics.Where(one => one.Name == metric);

        public ValueTask DisposeAsync() => server.DisposeAsync();

        private async Task<IResult> TakeAsync(HttpRequest request)
        {
            using var reader = new StreamReader(request.Body);
            var lines = (await reader.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            foreach (var data in lines.Select(line => JsonSerializer.Deserialize<JsonElement>(line).GetProperty("data")).Where(data => data.GetProperty("baseType").GetString() == "MetricData"))
            {
                var tags = data.GetProperty("baseData").TryGetProperty("properties", out var properties)
                    ? properties.EnumerateObject().ToDictionary(tag => tag.Name, tag => tag.Value.GetString()!, StringComparer.Ordinal)
                    : [];
                foreach (var metric in data.GetProperty("baseData").GetProperty("metrics").EnumerateArray())
                    _metrics.Enqueue((metric.GetProperty("name").GetString()!, metric.GetProperty("value").GetDouble(), tags));
            }
            return Results.Json(new { itemsReceived = lines.Length, itemsAccepted = lines.Length, errors = Array.Empty<object>() });
        }
    }
}
