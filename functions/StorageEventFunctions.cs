using MdFunctions.Engine.Loads;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace MdFunctions;

/// <summary><c>/api/events/storage</c>: where Azure Event Grid tells of new blobs.</summary>
public sealed class StorageEventFunctions(StorageEvents events)
{
    /// <summary><c>OPTIONS</c> answers the handshake of CloudEvents, <c>POST</c> takes events.</summary>
    [Function("StorageEvents")]
    public Task<IResult> Receive([HttpTrigger(AuthorizationLevel.Function, Route = "events/storage")] HttpRequest request) => events.ReceiveAsync(request);
}
