using Microsoft.OpenApi;

namespace MdFunctions.Engine.Docs;

/// <summary>The paths that tell of the app itself.</summary>
internal static class AppPaths
{
    private static readonly OpenApiSchema AnyObject = new() { Type = JsonSchemaType.Object };

    /// <summary>Describes the health route.</summary>
    public static OpenApiPathItem Health(Operations operations) => Get(
        operations.Operation("health", "App", "Whether the app runs, with its pools and tokens", Operations.Json("It runs", AnyObject), 401, 503),
        Flag("deep", false, "true asks MotherDuck too, which wakes and bills its engine"));

    /// <summary>Describes this document.</summary>
    public static OpenApiPathItem OpenApi(Operations operations) => Get(
        operations.Operation("openApi", "App", "This document", Operations.Json("OpenAPI 3.1", AnyObject), 401),
        Flag("columns", true, "false leaves out the columns of answers, for which MotherDuck may have to be asked"));

    /// <summary>Describes the Model Context Protocol's route.</summary>
    public static OpenApiPathItem Mcp(Operations operations)
    {
        var operation = operations.Operation("mcp", "App", "The Model Context Protocol: each query a tool for models",
            Operations.Response("Messages of JSON-RPC 2.0, as server-sent events", ("text/event-stream", new OpenApiSchema { Type = JsonSchemaType.String })), 400, 401, 405, 406, 413, 415);
        operation.Responses!["202"] = Operations.Response("A notification was taken; there is nothing to answer.");
        operation.RequestBody = Operations.Body(("application/json", AnyObject));
        return Operations.Path(HttpMethod.Post, operation);
    }

    /// <summary>Describes the metadata of RFC 9728.</summary>
    public static OpenApiPathItem Metadata(Operations operations) => Open(operations.Operation(
        "mcpMetadata", "App", "Where clients of MCP get a token; 404 where none is asked for", Operations.Json("Protected resource metadata (RFC 9728)", AnyObject), 404, 405));

    /// <summary>Describes the page.</summary>
    public static OpenApiPathItem Page(Operations operations) => Open(operations.Operation(
        "docs", "App", "A page to try everything on", Operations.Response("The page", ("text/html", new OpenApiSchema { Type = JsonSchemaType.String }))));

    private static OpenApiPathItem Get(OpenApiOperation operation, IOpenApiParameter parameter)
    {
        operation.Parameters = [parameter];
        return Operations.Path(HttpMethod.Get, operation);
    }

    // Nobody is asked for a key or a token.
    private static OpenApiPathItem Open(OpenApiOperation operation)
    {
        operation.Security = [];
        return Operations.Path(HttpMethod.Get, operation);
    }

    private static OpenApiParameter Flag(string name, bool otherwise, string description) =>
        Operations.Parameter(ParameterLocation.Query, name, description, new() { Type = JsonSchemaType.Boolean, Default = otherwise });
}
