using MdFunctions.Http;
using MdFunctions.Templates;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace MdFunctions.Ingest;

/// <summary><c>/api/ingest</c>: every file of <c>sql/ingest</c> as a webhook.</summary>
public sealed class IngestFunctions(TemplateCatalog templates, IngestRunner runner)
{
    /// <summary><c>POST /api/ingest/NAME</c>: stores a body's rows. Senders such as GitHub cannot send a function key; the signature lets them in.</summary>
    [Function("Ingest")]
    public Task<IResult> Run([HttpTrigger(AuthorizationLevel.Anonymous, Route = "ingest/{name}")] HttpRequest request, string name) =>
        Guard.RunAsync(request, async () =>
        {
            if (!templates.Ingests.TryGetValue(name, out var ingest))
                return Problem.NotFound("ingest", name);
            if (request.Method != "POST")
                return Problem.MethodNotAllowed(request.Method, "POST");
            return Results.Json(await runner.RunAsync(ingest, request));
        });
}
