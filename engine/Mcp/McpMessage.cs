using System.Text.Json;
using System.Text.Json.Nodes;
using MdFunctions.Engine.Http;
using Microsoft.AspNetCore.Http;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MdFunctions.Engine.Mcp;

/// <summary>Reads what was posted: one message of JSON-RPC 2.0, and headers that say the same as it does.</summary>
internal static class McpMessage
{
    private const string VersionInBody = "io.modelcontextprotocol/protocolVersion";

    // Since this revision there is no handshake, and headers repeat what stands in the body.
    private const string FirstWithoutHandshake = "2026-07-28";

    /// <summary>The revisions of the protocol that the server speaks.</summary>
    public static readonly string[] Versions = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", FirstWithoutHandshake];

    /// <summary>Reads a message.</summary>
    /// <returns>The message, or what is wrong with it.</returns>
    public static (JsonRpcMessage? Message, McpFault? Fault) Read(IHeaderDictionary headers, byte[] body)
    {
        if (StrictJson.Fault(body) is { } wrong)
            return (null, new(McpErrorCode.ParseError, $"The body {wrong}."));
        JsonRpcMessage? message = null;
        try
        {
            message = JsonSerializer.Deserialize<JsonRpcMessage>(body, McpJsonUtilities.DefaultOptions);
        }
        catch (JsonException)
        {
            // Such as a batch, which is no longer part of the protocol.
        }
        return message is null ? (null, new(McpErrorCode.InvalidRequest, "The body is not one message of JSON-RPC 2.0.")) : (message, Check(headers, message));
    }

    private static McpFault? Check(IHeaderDictionary headers, JsonRpcMessage message)
    {
        var version = headers["MCP-Protocol-Version"].FirstOrDefault();
        var (id, method, parameters) = message switch
        {
            JsonRpcRequest request => (request.Id, request.Method, request.Params),
            JsonRpcNotification notification => (default(RequestId?), notification.Method, notification.Params),
            _ => (null, null, null),
        };
        if (version is not null && !Versions.Contains(version))
            return new(McpErrorCode.UnsupportedProtocolVersion, "MCP-Protocol-Version is no version that this server speaks.", id, new { supported = Versions, requested = version });
        if (parameters is not (null or JsonObject))
            return new(McpErrorCode.InvalidParams, "params has to be an object.", id);
        var name = method == "tools/call" ? Text(parameters?["name"]) : null;
        if (method == "tools/call" && (name is null || parameters!["arguments"] is not (null or JsonObject)))
            return new(McpErrorCode.InvalidParams, "params of tools/call need name, the tool's, and may have arguments, an object.", id);
        if (Text((parameters?["_meta"] as JsonObject)?[VersionInBody]) is { } written && written != version)
            return Mismatch("MCP-Protocol-Version", $"params._meta['{VersionInBody}']");
        if (method is null || string.CompareOrdinal(version, FirstWithoutHandshake) < 0)
            return null;
        return headers["Mcp-Method"] != method ? Mismatch("Mcp-Method", "method")
            : name is not null && headers["Mcp-Name"] != name ? Mismatch("Mcp-Name", "params.name")
            : null;

        McpFault Mismatch(string header, string field) => new(McpErrorCode.HeaderMismatch, $"The header {header} has to say what {field} says.", id);
    }

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) ? text : null;
}
