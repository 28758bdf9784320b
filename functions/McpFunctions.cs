using MdFunctions.Engine.Mcp;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace MdFunctions;

/// <summary><c>/api/mcp</c>: the queries as tools for models.</summary>
public sealed class McpFunctions(McpRequests mcp)
{
    /// <summary><c>POST /api/mcp</c>: the Model Context Protocol, Streamable HTTP without sessions.</summary>
    [Function("Mcp")]
    public Task<IResult> Run([HttpTrigger(AuthorizationLevel.Function, Route = "mcp")] HttpRequest request) => mcp.RunAsync(request);

    /// <summary>Tells clients where to get a token, where the app asks for one; it holds no data.</summary>
    [Function("McpMetadata")]
    public Task<IResult> Metadata([HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = ".well-known/oauth-protected-resource/mcp")] HttpRequest request) =>
        mcp.MetadataAsync(request);
}
