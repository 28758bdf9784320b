using Microsoft.OpenApi;

namespace MdFunctions.Engine.Docs;

/// <summary>The path of storage events.</summary>
internal static class EventPath
{
    /// <summary>Describes it.</summary>
    public static OpenApiPathItem Of(Operations operations)
    {
        var path = new OpenApiPathItem();
        var post = operations.Operation("storageEvents", "Loads", "Blobs that Azure Event Grid tells of", Operations.Json("All are loaded, or are nobody's", new OpenApiSchema { Type = JsonSchemaType.Object }), 400, 401, 405, 413, 503);
        post.RequestBody = Operations.Body(
            ("application/json", AnswerSchemas.Array()),
            ("application/cloudevents+json", new OpenApiSchema { Type = JsonSchemaType.Object }),
            ("application/cloudevents-batch+json", AnswerSchemas.Array()));
        path.AddOperation(HttpMethod.Post, post);
        path.AddOperation(HttpMethod.Options, operations.Operation("storageEventsHandshake", "Loads", "The handshake of CloudEvents", Operations.Response("The sender may deliver"), 400, 401));
        return path;
    }
}
