using MdFunctions.Engine.Queries;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace MdFunctions;

/// <summary><c>/api/queries</c>: every file of <c>sql/queries</c> as an HTTP endpoint.</summary>
public sealed class QueryFunctions(QueryRequests queries)
{
    /// <summary><c>GET /api/queries</c>: the catalog.</summary>
    [Function("Queries")]
    public Task<IResult> List([HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "queries")] HttpRequest request) => queries.ListAsync(request);

    /// <summary><c>GET</c>, <c>HEAD</c> or <c>POST /api/queries/NAME</c>: runs a query.</summary>
    [Function("Query")]
    public Task<IResult> Run([HttpTrigger(AuthorizationLevel.Function, Route = "queries/{name}")] HttpRequest request, string name) =>
        queries.RunAsync(request, name);
}
