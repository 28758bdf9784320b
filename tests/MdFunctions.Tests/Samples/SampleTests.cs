using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MdFunctions.Engine;
using MdFunctions.Engine.Ingest;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Templates;
using MdFunctions.Local;
using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.Ingest;
using Microsoft.Extensions.Configuration;

namespace MdFunctions.Tests.Samples;

/// <summary>What the repository brings along, as a newcomer calls it. A copy without samples is without these tests too.</summary>
public sealed class SampleTests(SampleTests.Samples samples) : IClassFixture<SampleTests.Samples>
{
    private readonly LocalApp _app = samples.App;

    public sealed class Samples : IAsyncLifetime
    {
        private FileServer _files = null!;

        public LocalApp App { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            _files = await FileServer.StartAsync();
            _files.Put("weather.csv", await File.ReadAllTextAsync(Path.Combine(LocalHost.RepositoryRoot(), "local", "samples", "weather.csv")));
            App = await LocalApp.StartAsync(settings: new Dictionary<string, string?> { ["WEATHER_CSV_URL"] = _files.Url + "/weather.csv" });
        }

        public async Task DisposeAsync()
        {
            await App.DisposeAsync();
            await _files.DisposeAsync();
        }
    }

    [Fact]
    public async Task The_top_stories_are_the_ones_with_the_highest_scores()
    {
        var rows = await _app.GetJsonAsync("/api/queries/top_stories?limit=5");

        Assert.Equal(5, rows.GetArrayLength());
        var scores = rows.EnumerateArray().Select(row => row.GetProperty("score").GetInt32()).ToList();
        Assert.Equal(scores.OrderDescending(), scores);
        await using var connection = await SharedEndpoint.ConnectAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT max(score) FROM sample_data.hn.hacker_news WHERE type = 'story'";
        Assert.Equal(Convert.ToInt32(await command.ExecuteScalarAsync(), null), scores[0]);
    }

    [Fact]
    public async Task The_taxi_days_are_those_asked_for()
    {
        var days = await _app.GetJsonAsync("/api/queries/taxi_by_day?from=2022-11-05&to=2022-11-07");
        Assert.Equal(["2022-11-05", "2022-11-06", "2022-11-07"], days.EnumerateArray().Select(day => day.GetProperty("day").GetString()!));
    }

    [Fact]
    public async Task The_weather_is_what_its_load_brought_in()
    {
        using (var load = await _app.Client.PostAsync("/api/loads/weather", null))
            Assert.Equal(6, JsonSerializer.Deserialize<JsonElement>(await load.Content.ReadAsStringAsync()).GetProperty("rows").GetInt32());

        Assert.Equal(6, (await _app.GetJsonAsync("/api/queries/weather")).GetArrayLength());
        var berlin = await _app.GetJsonAsync("/api/queries/weather?city=Berlin");
        Assert.All(berlin.EnumerateArray(), day => Assert.Equal("Berlin", day.GetProperty("city").GetString()));
        Assert.NotEqual(0, berlin.GetArrayLength());
    }

