using System.Net;
using System.Text;
using System.Text.Json;
using MdFunctions.Tests.Infrastructure;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace MdFunctions.Tests.Mcp;

/// <summary>The Model Context Protocol, spoken by its official client.</summary>
public sealed class McpTests(McpTests.App app) : IClassFixture<McpTests.App>
{
    public sealed class App : IAsyncLifetime
    {
        public LocalApp Local { get; private set; } = null!;

        public McpClient Client { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            Local = await LocalApp.StartAsync(
                new Dictionary<string, string>
                {
                    ["queries/numbers.sql"] = """
                        /*
                        summary: Numbers up to a limit
                        description: |
                          They begin with zero.
                          There are a thousand.
                        parameters:
                          below: { type: bigint, minimum: 0, maximum: 1000, summary: the first one that is not there }
                          word: { type: varchar, default: none, enum: [none, some] }
                        */
                        SELECT range AS n, $word AS word FROM range(1000) WHERE range < $below ORDER BY n
                        """,
                    ["queries/hidden.sql"] = "/*\nmcp: false\n*/\nSELECT 1 AS n",
                    ["queries/big.sql"] = "SELECT 170141183460469231731687303715884105727::HUGEINT AS h, 'NaN'::DOUBLE AS d, NULL AS nothing",
                    ["queries/slow.sql"] = "/*\ntimeout: 500ms\n*/\nSELECT sum(a.range * b.range) AS s FROM range(1000000) a, range(100000) b",
                    ["queries/three.sql"] = "/*\nmaxRows: 3\n*/\nSELECT range AS n FROM range(10) ORDER BY n",
                    ["loads/allowed.sql"] = "/*\ntarget: my_db.main.mcp_allowed\nmode: replace\nmcp: true\nparameters:\n  n: { type: integer }\n*/\nSELECT $n AS n",
                    ["loads/forbidden.sql"] = "/*\ntarget: my_db.main.mcp_forbidden\nmode: replace\n*/\nSELECT 1 AS n",
                });
            Client = await ConnectAsync();
        }

        public Task<McpClient> ConnectAsync() => McpClient.CreateAsync(new HttpClientTransport(
            new() { Endpoint = new Uri(Local.Client.BaseAddress!, "api/mcp"), TransportMode = HttpTransportMode.StreamableHttp }));

        public async Task DisposeAsync()
        {
            await Client.DisposeAsync();
            await Local.DisposeAsync();
        }
    }

    [Fact]
    public async Task Each_query_is_a_tool_but_for_those_left_out_and_a_load_only_where_it_says_so()
    {
        var tools = await app.Client.ListToolsAsync();
        Assert.Equal(["big", "load_allowed", "numbers", "slow", "three"], tools.Select(tool => tool.Name).Order(StringComparer.Ordinal));

        var numbers = tools.Single(tool => tool.Name == "numbers").ProtocolTool;
        Assert.Equal("Numbers up to a limit", numbers.Title);
        Assert.Equal("Numbers up to a limit\n\nThey begin with zero.\nThere are a thousand.", numbers.Description!.TrimEnd());
        Assert.True(numbers.Annotations!.ReadOnlyHint);
        Assert.False(tools.Single(tool => tool.Name == "load_allowed").ProtocolTool.Annotations!.ReadOnlyHint);
        Assert.Equal(
            """{"required":["below"],"type":"object","properties":{"below":{"maximum":1000,"minimum":0,"type":"integer","description":"the first one that is not there","format":"int64","x-duckdb-type":"BIGINT"},"word":{"enum":["none","some"],"type":"string","default":"none","x-duckdb-type":"VARCHAR"}},"additionalProperties":false}""",
            numbers.InputSchema.GetRawText());
    }

    [Fact]
    public async Task A_call_answers_rows_as_text_and_as_structure_with_every_digit()
    {
        var result = await app.Client.CallToolAsync("numbers", new Dictionary<string, object?> { ["below"] = 2 });
        Assert.NotEqual(true, result.IsError);
        Assert.Equal("""[{"n":0,"word":"none"},{"n":1,"word":"none"}]""", Assert.IsType<TextContentBlock>(Assert.Single(result.Content)).Text);
        Assert.Equal("""{"rows":[{"n":0,"word":"none"},{"n":1,"word":"none"}],"truncated":false}""", JsonSerializer.Serialize(result.StructuredContent));

        result = await app.Client.CallToolAsync("big");
        Assert.Equal("""{"rows":[{"h":170141183460469231731687303715884105727,"d":"NaN","nothing":null}],"truncated":false}""", result.StructuredContent!.Value.GetRawText());
    }

