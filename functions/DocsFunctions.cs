using MdFunctions.Engine.Docs;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace MdFunctions;

/// <summary>The app's description and the page to try it on.</summary>
public sealed class DocsFunctions(DocsRequests docs)
{
    /// <summary><c>GET /api/openapi.json</c>: OpenAPI 3.1, made from the SQL files.</summary>
    [Function("OpenApi")]
    public Task<IResult> OpenApi([HttpTrigger(AuthorizationLevel.Function, Route = "openapi.json")] HttpRequest request) => docs.OpenApiAsync(request);

    /// <summary><c>GET /api/docs</c>: a page that holds no data; it asks for the function key itself.</summary>
    [Function("Docs")]
    public Task<IResult> Page([HttpTrigger(AuthorizationLevel.Anonymous, Route = "docs")] HttpRequest request) => docs.PageAsync(request);
}
