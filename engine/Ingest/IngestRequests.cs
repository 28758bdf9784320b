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

    /// <summary>Checks a webhook's signature and stores the rows of its body, or answers a handshake.</summary>
    /// <param name="request">The request: a <c>POST</c>, or the handshake by which the sender asks for the URL.</param>
    /// <param name="name">The ingest's name: that of its file without <c>.sql</c>.</param>
    public Task<IResult> RunAsync(HttpRequest request, string name) => Guard.RunAsync(request, Door.Open, async () =>
    {
        if (!_templates.Ingests.TryGetValue(name, out var ingest))
            return Problem.NotFound("ingest", name);
        if (request.Method != "POST" && ingest.Handshake?.Asked(request) is null)
            return Problem.MethodNotAllowed(request.Method, ingest.Handshake?.Method == "GET" ? "GET, POST" : "POST");
        return await _runner.RunAsync(ingest, request);
    });
}
