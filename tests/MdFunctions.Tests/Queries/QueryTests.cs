using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Queries;

/// <summary>The samples as a newcomer calls them, and the faults that a request can have.</summary>
public sealed class QueryTests(QueryTests.Samples samples) : IClassFixture<QueryTests.Samples>
{
    private readonly LocalApp _app = samples.App;

    public sealed class Samples : IAsyncLifetime
    {
        public LocalApp App { get; private set; } = null!;

        public async Task InitializeAsync() => App = await LocalApp.StartAsync();

        public async Task DisposeAsync() => await App.DisposeAsync();
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
    public async Task Parameters_can_be_posted_as_json()
    {
        using var response = await _app.Client.PostAsJsonAsync("/api/queries/top_stories", new { limit = 3, type = "job", since = (string?)null });
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
        using var response = await _app.Client.GetAsync($"/api/queries/top_stories?{query}");
        var problem = await response.ProblemAsync(400);
        Assert.Contains(message, problem.GetProperty("errors").GetProperty(parameter)[0].GetString(), StringComparison.Ordinal);
        Assert.Contains(parameter, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_faults_of_a_request_are_reported_together()
    {
        using var response = await _app.Client.GetAsync("/api/queries/top_stories?limit=0&since=x&nope=1&type=y");
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
        using var response = await _app.Client.PostAsync("/api/queries/top_stories", new StringContent(body, Encoding.UTF8, contentType));
        await response.ProblemAsync(status);
    }

    [Fact]
    public async Task A_body_over_the_limit_is_413_before_it_is_read_whole()
    {
        using var response = await _app.Client.PostAsync("/api/queries/top_stories", JsonContent.Create(new { type = new string('x', 2_000_000) }));
        await response.ProblemAsync(413);
    }

    [Fact]
    public async Task An_unknown_query_is_404_and_a_wrong_method_405()
    {
        using var unknown = await _app.Client.GetAsync("/api/queries/none");
        Assert.Contains("'none'", (await unknown.ProblemAsync(404)).GetProperty("detail").GetString(), StringComparison.Ordinal);
        using var wrong = await _app.Client.DeleteAsync("/api/queries/top_stories");
        await wrong.ProblemAsync(405);
        Assert.Equal(["GET", "POST"], wrong.Content.Headers.Allow);
    }

    [Fact]
    public async Task The_function_key_in_the_query_string_is_no_parameter()
    {
        Assert.Equal(5, (await _app.GetJsonAsync("/api/queries/top_stories?code=abc")).GetArrayLength());
    }

    [Fact]
    public async Task The_catalog_describes_every_query()
    {
        var catalog = await _app.GetJsonAsync("/api/queries");
        var stories = Assert.Single(catalog.EnumerateArray(), query => query.GetProperty("name").GetString() == "top_stories");
        Assert.Equal("Top Hacker News items by score", stories.GetProperty("summary").GetString());
        var limit = Assert.Single(stories.GetProperty("parameters").EnumerateArray(), p => p.GetProperty("name").GetString() == "limit");
        Assert.Equal(("INTEGER", "5", "1", "100"), (limit.GetProperty("type").GetString(), limit.GetProperty("default").GetString(), limit.GetProperty("minimum").GetString(), limit.GetProperty("maximum").GetString()));
        using var answer = await _app.Client.GetAsync(stories.GetProperty("url").GetString());
        Assert.True(answer.IsSuccessStatusCode);
    }

    [Fact]
    public async Task The_taxi_days_are_those_asked_for()
    {
        var days = await _app.GetJsonAsync("/api/queries/taxi_by_day?from=2022-11-05&to=2022-11-07");
        Assert.Equal(["2022-11-05", "2022-11-06", "2022-11-07"], days.EnumerateArray().Select(day => day.GetProperty("day").GetString()!));
    }
}
