using MdFunctions.Engine.Ingest;
using Microsoft.OpenApi;

namespace MdFunctions.Engine.Docs;

/// <summary>The path of a webhook.</summary>
internal static class IngestPath
{
    /// <summary>Describes an ingest.</summary>
    public static OpenApiPathItem Of(IngestTemplate ingest, Operations operations)
    {
        var name = ingest.Template.Name;
        var operation = operations.Operation($"ingest_{name}", "Ingest", ingest.Template.Summary ?? name,
            Operations.Json("The rows are stored, or were before", operations.Schema("IngestResult")), 400, 401, 405, 413, 415, 422, 502, 503, 504);
        operation.Description = $"Stores the body's rows in {ingest.Target}. The sender signs: no function key is asked for.";
        operation.Security = []; // The signature lets senders in.
        var row = BodySchema.Of(ingest.Columns);
        var body = Operations.Body(
            ("application/json", new OpenApiSchema { OneOf = [row, new OpenApiSchema { Type = JsonSchemaType.Array, Items = row }] }),
            ("application/x-ndjson", AnswerSchemas.Text("a row a line")),
            ("application/x-www-form-urlencoded", ingest.Form is { } field ? Form(field) : row));
        body.Description = $"A row or an array of rows; at most {ingest.MaxBytes} bytes and {ingest.MaxRows} rows.";
        operation.RequestBody = body;
        operation.Parameters = [.. ingest.Signature.Headers.Select(Header)];
        if (ingest.IdHeaders is [var id, ..] && !operation.Parameters.Any(parameter => id.Equals(parameter.Name, StringComparison.OrdinalIgnoreCase)))
            operation.Parameters.Add(Header((id, "Names the delivery, which is stored once")));
        operation.AddExtension("x-signature", ApiDocument.Note(ingest.Signature.Scheme));
        var path = Operations.Path(HttpMethod.Post, operation);
        if (ingest.Handshake is { Method: "GET" } handshake)
            path.AddOperation(HttpMethod.Get, Greeting(ingest, handshake, operations));
        return path;
    }

    private static OpenApiOperation Greeting(IngestTemplate ingest, Handshake handshake, Operations operations)
    {
        var operation = operations.Operation($"handshake_{ingest.Name}", "Ingest", $"The sender of {ingest.Name} asks for the URL",
            Operations.Response("The text that was sent", ("text/plain", AnswerSchemas.Text("the text"))), 400, 401, 405, 503);
        operation.Security = [];
        operation.Parameters = [.. ((Place?[])[handshake.When?.Place, handshake.Token, handshake.Echo]).OfType<Place>().Select(place => Operations.Parameter(
            ParameterLocation.Query, place.Name, place == handshake.Echo ? "The text to answer" : place == handshake.Token ? "The verify token" : handshake.When!.Value.Value,
            new() { Type = JsonSchemaType.String }, required: true))];
        return operation;
    }

    private static OpenApiSchema Form(string field) => new()
    {
        Type = JsonSchemaType.Object,
        Required = new HashSet<string> { field },
        Properties = new Dictionary<string, IOpenApiSchema> { [field] = AnswerSchemas.Text("the JSON") },
    };

    private static IOpenApiParameter Header((string Name, string Description) header) =>
        Operations.Parameter(ParameterLocation.Header, header.Name, header.Description, new() { Type = JsonSchemaType.String }, required: true);
}
