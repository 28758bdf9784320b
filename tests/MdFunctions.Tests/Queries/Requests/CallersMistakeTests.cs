using System.IO.Compression;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Queries;

/// <summary>What is wrong with a request is told to the caller, and is nobody else's fault.</summary>
public sealed class CallersMistakeTests : IAsyncLifetime
{
    private LocalApp _app = null!;

    public async Task InitializeAsync() => _app = await LocalApp.StartAsync(new Dictionary<string, string>
    {
        ["queries/echo.sql"] = "/*\nparameters: { s: { type: varchar, optional: true }, j: { type: json, optional: true } }\n*/\nSELECT $s AS s, $j AS j",
        ["queries/since.sql"] = "/*\nparameters: { since: { type: timestamptz, optional: true }, ns: { type: timestamp_ns, optional: true }, t: { type: time, optional: true } }\n*/\nSELECT $since AS since, $ns AS ns, $t AS t",
    });

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Theory]
    [InlineData("{\"s\":\"caf\\xE9\"}", "is not UTF-8 (line 1, byte 10)")]
    [InlineData("{\"caf\\xE9\":1}", "is not UTF-8")]
    [InlineData("{\"s\":\"a\\ud800\"}", "holds half a surrogate pair")]
    [InlineData("{\"a\\ud800\":1}", "holds half a surrogate pair")]
    [InlineData("{\"j\":{\"a\":[1,\"\\udc00\"]}}", "holds half a surrogate pair")]
    [InlineData("{\"j\":{\"a\\ud800\":1}}", "holds half a surrogate pair")]
    [InlineData("{\"s\":\"a\",\n\"s\":\"b\"}", "gives 's' twice (line 2, byte 1)")]
    [InlineData("{\"j\":{\"a\":[0,{\"b\":1,\"b\":2}]}}", "gives 'j.a[1].b' twice")]
    [InlineData("{\"s\":\"a\"", "is not valid JSON (line 1, byte")]
    [InlineData("[1]", "is not a JSON object")]
    public async Task A_body_that_is_not_clear_is_a_400_that_says_where(string body, string expected)
    {
        // \xE9 is one byte, as in ISO 8859-1.
        var bytes = Encoding.Latin1.GetBytes(body.Replace("\\xE9", "\u00e9", StringComparison.Ordinal));
        using var response = await PostAsync(bytes, "application/json");
        Assert.Contains(expected, (await response.ProblemAsync(400)).GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/json; charset=\"utf-8\"", 200)]
    [InlineData("application/json; charset=UTF-8", 200)]
    [InlineData("application/problem+json", 200)]
    [InlineData("application/json; charset=iso-8859-1", 415)]
    [InlineData("text/plain", 415)]
    public async Task The_media_type_and_charset_of_a_body_are_checked(string type, int status)
    {
        using var response = await PostAsync("{\"s\":\"x\"}"u8.ToArray(), type);
        Assert.Equal(status, (int)response.StatusCode);
    }

    [Fact]
    public async Task A_byte_order_mark_before_a_body_is_taken()
    {
        using var response = await PostAsync("\uFEFF{\"s\":\"x\"}"u8.ToArray(), "application/json; charset=utf-8");
        Assert.Equal("[{\"s\":\"x\",\"j\":null}]", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData(200, 200)]
    [InlineData(256, 400)]
    [InlineData(100_000, 400)]
    public async Task Deep_JSON_is_taken_or_refused_by_its_depth(int levels, int status)
    {
        var nested = new string('[', levels) + new string(']', levels);
        using var response = await PostAsync(Encoding.UTF8.GetBytes($"{{\"j\":{nested}}}"), "application/json");
        if (status == 200)
            Assert.Equal($"[{{\"s\":null,\"j\":{nested}}}]", await response.Content.ReadAsStringAsync());
        else
            Assert.Contains("nested deeper than the 256 levels", (await response.ProblemAsync(400)).GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("s=%ff", "s")]
    [InlineData("s=a%C3", "s")]
    [InlineData("s=%ED%A0%80", "s")]
    [InlineData("s=%C0%AF", "s")]
    [InlineData("caf%C3%A9=1&s=ok%FF", "s")]
    [InlineData("x%FF=1", null)]
    [InlineData("j=%22%5Cud800%22", "j")]
    public async Task A_query_string_that_is_not_UTF8_is_a_400(string query, string? name)
    {
        using var response = await _app.Client.GetAsync($"/api/queries/echo?{query}");
        var problem = await response.ProblemAsync(400);
        if (name is not null)
            Assert.True(problem.GetProperty("errors").TryGetProperty(name, out _), problem.GetRawText());
    }

    [Theory]
    [InlineData("s=%C3%A9+%25&j=%22%5Cud83e%5Cudd86%22", "\u00e9 %", "\U0001F986")]
    [InlineData("s=100%&j=1", "100%", null)]
    [InlineData("s=%F0%9F%A6%86&j=null", "\U0001F986", null)]
    public async Task A_query_string_that_is_UTF8_arrives(string query, string s, string? j)
    {
        var row = (await _app.GetJsonAsync($"/api/queries/echo?{query}"))[0];
        Assert.Equal(s, row.GetProperty("s").GetString());
        if (j is not null)
            Assert.Equal(j, row.GetProperty("j").GetString());
    }

    [Fact]
    public async Task A_packed_body_is_unpacked_within_the_limit()
    {
        using var whole = await PostAsync(Pack("{\"s\":\"packed\"}"u8.ToArray()), "application/json", "gzip");
        Assert.Equal("[{\"s\":\"packed\",\"j\":null}]", await whole.Content.ReadAsStringAsync());

        using var cut = await PostAsync(Pack("{\"s\":\"packed\"}"u8.ToArray())[..^9], "application/json", "gzip");
        Assert.Contains("not one whole gzip stream", (await cut.ProblemAsync(400)).GetProperty("detail").GetString(), StringComparison.Ordinal);

        using var plain = await PostAsync("{\"s\":\"x\"}"u8.ToArray(), "application/json", "gzip");
        await plain.ProblemAsync(400);

        using var bomb = await PostAsync(Pack(new byte[100_000_000]), "application/json", "gzip");
        await bomb.ProblemAsync(413);

        using var other = await PostAsync("{\"s\":\"x\"}"u8.ToArray(), "application/json", "br");
        await other.ProblemAsync(415);
        Assert.Equal("gzip", other.Headers.GetValues("Accept-Encoding").Single());
    }

    [Theory]
    [InlineData("since", "2024-01-01T00:00:00.0000000Z", "2024-01-01T00:00:00+00:00")]
    [InlineData("since", "2024-01-01T00:00:00.1234560+00:00", "2024-01-01T00:00:00.123456+00:00")]
    [InlineData("since", "2024-01-01T00:00:00.123456000Z", "2024-01-01T00:00:00.123456+00:00")]
    [InlineData("since", "2024-01-01T00:00:00.1234567Z", null)]
    [InlineData("since", "2024-01-01T00:00:00.123456001Z", null)]
    [InlineData("ns", "2024-01-01T00:00:00.1234567", "2024-01-01T00:00:00.1234567")]
    [InlineData("ns", "2024-01-01T00:00:00.1234567890", "2024-01-01T00:00:00.123456789")]
    [InlineData("ns", "2024-01-01T00:00:00.1234567891", null)]
    [InlineData("t", "12:30:00.1000000", "12:30:00.1")]
    public async Task Timestamps_have_as_many_digits_as_are_not_lost(string name, string value, string? expected)
    {
        using var response = await _app.Client.GetAsync($"/api/queries/since?{name}={Uri.EscapeDataString(value)}");
        if (expected is null)
            await response.ProblemAsync(400);
        else
            Assert.Equal(expected, JsonSerializer.Deserialize<JsonElement>(await response.Content.ReadAsStringAsync())[0].GetProperty(name).GetString());
    }

    [Fact]
    public async Task A_body_that_breaks_off_is_not_called_MotherDucks_fault()
    {
        var address = _app.Client.BaseAddress!;
        string[] bodies =
        [
            "Content-Length: 100\r\n\r\n{\"s\":",
            "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", // The length of a chunk is no number.
        ];
        foreach (var body in bodies)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(address.Host, address.Port);
            var stream = client.GetStream();
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST /api/queries/echo HTTP/1.1\r\nHost: {address.Authority}\r\nContent-Type: application/json\r\n{body}"));
            client.Client.Shutdown(SocketShutdown.Send);
            try
            {
                var answer = await new StreamReader(stream).ReadLineAsync();
                Assert.True(answer is null || answer.Contains(" 400 ", StringComparison.Ordinal), answer);
            }
            catch (IOException)
            {
                // Reset: the server saw that nobody is left.
            }
        }
        Assert.DoesNotContain(_app.Logs.All, line => line.Contains("Unreachable", StringComparison.Ordinal) || line.Contains("Unexpected failure", StringComparison.Ordinal));
    }

    private async Task<HttpResponseMessage> PostAsync(byte[] body, string type, string? coding = null)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        if (coding is not null)
            content.Headers.ContentEncoding.Add(coding);
        return await _app.Client.PostAsync("/api/queries/echo", content);
    }

    private static byte[] Pack(byte[] body)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
            gzip.Write(body);
        return packed.ToArray();
    }
}
