using System.Net;
using System.Text;
using System.Text.Json;
using MdFunctions.Engine.Mcp;

namespace MdFunctions.Tests.Mcp;

/// <summary>
/// What the specification expects of a server over Streamable HTTP that has no sessions (revisions 2025-06-18, 2025-11-25 and 2026-07-28), message by message;
/// the official client asks for a part of it only.
/// </summary>
public sealed class McpConformanceTests(McpTests.App app) : IClassFixture<McpTests.App>
{
    private const string Modern = """
        "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}
        """;

    // Each error of JSON-RPC by its code, with the status it comes with, and the id it answers.
    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":1,""", 400, -32700, null)]
    [InlineData("", 400, -32700, null)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}""", 400, -32700, null)]
    [InlineData("""{"jsonrpc":"2.0","id":1}""", 400, -32600, null)]
    [InlineData("""{"id":1,"method":"ping"}""", 400, -32600, null)]
    [InlineData("""{"jsonrpc":"1.0","id":1,"method":"ping"}""", 400, -32600, null)]
    [InlineData("""{"jsonrpc":"2.0","id":null,"method":"ping"}""", 400, -32600, null)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":5}""", 400, -32600, null)]
    [InlineData("""[{"jsonrpc":"2.0","id":1,"method":"ping"}]""", 400, -32600, null)]
    [InlineData("[]", 400, -32600, null)]
    [InlineData("7", 400, -32600, null)]
    [InlineData("""{"jsonrpc":"2.0","id":"a","method":"nope/x"}""", 200, -32601, "\"a\"")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"resources/list"}""", 200, -32601, "1")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"prompts/list"}""", 200, -32601, "1")]
    [InlineData("""{"jsonrpc":"2.0","id":"a","method":"tools/list","params":[1]}""", 200, -32602, "\"a\"")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"nowhere"}}""", 200, -32602, "1")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call"}""", 200, -32602, "1")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}""", 200, -32602, "1")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}""", 200, -32602, "1")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"three","arguments":[1]}}""", 200, -32602, "1")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"nope"}}""", 200, -32602, "1")]
    public async Task A_wrong_message_is_an_error_of_the_protocol(string message, int status, int code, string? id)
    {
        var (answered, answer) = await PostAsync(message);
        Assert.Equal(status, (int)answered);
        Assert.Equal(code, answer!.Value.GetProperty("error").GetProperty("code").GetInt32());
        Assert.NotEqual("", answer.Value.GetProperty("error").GetProperty("message").GetString());
        Assert.Equal("2.0", answer.Value.GetProperty("jsonrpc").GetString());
        Assert.Equal(id ?? "null", answer.Value.GetProperty("id").GetRawText());
    }

    [Fact]
    public async Task A_wrong_argument_is_an_error_of_the_tool()
    {
        var (status, answer) = await PostAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"numbers","arguments":{"below":-1}}}""");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.True(answer!.Value.GetProperty("result").GetProperty("isError").GetBoolean());
    }

    [Theory]
    [InlineData("2024-11-05", "2024-11-05")]
    [InlineData("2025-03-26", "2025-03-26")]
    [InlineData("2025-06-18", "2025-06-18")]
    [InlineData("2025-11-25", "2025-11-25")]
    [InlineData("1999-01-01", "2025-11-25")]
    public async Task The_handshake_settles_on_a_version_that_both_speak(string asked, string settled)
    {
        var (status, answer) = await PostAsync("""{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"ASKED","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}""".Replace("ASKED", asked, StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.OK, status);
        var result = answer!.Value.GetProperty("result");
        Assert.Equal(settled, result.GetProperty("protocolVersion").GetString());
        Assert.True(result.GetProperty("capabilities").TryGetProperty("tools", out _));
        Assert.NotEqual("", result.GetProperty("serverInfo").GetProperty("name").GetString());
        Assert.NotEqual("", result.GetProperty("serverInfo").GetProperty("version").GetString());
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","method":"notifications/initialized"}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"notifications/nobody-knows"}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no"}}""")]
    public async Task What_wants_no_answer_is_accepted_without_a_body(string message)
    {
        var (status, answer) = await PostAsync(message);
        Assert.Equal(HttpStatusCode.Accepted, status);
        Assert.Null(answer);
    }

    [Theory]
    [InlineData("\"a\"")]
    [InlineData("0")]
    [InlineData("9007199254740991")]
    public async Task A_ping_is_answered_under_its_id(string id)
    {
        var (status, answer) = await PostAsync($$$"""{"jsonrpc":"2.0","id":{{{id}}},"method":"ping"}""");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("{}", answer!.Value.GetProperty("result").GetRawText());
        Assert.Equal(id, answer.Value.GetProperty("id").GetRawText());
    }

    [Theory]
    [InlineData("1999-01-01")]
    [InlineData("no-version")]
    [InlineData("2099-01-01")]
    public async Task A_version_that_the_server_does_not_speak_is_400(string version)
    {
        foreach (var message in (string[])["""{"jsonrpc":"2.0","id":1,"method":"ping"}""", """{"jsonrpc":"2.0","method":"notifications/initialized"}"""])
        {
            var (status, answer) = await PostAsync(message, ("MCP-Protocol-Version", version));
            Assert.Equal(HttpStatusCode.BadRequest, status);
            var error = answer!.Value.GetProperty("error");
            Assert.Equal((-32022, version), (error.GetProperty("code").GetInt32(), error.GetProperty("data").GetProperty("requested").GetString()));
            Assert.Equal(McpMessage.Versions, error.GetProperty("data").GetProperty("supported").EnumerateArray().Select(supported => supported.GetString()));
        }
    }

    [Fact]
    public async Task Each_version_is_spoken_under_its_header()
    {
        foreach (var version in McpMessage.Versions)
        {
            var meta = version == "2026-07-28" ? Modern : "";
            var (status, answer) = await PostAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{META}}""".Replace("META", meta, StringComparison.Ordinal), ("MCP-Protocol-Version", version), ("Mcp-Method", "tools/list"));
            Assert.Equal(HttpStatusCode.OK, status);
            Assert.Equal(5, answer!.Value.GetProperty("result").GetProperty("tools").GetArrayLength());
        }
    }

    // Without a handshake, headers repeat the body, so that what stands between can tell messages apart.
    [Theory]
    [InlineData("2026-07-28", "tools/call", "three", 200)]
    [InlineData("2026-07-28", null, "three", 400)]
    [InlineData("2026-07-28", "tools/list", "three", 400)]
    [InlineData("2026-07-28", "tools/call", null, 400)]
    [InlineData("2026-07-28", "tools/call", "numbers", 400)]
    [InlineData("2025-11-25", "tools/call", "three", 400)]
    [InlineData(null, "tools/call", "three", 400)]
    public async Task Headers_say_what_the_body_says(string? version, string? method, string? name, int status)
    {
        (string, string?)[] headers = [("MCP-Protocol-Version", version), ("Mcp-Method", method), ("Mcp-Name", name)];
        var (answered, answer) = await PostAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"three",META}}""".Replace("META", Modern, StringComparison.Ordinal), headers);
        Assert.Equal(status, (int)answered);
        if (status == 400)
            Assert.Equal(-32020, answer!.Value.GetProperty("error").GetProperty("code").GetInt32());
        else
            Assert.Equal(3, answer!.Value.GetProperty("result").GetProperty("structuredContent").GetProperty("rows").GetArrayLength());
    }

    [Theory]
    [InlineData("application/json, text/event-stream", "application/json", 200)]
    [InlineData("text/event-stream;q=0.5, application/json; charset=utf-8", "application/json; charset=utf-8", 200)]
    [InlineData("*/*", "application/json", 200)]
    [InlineData("application/json", "application/json", 406)]
    [InlineData("text/event-stream", "application/json", 406)]
    [InlineData("application/json, text/event-stream", "text/plain", 415)]
    public async Task Media_types_are_those_of_the_transport(string accept, string type, int status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "api/mcp") { Content = new ByteArrayContent("""{"jsonrpc":"2.0","id":1,"method":"ping"}"""u8.ToArray()) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using var response = await app.Local.Client.SendAsync(request);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.False(response.Headers.Contains("Mcp-Session-Id"));
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("DELETE")]
    [InlineData("PUT")]
    public async Task There_is_no_stream_to_listen_to_and_no_session_to_end(string method)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "api/mcp");
        request.Headers.TryAddWithoutValidation("Accept", "text/event-stream");
        using var response = await app.Local.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.Equal(["POST"], response.Content.Headers.Allow);
    }

    private async Task<(HttpStatusCode Status, JsonElement? Answer)> PostAsync(string message, params (string Name, string? Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "api/mcp") { Content = new StringContent(message, Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("Accept", "application/json, text/event-stream");
        foreach (var (name, value) in headers.Where(header => header.Value is not null))
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await app.Local.Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        if (response.Content.Headers.ContentType?.MediaType == "text/event-stream")
            text = text.Split('\n').Single(line => line.StartsWith("data: ", StringComparison.Ordinal))[6..];
        return (response.StatusCode, text.Length == 0 ? null : JsonDocument.Parse(text).RootElement.Clone());
    }
}
