using MdFunctions.Engine.Access;
using MdFunctions.Engine.Http;
using MdFunctions.Engine.Templates;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Ingest;

/// <summary>What <c>/api/ingest</c> answers.</summary>
public sealed class IngestRequests
{
    private readonly TemplateCatalog _templates;
    private readonly IngestRunner _runner;

    internal IngestRequests(TemplateCatalog templates, IngestRunner runner) => (_templates, _runner) = (templates, runner);

    /// <summary>Checks a webhook's signature and stores the rows of its body.</summary>
    /// <param name="request">The request, a <c>POST</c>.</param>
    /// <param name="name">The ingest's name: that of its file without <c>.sql</c>.</param>
    public Task<IResult> RunAsync(HttpRequest request, string name) => Guard.RunAsync(request, Door.Open, async () =>
    {
        if (!_templates.Ingests.TryGetValue(name, out var ingest))
            return Problem.NotFound("ingest", name);
        if (request.Method != "POST")
            return Problem.MethodNotAllowed(request.Method, "POST");
        return Results.Json(await _runner.RunAsync(ingest, request));
    });
}
