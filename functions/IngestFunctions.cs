using MdFunctions.Engine.Ingest;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace MdFunctions;

/// <summary><c>/api/ingest</c>: every file of <c>sql/ingest</c> as a webhook.</summary>
public sealed class IngestFunctions(IngestRequests ingests)
{
    /// <summary><c>POST /api/ingest/NAME</c>: stores a body's rows; <c>GET</c> where a sender's handshake uses it. Senders such as GitHub cannot send a function key; the signature lets them in.</summary>
    [Function("Ingest")]
    public Task<IResult> Run([HttpTrigger(AuthorizationLevel.Anonymous, Route = "ingest/{name}")] HttpRequest request, string name) =>
        ingests.RunAsync(request, name);
}
