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
        operation.RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Description = $"A row or an array of rows; at most {ingest.MaxBytes} bytes and {ingest.MaxRows} rows.",
            Content = new Dictionary<string, IOpenApiMediaType>
            {
                ["application/json"] = new OpenApiMediaType { Schema = new OpenApiSchema { OneOf = [row, new OpenApiSchema { Type = JsonSchemaType.Array, Items = row }] } },
                ["application/x-ndjson"] = new OpenApiMediaType { Schema = AnswerSchemas.Text("a row a line") },
            },
        };
        operation.Parameters = [.. SignatureHeaders(ingest.Signature).Select(Header)];
        if (ingest.IdHeader is { } id && !operation.Parameters.Any(parameter => id.Equals(parameter.Name, StringComparison.OrdinalIgnoreCase)))
            operation.Parameters.Add(Header((id, "Names the delivery, which is stored once")));
        operation.AddExtension("x-signature", ApiDocument.Note(Scheme(ingest.Signature)));
        return Operations.Path(HttpMethod.Post, operation);
    }

    private static string Scheme(Signature signature) => signature switch
    {
        GitHubSignature => "github",
        StandardWebhooksSignature => "standard-webhooks",
        SharedSecret => "header",
        _ => signature.GetType().Name,
    };

    private static IEnumerable<(string Name, string Description)> SignatureHeaders(Signature signature) => signature switch
    {
        GitHubSignature => [("X-Hub-Signature-256", "sha256= and the HMAC-SHA256 of the body in hexadecimal digits")],
        StandardWebhooksSignature =>
        [
            ("webhook-id", "Names the delivery, which is stored once"),
            ("webhook-timestamp", "Seconds since 1970; at most five minutes from now"),
            ("webhook-signature", "v1, and the HMAC-SHA256 of id.timestamp.body in base64"),
        ],
        SharedSecret shared => [(shared.Header, "The secret")],
        _ => [],
    };

    private static IOpenApiParameter Header((string Name, string Description) header) => new OpenApiParameter
    {
        Name = header.Name,
        In = ParameterLocation.Header,
        Required = true,
        Description = header.Description,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };
}
