using Microsoft.OpenApi;

namespace MdFunctions.Engine.Docs;

/// <summary>The paths that tell of the app itself.</summary>
internal static class AppPaths
{
    /// <summary>Describes the health route.</summary>
    public static OpenApiPathItem Health(Operations operations)
    {
        var operation = operations.Operation("health", "App", "Whether the app runs, with its pools and tokens", Operations.Json("It runs", new OpenApiSchema { Type = JsonSchemaType.Object }), 401, 503);
        operation.Parameters =
        [
            new OpenApiParameter
            {
                Name = "deep", In = ParameterLocation.Query, Description = "true asks MotherDuck too, which wakes and bills its engine",
                Schema = new OpenApiSchema { Type = JsonSchemaType.Boolean, Default = false },
            },
        ];
        return Operations.Path(HttpMethod.Get, operation);
    }

    /// <summary>Describes this document.</summary>
    public static OpenApiPathItem OpenApi(Operations operations)
    {
        var operation = operations.Operation("openApi", "App", "This document", Operations.Json("OpenAPI 3.1", new OpenApiSchema { Type = JsonSchemaType.Object }), 401);
        operation.Parameters =
        [
            new OpenApiParameter
            {
                Name = "columns", In = ParameterLocation.Query, Description = "false leaves out the columns of answers, for which MotherDuck may have to be asked",
                Schema = new OpenApiSchema { Type = JsonSchemaType.Boolean, Default = true },
            },
        ];
        return Operations.Path(HttpMethod.Get, operation);
    }

    /// <summary>Describes the Model Context Protocol's route.</summary>
    public static OpenApiPathItem Mcp(Operations operations)
    {
        var operation = operations.Operation("mcp", "App", "The Model Context Protocol: each query a tool for models", new OpenApiResponse
        {
            Description = "Messages of JSON-RPC 2.0, as server-sent events",
            Content = new Dictionary<string, IOpenApiMediaType> { ["text/event-stream"] = new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String } } },
        }, 400, 401, 405, 406, 413, 415);
        operation.Responses!["202"] = new OpenApiResponse { Description = "A notification was taken; there is nothing to answer." };
        operation.RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Content = new Dictionary<string, IOpenApiMediaType> { ["application/json"] = new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.Object } } },
        };
        return Operations.Path(HttpMethod.Post, operation);
    }

    /// <summary>Describes the metadata of RFC 9728.</summary>
    public static OpenApiPathItem Metadata(Operations operations)
    {
        var operation = operations.Operation("mcpMetadata", "App", "Where clients of MCP get a token; 404 where none is asked for",
            Operations.Json("Protected resource metadata (RFC 9728)", new OpenApiSchema { Type = JsonSchemaType.Object }), 404, 405);
        operation.Security = [];
        return Operations.Path(HttpMethod.Get, operation);
    }

    /// <summary>Describes the page.</summary>
    public static OpenApiPathItem Page(Operations operations)
    {
        var operation = operations.Operation("docs", "App", "A page to try everything on", new OpenApiResponse
        {
            Description = "The page",
            Content = new Dictionary<string, IOpenApiMediaType> { ["text/html"] = new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String } } },
        });
        operation.Security = [];
        return Operations.Path(HttpMethod.Get, operation);
    }
}
