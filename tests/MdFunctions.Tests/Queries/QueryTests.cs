using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Queries;

/// <summary>The faults that a request can have, and the catalog.</summary>
public sealed class QueryTests(QueryTests.Stories stories) : IClassFixture<QueryTests.Stories>
{
    private readonly LocalApp _app = stories.App;

    public sealed class Stories : IAsyncLifetime
    {
        private const string Sql = """
            /*
            summary: Top Hacker News items by score
            parameters:
              type:  { type: varchar, default: story, enum: [story, comment, job, poll] }
              since: { type: date, optional: true }
              limit: { type: integer, default: 5, minimum: 1, maximum: 100 }
            */
            SELECT title, score
            FROM sample_data.hn.hacker_news
            WHERE type = $type AND ($since IS NULL OR timestamp >= $since)
            ORDER BY score DESC
            LIMIT $limit
            """;

        public LocalApp App { get; private set; } = null!;

        public async Task InitializeAsync() => App = await LocalApp.StartAsync(new Dictionary<string, string> { ["queries/stories.sql"] = Sql });

        public async Task DisposeAsync() => await App.DisposeAsync();
    }

    [Fact]
    public async Task Parameters_can_be_posted_as_json()
    {
        using var response = await _app.Client.PostAsJsonAsync("/api/queries/stories", new { limit = 3, type = "job", since = (string?)null });
        Assert.Equal(3, (await response.Content.ReadFromJsonAsync<JsonElement>()).GetArrayLength());
    }

    [Theory]
    [InlineData("limit=0", "limit", "below the minimum, 1")]
    [InlineData("limit=101", "limit", "above the maximum, 100")]
    [InlineData("limit=x", "limit", "not an integer")]
    [InlineData("limit=5.0", "limit", "not an integer")]
    [InlineData("limit=", "limit", "not an integer")]
    [InlineData("limit=99999999999999999999", "limit", "not an integer")]
    [InlineData("limit=1&limit=2", "limit", "given 2 times")]
    [InlineData("nope=1", "nope", "is unknown; the parameters are type, since, limit")]
    [InlineData("type=show", "type", "not one of story, comment, job, poll")]
    [InlineData("since=2026-02-30", "since", "not a date")]
    [InlineData("since=01/02/2026", "since", "not a date")]
    [InlineData("format=xml", "format", "not one of json, ndjson, csv")]
    public async Task A_wrong_parameter_is_a_400_that_names_it(string query, string parameter, string message)
    {
        using var response = await _app.Client.GetAsync($"/api/queries/stories?{query}");
        var problem = await response.ProblemAsync(400);
        Assert.Contains(message, problem.GetProperty("errors").GetProperty(parameter)[0].GetString(), StringComparison.Ordinal);
        Assert.Contains(parameter, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_faults_of_a_request_are_reported_together()
    {
        using var response = await _app.Client.GetAsync("/api/queries/stories?limit=0&since=x&nope=1&type=y");
        var errors = (await response.ProblemAsync(400)).GetProperty("errors").EnumerateObject().Select(error => error.Name);
        Assert.Equal(["limit", "nope", "since", "type"], errors.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("[1]", "application/json", 400)]
    [InlineData("{\"limit\": 5", "application/json", 400)]
    [InlineData("{\"limit\": 5, \"limit\": 6}", "application/json", 400)]
    [InlineData("{\"limit\": 5}", "text/plain", 415)]
    [InlineData("{\"limit\": \"five\"}", "application/json", 400)]
    [InlineData("{\"limit\": true}", "application/json", 400)]
    [InlineData("{\"limit\": null}", "application/json", 400)]
    [InlineData("{\"limit\": [5]}", "application/json", 400)]
    [InlineData("{\"type\": 5}", "application/json", 400)]
    public async Task A_wrong_body_is_refused(string body, string contentType, int status)
    {
        using var response = await _app.Client.PostAsync("/api/queries/stories", new StringContent(body, Encoding.UTF8, contentType));
        await response.ProblemAsync(status);
    }

    [Fact]
    public async Task A_body_over_the_limit_is_413_before_it_is_read_whole()
    {
        using var response = await _app.Client.PostAsync("/api/queries/stories", JsonContent.Create(new { type = new string('x', 2_000_000) }));
        await response.ProblemAsync(413);
    }

    [Fact]
    public async Task An_unknown_query_is_404_and_a_wrong_method_405()
    {
        using var unknown = await _app.Client.GetAsync("/api/queries/none");
        Assert.Contains("'none'", (await unknown.ProblemAsync(404)).GetProperty("detail").GetString(), StringComparison.Ordinal);
        using var wrong = await _app.Client.DeleteAsync("/api/queries/stories");
        await wrong.ProblemAsync(405);
        Assert.Equal(["GET", "HEAD", "POST"], wrong.Content.Headers.Allow);
    }

    [Fact]
    public async Task The_function_key_in_the_query_string_is_no_parameter()
    {
        Assert.Equal(5, (await _app.GetJsonAsync("/api/queries/stories?code=abc")).GetArrayLength());
    }

    [Fact]
    public async Task The_catalog_describes_every_query()
    {
        var catalog = await _app.GetJsonAsync("/api/queries");
        var stories = Assert.Single(catalog.EnumerateArray(), query => query.GetProperty("name").GetString() == "stories");
        Assert.Equal("Top Hacker News items by score", stories.GetProperty("summary").GetString());
        var limit = Assert.Single(stories.GetProperty("parameters").EnumerateArray(), p => p.GetProperty("name").GetString() == "limit");
        Assert.Equal(("INTEGER", "5", "1", "100"), (limit.GetProperty("type").GetString(), limit.GetProperty("default").GetString(), limit.GetProperty("minimum").GetString(), limit.GetProperty("maximum").GetString()));
        using var answer = await _app.Client.GetAsync(stories.GetProperty("url").GetString());
        Assert.True(answer.IsSuccessStatusCode);
    }
}