    [Theory]
    [InlineData("numbers", 100)]
    [InlineData("three", 3)]
    public async Task An_answer_that_is_cut_says_so(string tool, int rows)
    {
        var result = await app.Client.CallToolAsync(tool, tool == "numbers" ? new Dictionary<string, object?> { ["below"] = 1000 } : null);
        Assert.Equal(rows, result.StructuredContent!.Value.GetProperty("rows").GetArrayLength());
        Assert.True(result.StructuredContent.Value.GetProperty("truncated").GetBoolean());
        Assert.Contains($"Only the first {rows} rows are here", Assert.IsType<TextContentBlock>(result.Content[1]).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tool_that_was_called_first_leaves_the_query_whole()
    {
        await using var fresh = await LocalApp.StartAsync(new Dictionary<string, string> { ["queries/all.sql"] = "SELECT range AS n FROM range(250)" });
        await using var client = await McpClient.CreateAsync(new HttpClientTransport(new() { Endpoint = new Uri(fresh.Client.BaseAddress!, "api/mcp"), TransportMode = HttpTransportMode.StreamableHttp }));
        Assert.Equal(100, (await client.CallToolAsync("all")).StructuredContent!.Value.GetProperty("rows").GetArrayLength());
        Assert.Equal(250, (await fresh.GetJsonAsync("/api/queries/all")).GetArrayLength());
    }

    [Fact]
    public async Task A_bad_argument_is_an_error_of_the_tool_that_says_what_to_change()
    {
        var result = await app.Client.CallToolAsync("numbers", new Dictionary<string, object?> { ["below"] = 1001, ["nope"] = 1 });
        Assert.True(result.IsError);
        var text = Assert.IsType<TextContentBlock>(Assert.Single(result.Content)).Text;
        Assert.Contains("'below' is above the maximum, 1000.", text, StringComparison.Ordinal);
        Assert.Contains("'nope' is unknown; the parameters are below, word.", text, StringComparison.Ordinal);

        result = await app.Client.CallToolAsync("numbers");
        Assert.Contains("'below' is missing", Assert.IsType<TextContentBlock>(Assert.Single(result.Content)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_query_that_takes_too_long_is_an_error_of_the_tool()
    {
        var result = await app.Client.CallToolAsync("slow");
        Assert.True(result.IsError);
        Assert.Contains("longer than its limit of 500ms", Assert.IsType<TextContentBlock>(Assert.Single(result.Content)).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nope")]
    [InlineData("hidden")]
    [InlineData("load_forbidden")]
    public async Task A_tool_that_is_not_offered_is_refused(string tool) =>
        Assert.Contains("There is no tool named", (await Assert.ThrowsAnyAsync<McpException>(async () => await app.Client.CallToolAsync(tool))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_load_that_may_be_run_runs()
    {
        var result = await app.Client.CallToolAsync("load_allowed", new Dictionary<string, object?> { ["n"] = 7 });
        Assert.NotEqual(true, result.IsError);
        Assert.Equal("succeeded", result.StructuredContent!.Value.GetProperty("status").GetString());
    }

    [Fact]
    public async Task Two_clients_need_no_session()
    {
        await using var other = await app.ConnectAsync();
        Assert.Null(other.SessionId);
        Assert.Equal(5, (await other.ListToolsAsync()).Count);
    }

    [Fact]
    public async Task Progress_is_told_where_the_client_asks_for_it()
    {
        await using var slow = await LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["queries/slow.sql"] = "/*\ntimeout: 5s\n*/\nSELECT sum(a.range * b.range) AS s FROM range(1000000) a, range(100000) b",
        });
        await using var client = await McpClient.CreateAsync(new HttpClientTransport(new() { Endpoint = new Uri(slow.Client.BaseAddress!, "api/mcp"), TransportMode = HttpTransportMode.StreamableHttp }));
        var told = new List<string?>();
        var result = await client.CallToolAsync("slow", progress: new Direct<ProgressNotificationValue>(value => told.Add(value.Message)));
        Assert.True(result.IsError);
        Assert.Contains("Running for 2 s", told);
    }

    [Theory]
    [InlineData("GET", null, null, 405)]
    [InlineData("DELETE", null, null, 405)]
    [InlineData("POST", "application/json", "{}", 406)]
    public async Task What_is_no_message_is_refused_in_words(string method, string? accept, string? body, int status)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "api/mcp");
        if (accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", accept);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await app.Local.Client.SendAsync(request);
        await response.ProblemAsync(status);
    }

    [Fact]
    public async Task A_page_of_another_site_cannot_speak_to_it()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "api/mcp") { Content = new StringContent("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}""", Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("Accept", "application/json, text/event-stream");
        request.Headers.Add("Origin", "https://evil.example");
        using var response = await app.Local.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    private sealed class Direct<T>(Action<T> take) : IProgress<T>
    {
        public void Report(T value) => take(value);
    }
}
