using System.Net;
using System.Text;
using MdFunctions.Engine.Queries;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Queries;

/// <summary>What readers of answers need: spreadsheets, monitors, CSV parsers.</summary>
public sealed class ReaderTests
{
    private static readonly Dictionary<string, string> Files = new()
    {
        ["queries/one.sql"] = "SELECT x FROM (VALUES (1), (NULL), (3)) t(x)",
        ["queries/two.sql"] = "SELECT x, y FROM (VALUES (NULL, NULL), (3, '')) t(x, y)",
        ["queries/kept.sql"] = "/* cache: 60s */ SELECT 'Zo\u00eb' AS name",
        ["queries/cut.sql"] = "/* maxRows: 1 */ SELECT i FROM range(2) t(i)",
        ["queries/wrong.sql"] = "SELECT no_such_column",
    };

    [Fact]
    public async Task A_row_of_one_NULL_is_no_empty_line()
    {
        await using var app = await LocalApp.StartAsync(Files);
        Assert.Equal("x\r\n1\r\n\"\"\r\n3\r\n", await app.Client.GetStringAsync("/api/queries/one?format=csv"));
        Assert.Equal("x,y\r\n,\r\n3,\"\"\r\n", await app.Client.GetStringAsync("/api/queries/two?format=csv"));
    }

