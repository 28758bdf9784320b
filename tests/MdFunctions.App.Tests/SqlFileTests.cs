using System.Text.Json;

namespace MdFunctions.App.Tests;

/// <summary>The SQL files of <c>functions/sql</c>: they start, the loads run, and each query answers.</summary>
public sealed class SqlFileTests(RunningApp app) : IClassFixture<RunningApp>
{
    // The loads to run, in this order, before the queries are asked. A load that reads what no test can reach stays out.
    private static readonly string[] Loads =
    [
#if (!noSamples)
        "weather",
#endif
    ];

    // Query strings for queries with parameters that have no default.
    private static readonly Dictionary<string, string> Parameters = new()
    {
#if (!noSamples)
        ["top_stories"] = "limit=3",
#endif
    };

    [Fact]
    public async Task The_app_starts_with_every_SQL_file()
    {
        var names = (await app.GetAsync("api/queries")).EnumerateArray().Select(query => query.GetProperty("name").GetString());
        var files = Directory.Exists(Path.Combine(Folder(), "queries")) ? Directory.EnumerateFiles(Path.Combine(Folder(), "queries"), "*.sql") : [];
        Assert.Equal(files.Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal), names.Order(StringComparer.Ordinal));
        await app.GetAsync("api/health?deep=true");
    }

    [Fact]
    public async Task Loads_run_and_then_each_query_answers()
    {
        foreach (var load in Loads)
        {
            var run = await app.PostAsync($"api/loads/{load}");
            Assert.True(run.GetProperty("status").GetString() == "succeeded" && run.GetProperty("rows").GetInt64() > 0, $"load {load}: {run}");
        }
        foreach (var query in (await app.GetAsync("api/queries")).EnumerateArray().Select(query => query.GetProperty("name").GetString()!))
        {
            var answer = await app.GetAsync($"api/queries/{query}?{Parameters.GetValueOrDefault(query)}");
            Assert.True(answer.ValueKind == JsonValueKind.Array, $"query {query}: {answer}");
        }
    }
#if (!noSamples)

    [Fact]
    public async Task A_query_answers_what_it_was_asked()
    {
        var stories = await app.GetAsync("api/queries/top_stories?limit=2");
        Assert.Equal(2, stories.GetArrayLength());
        Assert.True(stories[0].GetProperty("score").GetInt64() >= stories[1].GetProperty("score").GetInt64());
    }
#endif
#if (entra)

    [Fact]
    public async Task Nobody_is_let_in_without_a_token()
    {
        using var nobody = new HttpClient { BaseAddress = app.Client.BaseAddress };
        foreach (var path in (string[])["api/queries", "api/loads", "api/openapi.json"])
        {
            using var response = await nobody.GetAsync(path);
            Assert.Equal(System.Net.HttpStatusCode.Unauthorized, response.StatusCode);
        }
    }
#endif

    private static string Folder() => Path.Combine(MdFunctions.Local.LocalHost.RepositoryRoot(), "functions", "sql");
}
