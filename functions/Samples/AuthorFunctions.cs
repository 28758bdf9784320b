using MdFunctions.Engine.Http;
using MdFunctions.Engine.MotherDuck;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace MdFunctions.Samples;

/// <summary>A function by hand, for what a SQL file cannot say: two queries, one answer made of both, and a 404.</summary>
public sealed class AuthorFunctions(MotherDuckDataSources motherDuck)
{
    /// <summary><c>GET /api/samples/authors/NAME</c>: an author's five best stories on Hacker News, each with its comments.</summary>
    [Function("SampleAuthor")]
    public Task<IResult> Get([HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "samples/authors/{name}")] HttpRequest request, string name) =>
        Guard.RunAsync(request, async () =>
        {
            var (stories, comments) = await motherDuck.Read.ReadAsync(TimeSpan.FromSeconds(30), async (connection, stop) => (
                await connection.RowsAsync(Stories, [name], row => (Id: row.Get<long>(0), Title: row.Text(1), Score: row.Get<long>(2)), stop),
                await connection.RowsAsync(Comments, [name], row => (Story: row.Get<long>(0), Text: row.Text(1)), stop)), request.HttpContext.RequestAborted);
            if (stories.Count == 0)
                return Problem.NotFound("author", name);
            var byStory = comments.ToLookup(comment => comment.Story, comment => comment.Text);
            return Results.Json(stories.Select(story => new { story.Title, story.Score, Comments = byStory[story.Id] }));
        });

    private const string Stories = """
        SELECT id, title, score FROM sample_data.hn.hacker_news
        WHERE type = 'story' AND "by" = CAST($1 AS VARCHAR) ORDER BY score DESC, id LIMIT 5
        """;

    private const string Comments = """
        SELECT c.parent, c.text FROM sample_data.hn.hacker_news c JOIN sample_data.hn.hacker_news s ON s.id = c.parent
        WHERE c.type = 'comment' AND s.type = 'story' AND s."by" = CAST($1 AS VARCHAR) ORDER BY c.id
        """;
}
