using MdFunctions.Http;
using MdFunctions.Templates;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace MdFunctions.Queries;

/// <summary><c>/api/queries</c>: every file of <c>sql/queries</c> as an HTTP endpoint.</summary>
public sealed class QueryFunctions(TemplateCatalog templates, QueryRunner runner)
{
    /// <summary><c>GET /api/queries</c>: the catalog.</summary>
    [Function("Queries")]
    public IResult List([HttpTrigger(AuthorizationLevel.Function, "get", Route = "queries")] HttpRequest request) =>
        Results.Json(QueryCatalog.Of(templates.Queries.Values, request));

    /// <summary><c>GET</c> or <c>POST /api/queries/NAME</c>: runs a query.</summary>
    [Function("Query")]
    public Task<IResult> Run([HttpTrigger(AuthorizationLevel.Function, Route = "queries/{name}")] HttpRequest request, string name) =>
        Guard.RunAsync(request, async () =>
        {
            if (!templates.Queries.TryGetValue(name, out var query))
                return Problem.NotFound("query", name);
            if (request.Method is not ("GET" or "POST"))
                return Problem.MethodNotAllowed(request.Method, "GET, POST");
            var format = ResultFormat.Of(request);
            var values = await TemplateInput.ReadAsync(request, query.Template.Parameters, QueryTemplate.Reserved, request.HttpContext.RequestAborted);
            return new QueryAnswer(runner, query, values, format);
        });

    private sealed class QueryAnswer(QueryRunner runner, QueryTemplate query, ParameterValue?[] values, ResultFormat format) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => runner.RunAsync(query, values, format, httpContext);
    }
}