    [Fact]
    public async Task The_function_by_hand_joins_an_authors_stories_with_their_comments()
    {
        await using var connection = await SharedEndpoint.ConnectAsync();
        // An author with a story that has comments, and every comment of that story.
        var expected = await connection.RowsAsync(
            """
            SELECT s."by", s.title, s.score, list(c.text ORDER BY c.id)::JSON
            FROM sample_data.hn.hacker_news s JOIN sample_data.hn.hacker_news c ON c.parent = s.id AND c.type = 'comment'
            WHERE s.type = 'story' GROUP BY ALL ORDER BY count(*) DESC, s.score DESC LIMIT 1
            """, [], row => (Author: row.Text(0)!, Title: row.Text(1), Score: row.Get<long>(2), Comments: row.Text(3)!), CancellationToken.None);
        var (author, title, score, comments) = Assert.Single(expected);

        var stories = await _app.GetJsonAsync($"/api/samples/authors/{author}");

        var story = Assert.Single(stories.EnumerateArray(), story => story.GetProperty("title").GetString() == title);
        Assert.Equal(score, story.GetProperty("score").GetInt64());
        Assert.Equal(
            JsonSerializer.Deserialize<string[]>(comments),
            story.GetProperty("comments").EnumerateArray().Select(comment => comment.GetString()));
        var scores = stories.EnumerateArray().Select(story => story.GetProperty("score").GetInt64()).ToList();
        Assert.Equal(scores.OrderDescending(), scores);
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("' OR 1 = 1 --")]
    public async Task The_function_by_hand_knows_no_such_author(string author)
    {
        using var response = await _app.Client.GetAsync($"/api/samples/authors/{Uri.EscapeDataString(author)}");
        Assert.Contains(author, (await response.ProblemAsync(404)).GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("github_events")]
    [InlineData("stripe_events")]
    public void The_ingests_have_no_fault(string name)
    {
        var file = SqlFile.Read(Path.Combine(LocalHost.RepositoryRoot(), "functions", "sql", "ingest", $"{name}.sql"));
        IngestTemplate.Read(file, new Settings(new ConfigurationBuilder().Build()));
        Assert.Empty(file.Faults);
    }

    [Fact]
    public async Task The_ingest_stores_GitHubs_events_and_a_redelivery_changes_nothing()
    {
        var sample = await File.ReadAllTextAsync(Path.Combine(LocalHost.RepositoryRoot(), "functions", "sql", "ingest", "github_events.sql"));
        var table = $"my_db.{Webhook.NewSchema()}.github_events";
        await using var app = await LocalApp.StartAsync(
            new Dictionary<string, string> { ["ingest/github_events.sql"] = sample.Replace("my_db.main.github_events", table, StringComparison.Ordinal) },
            new Dictionary<string, string?> { ["Secrets:GitHubWebhook"] = Webhook.Secret });
        var body = """{"action":"opened","issue":{"title":"It \"works\" 🎉","id":1},"repository":{"full_name":"octo/hello","private":false},"sender":{"login":"octocat","id":583231}}"""u8.ToArray();
        var delivery = Guid.NewGuid().ToString();
        for (var sent = 0; sent < 2; sent++)
        {
            var request = Webhook.Request(body, path: "/api/ingest/github_events");
            request.Headers.Add("X-GitHub-Delivery", delivery);
            request.Headers.Add("X-GitHub-Event", "issues");
            using var response = await app.Client.SendAsync(request);
            var answer = await response.StoredAsync();
            Assert.Equal(sent == 1, answer.GetProperty("duplicate").GetBoolean());
            Assert.Equal(1 - sent, answer.GetProperty("inserted").GetInt32());
        }
        Assert.Equal($"{delivery}|issues|opened|octo/hello|octocat|It \"works\" 🎉", await Webhook.RowAsync($"SELECT delivery, event, action, repository, sender, title FROM {table}"));
    }

    [Fact]
    public async Task The_ingest_stores_Stripes_events_with_amounts_in_minor_units_and_each_once()
    {
        var sample = await File.ReadAllTextAsync(Path.Combine(LocalHost.RepositoryRoot(), "functions", "sql", "ingest", "stripe_events.sql"));
        var table = $"my_db.{Webhook.NewSchema()}.stripe_events";
        await using var app = await LocalApp.StartAsync(
            new Dictionary<string, string> { ["ingest/stripe_events.sql"] = sample.Replace("my_db.main.stripe_events", table, StringComparison.Ordinal) },
            new Dictionary<string, string?> { ["Secrets:StripeWebhook"] = "whsec_test" });
        var id = $"evt_{Guid.NewGuid():N}";
        // Events in Stripe's shapes, as its documents have them: a charge, an invoice, a customer that changed, a checkout whose customer is expanded.
        (string Id, string Type, string Data)[] events =
        [
            ($"{id}a", "charge.succeeded", """{"object":{"id":"ch_1","object":"charge","amount":9007199254740993,"amount_refunded":0,"currency":"usd","customer":"cus_1","metadata":{}}}"""),
            ($"{id}b", "invoice.paid", """{"object":{"id":"in_1","object":"invoice","total":-500,"currency":"eur","customer":"cus_1","lines":{"object":"list","data":[]}}}"""),
            ($"{id}c", "customer.updated", """{"object":{"id":"cus_1","object":"customer","currency":null},"previous_attributes":{"email":"a@example.com"}}"""),
            ($"{id}d", "checkout.session.completed", """{"object":{"id":"cs_1","object":"checkout.session","amount_total":1099,"currency":"jpy","customer":{"id":"cus_2"}}}"""),
        ];
        foreach (var (one, type, data) in events.Append(events[0]))
        {
            var body = $$"""{"id":"{{one}}","object":"event","api_version":"2024-06-20","created":1719500000,"data":{{data}},"livemode":false,"pending_webhooks":1,"request":{"id":null,"idempotency_key":null},"type":"{{type}}"}""";
            var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
            var signature = Convert.ToHexStringLower(HMACSHA256.HashData("whsec_test"u8, Encoding.UTF8.GetBytes($"{now}.{body}")));
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/ingest/stripe_events") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
            request.Headers.Add("Stripe-Signature", $"t={now},v1={signature},v0=00");
            using var response = await app.Client.SendAsync(request);
            await response.StoredAsync();
        }
        Assert.Equal(
            ["charge.succeeded|ch_1|cus_1|9007199254740993|usd|", "invoice.paid|in_1|cus_1|-500|eur|", "customer.updated|cus_1||||{\"email\":\"a@example.com\"}", "checkout.session.completed|cs_1|{\"id\":\"cus_2\"}|1099|jpy|"],
            (await Webhook.RowsAsync($"SELECT type, object_id, customer, amount, currency, previous_attributes FROM {table} WHERE created = TIMESTAMPTZ '2024-06-27 14:53:20Z' ORDER BY id")).Select(row => string.Join('|', row)));
    }
}
