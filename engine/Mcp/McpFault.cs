using Microsoft.AspNetCore.Http;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MdFunctions.Engine.Mcp;

/// <summary>A message that is answered before any tool sees it: an error of JSON-RPC 2.0.</summary>
/// <param name="Code">Which.</param>
/// <param name="Message">What to change.</param>
/// <param name="Id">The request's id; null where it could not be read.</param>
/// <param name="Details">More, for a program.</param>
internal sealed record McpFault(McpErrorCode Code, string Message, RequestId? Id = null, object? Details = null) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext) =>
        Results.Json(
            new { jsonrpc = "2.0", id = Id?.Id, error = new { code = (int)Code, message = Message, data = Details } },
            statusCode: Code == McpErrorCode.InvalidParams ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest).ExecuteAsync(httpContext);
}