    [Fact]
    public async Task Csv_has_a_byte_order_mark_on_request()
    {
        await using var app = await LocalApp.StartAsync(Files);
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal("\uFEFFname\r\nZo\u00eb\r\n"u8.ToArray(), await app.Client.GetByteArrayAsync("/api/queries/kept?format=csv&bom=true"));
            Assert.Equal("name\r\nZo\u00eb\r\n"u8.ToArray(), await app.Client.GetByteArrayAsync("/api/queries/kept?format=csv&bom=false"));
        }
        foreach (var query in (string[])["bom=true", "format=csv&bom=1", "format=csv&bom=true&bom=true"])
        {
            using var response = await app.Client.GetAsync($"/api/queries/kept?{query}");
            Assert.True((await response.ProblemAsync(400)).GetProperty("errors").TryGetProperty("bom", out _));
        }
    }

    [Theory]
    [InlineData("one?format=csv&download", "attachment; filename=one.csv")]
    [InlineData("one?download=true", "attachment; filename=one.json")]
    [InlineData("kept?format=ndjson&download", "attachment; filename=kept.ndjson")]
    [InlineData("kept?format=csv&bom=true&download", "attachment; filename=kept.csv")]
    [InlineData("cut?format=csv&download=Sales%20May.csv", "attachment; filename=\"Sales May.csv\"")]
    [InlineData("one?format=csv&download=%C3%BCber.csv", "filename*=UTF-8''%C3%BCber.csv")]
    [InlineData("one?format=csv", null)]
    [InlineData("one?format=csv&download=false", null)]
    public async Task An_answer_has_a_file_name_on_request(string query, string? expected)
    {
        await using var app = await LocalApp.StartAsync(Files);
        using var response = await app.Client.GetAsync($"/api/queries/{query}");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var disposition = response.Content.Headers.TryGetValues("Content-Disposition", out var values) ? values.Single() : null;
        if (expected is null)
            Assert.Null(disposition);
        else
            Assert.Contains(expected, disposition, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../x.csv")]
    [InlineData("a\\b")]
    [InlineData("a\r\nX: y")]
    [InlineData("a\"b")]
    public async Task A_file_name_cannot_be_a_path_or_a_header(string name)
    {
        await using var app = await LocalApp.StartAsync(Files);
        using var response = await app.Client.GetAsync($"/api/queries/one?download={Uri.EscapeDataString(name)}");
        await response.ProblemAsync(400);
    }

    [Theory]
    [InlineData("/api/queries/one", 200)]
    [InlineData("/api/queries/kept", 200)]
    [InlineData("/api/queries/cut", 200)]
    [InlineData("/api/queries/wrong", 502)]
    [InlineData("/api/queries/one?nope=1", 400)]
    [InlineData("/api/queries/none", 404)]
    [InlineData("/api/queries", 200)]
    [InlineData("/api/health", 200)]
    [InlineData("/api/loads", 200)]
    public async Task HEAD_answers_as_GET_without_a_body(string path, int status)
    {
        await using var app = await LocalApp.StartAsync(Files);
        using var get = await app.Client.GetAsync(path);
        using var head = await app.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, path));
        Assert.Equal((status, status), ((int)get.StatusCode, (int)head.StatusCode));
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        Assert.Equal(get.Content.Headers.ContentType, head.Content.Headers.ContentType);
        Assert.Equal(get.Headers.ETag, head.Headers.ETag);
        Assert.Equal(get.Headers.Contains("Result-Truncated"), head.Headers.Contains("Result-Truncated"));
    }

    [Theory]
    [InlineData("", "\"\"")]
    [InlineData("1", "1")]
    [InlineData("-0", "-0")]
    [InlineData("-0.0", "-0.0")]
    [InlineData("1e+300", "1e+300")]
    [InlineData("1E5", "1E5")]
    [InlineData("nan", "\"NaN\"")]
    [InlineData("-inf", "\"-Infinity\"")]
    [InlineData("Infinity", "\"Infinity\"")]
    [InlineData("NaNa", "\"NaNa\"")]
    [InlineData("name", "\"name\"")]
    [InlineData("Agent 007", "\"Agent 007\"")]
    [InlineData("007", "\"007\"")]
    [InlineData("-", "\"-\"")]
    [InlineData("1.", "\"1.\"")]
    [InlineData(".5", "\".5\"")]
    [InlineData("+5", "\"+5\"")]
    [InlineData("1e", "\"1e\"")]
    [InlineData("0,\"admin\":true,\"x\":0", "\"0,\\\"admin\\\":true,\\\"x\\\":0\"")]
    [InlineData("[1, 3]", "\"[1, 3]\"")]
    public async Task No_text_of_the_wire_is_written_as_a_number_that_is_none(string wire, string expected)
    {
        using var bytes = new MemoryStream();
        using (var sink = new StreamSink(bytes, long.MaxValue))
        {
            var rows = new JsonRows(sink, [new Column("n", "BIGINT", ColumnKind.Number), new Column("b", "BOOLEAN", ColumnKind.Boolean)], lines: true);
            rows.StartRow();
            rows.Value(0, Encoding.UTF8.GetBytes(wire));
            rows.Value(1, Encoding.UTF8.GetBytes(wire));
            rows.EndRow();
            rows.Flush();
            await sink.CompleteAsync(truncated: false, CancellationToken.None);
        }
        Assert.StartsWith($"{{\"n\":{expected},\"b\":\"", Encoding.UTF8.GetString(bytes.ToArray()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2026-01-02 03:04:05", "2026-01-02T03:04:05")]
    [InlineData("2026-01-02 03:04:05.5+05:30", "2026-01-02T03:04:05.5+05:30")]
    [InlineData("2026-01-02 03:04:05-08", "2026-01-02T03:04:05-08:00")]
    [InlineData("2026-01-02", "2026-01-02")]
    [InlineData("0044-03-15 BC", "-000043-03-15")]
    [InlineData("0044-03-15 (BC)", "-000043-03-15")]
    [InlineData("0001-03-15 12:00:00 BC", "0000-03-15T12:00:00")]
    [InlineData("0044-03-15 12:00:00+00 BC", "-000043-03-15T12:00:00+00:00")]
    [InlineData("0044-03-15 (BC) 12:00:00.5+00", "-000043-03-15T12:00:00.5+00:00")]
    [InlineData("12345-03-15 12:00:00", "+012345-03-15T12:00:00")]
    [InlineData("294247-01-10 04:00:54.775806", "+294247-01-10T04:00:54.775806")]
    [InlineData("infinity", "infinity")]
    [InlineData("-infinity", "-infinity")]
    [InlineData("no timestamp at all", "no timestamp at all")]
    [InlineData("", "")]
    public void Timestamps_are_ISO_8601_whatever_their_year(string wire, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(WireText.Timestamp(Encoding.UTF8.GetBytes(wire), new byte[WireText.MaxTimestamp])));
}
