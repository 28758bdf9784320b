using MdFunctions.Engine.Access;
using MdFunctions.Engine.Http;
using MdFunctions.Engine.Templates;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Queries;

/// <summary>What <c>/api/queries</c> answers.</summary>
public sealed class QueryRequests
{
    private readonly TemplateCatalog _templates;
    private readonly QueryRunner _runner;
    private readonly PublicUrl _url;

    internal QueryRequests(TemplateCatalog templates, QueryRunner runner, PublicUrl url) => (_templates, _runner, _url) = (templates, runner, url);

    /// <summary>Lists the queries that the caller may run, with their parameters.</summary>
    public Task<IResult> ListAsync(HttpRequest request) => Guard.RunAsync(request, () =>
    {
        var caller = Caller.Of(request.HttpContext);
        _url.Protect(request.HttpContext.Response);
        return Task.FromResult(Results.Json(QueryCatalog.Of(_templates.Queries.Values.Where(query => caller.May(query.Template.Access)), _url.Of(request))));
    });

    /// <summary>Runs a query with the parameters of a request.</summary>
    /// <param name="request">The request: <c>GET</c> or <c>HEAD</c> with a query string, or <c>POST</c> with a JSON object.</param>
    /// <param name="name">The query's name: that of its file without <c>.sql</c>.</param>
    public Task<IResult> RunAsync(HttpRequest request, string name) => Guard.RunAsync(request, async () =>
    {
        if (!_templates.Queries.TryGetValue(name, out var query))
            return Problem.NotFound("query", name);
        Caller.Of(request.HttpContext).Demand(query.Template.Access, $"query {name}");
        if (request.Method is not ("GET" or "HEAD" or "POST"))
            return Problem.MethodNotAllowed(request.Method, "GET, HEAD, POST");
        if (await _runner.RefuseAsync(query, request) is { } busy)
            return busy;
        var format = ResultFormat.Of(request);
        var values = await TemplateInput.ReadAsync(request, query.Template.Parameters, QueryTemplate.Reserved, request.HttpContext.RequestAborted);
        return new QueryAnswer(_runner, query, values, format);
    });

    private sealed class QueryAnswer(QueryRunner runner, QueryTemplate query, ParameterValue?[] values, ResultFormat format) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => runner.RunAsync(query, values, format, httpContext);
    }
}
