using System.Text;
using MdFunctions.Engine.Http;
using MdFunctions.Engine.Ingest;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Ingest;

/// <summary>Bodies with a valid signature that are wrong: each a 4xx, within bounded memory, and nothing stored.</summary>
public sealed class HostileBodyTests(HostileBodyTests.Fixture fixture) : IClassFixture<HostileBodyTests.Fixture>
{
    private const int MaxBytes = 1_000_000;

    [Theory]
    [InlineData("", 400, "not valid JSON")]
    [InlineData("nonsense", 400, "not valid JSON (line 1, byte 2)")]
    [InlineData("[{\"a\": 1}", 400, "not valid JSON")]
    [InlineData("[{\"a\": 1}\n,]", 400, "not valid JSON (line 2")]
    [InlineData("{\"a\": 1} {\"a\": 2}", 400, "not valid JSON")]
    [InlineData("{\"a\": NaN}", 400, "not valid JSON")]
    [InlineData("{\"a\": 01}", 400, "not valid JSON")]
    [InlineData("{'a': 1}", 400, "not valid JSON")]
    [InlineData("{\"a\": 1} // comment", 400, "not valid JSON")]
    [InlineData("7", 422, "[0] the row is not a JSON object")]
    [InlineData("null", 422, "[0] the row is not a JSON object")]
    [InlineData("[[{\"a\": 1}]]", 422, "[0] the row is not a JSON object")]
    [InlineData("[{\"a\": 1}, {\"a\": \"two\"}, {\"a\": 3}, {}]", 422, "2 of 4 rows do not fit, and none was stored; the first, with its index from 0: [1] 'a' is not an integer")]
    [InlineData("{\"a\": 2147483648}", 422, "'a' is not an integer from -2147483648 to 2147483647")]
    [InlineData("{\"a\": 1.0}", 422, "'a' is not an integer")]
    [InlineData("{\"a\": 1e2}", 422, "'a' is not an integer")]
    [InlineData("{\"a\": true}", 422, "'a' is not an integer")]
    [InlineData("{\"a\": [1]}", 422, "'a' is not an integer")]
    [InlineData("{\"a\": null}", 422, "'a' is null")]
    [InlineData("{\"A\": 1}", 422, "'a' is missing")]
    [InlineData("{\"a\": 1, \"a\": 1}", 422, "'a' is given twice")]
    [InlineData("{\"a\": 1, \"\\u0061\": 1}", 422, "'a' is given twice")]
    [InlineData("{\"a\": 1, \"s\": 1}", 422, "'s' is not text")]
    [InlineData("{\"a\": 1, \"s\": \"a\\u0000b\"}", 422, "U+0000")]
    [InlineData("{\"a\": 1, \"s\": \"\\ud83c\"}", 422, "half a surrogate pair")]
    [InlineData("{\"a\": 1, \"j\": {\"x\": [\"\\udf89\"]}}", 422, "half a surrogate pair")]
    [InlineData("{\"a\": 1, \"j\": {\"\\udf89\": 1}}", 422, "half a surrogate pair")]
    [InlineData("{\"a\": 1, \"\\ud83c\": 1}", 422, "half a surrogate pair")]
    [InlineData("{\"a\": 1, \"d\": 0.123}", 422, "'d' is not a decimal number of at most 1 digits before and 2 after the point")]
    [InlineData("{\"a\": 1, \"d\": 10}", 422, "'d' is not a decimal number")]
    [InlineData("{\"a\": 1, \"t\": \"2026-02-30T00:00:00Z\"}", 422, "'t' is not an ISO 8601 timestamp")]
    [InlineData("{\"a\": 1, \"n\": {\"l\": [{\"x\": 1}, {\"x\": \"1.5\"}]}}", 422, "'n.l[1].x' is not an integer")]
    public async Task Text_that_does_not_fit_is_refused_by_its_place_and_reason(string body, int status, string detail)
    {
        using var response = await fixture.App.SendAsync(body);
        var problem = await response.ProblemAsync(status);
        Assert.Contains(detail, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await fixture.AssertEmptyAsync();
    }

    [Fact]
    public async Task The_first_ten_rows_that_do_not_fit_are_listed_with_their_index()
    {
        using var response = await fixture.App.SendAsync($"[{string.Join(",", Enumerable.Range(0, 500).Select(i => i % 2 == 0 ? "{\"a\":1}" : "{\"a\":\"x\"}"))}]");
        var errors = (await response.ProblemAsync(422)).GetProperty("errors").EnumerateObject().Select(error => error.Name);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"[{2 * i + 1}]"), errors);
    }

    [Theory]
    [InlineData("{\"a\": 1, \"b\": 2}", "'b' is not among the columns")]
    [InlineData("{\"a\": 1, \"A\": 2}", "'A' is not among the columns")]
    [InlineData("{\"a\": 1, \"n\": {\"l\": [], \"more\": null}}", "'n.more' is not among the columns")]
    [InlineData("{\"a\": 1, \"n\": {\"l\": [{\"x\": 1}, {\"x\": 1, \"y\": {\"z\": 1}}]}}", "'n.l[1].y' is not among the columns")]
    [InlineData("[{\"a\": 1}, {\"a\": 1, \"d\\u0064\": 1}]", "[1] 'dd' is not among the columns")]
    public async Task A_key_that_is_no_column_is_refused_where_the_file_says_so_and_else_left_out(string body, string detail)
    {
        var (app, table) = await Webhook.AppAsync(Fixture.Columns, more: "unknownKeys: refuse");
        await using var _ = app;
        await app.StoreAsync("""{"a": 1, "j": {"any": "thing"}, "n": {"l": [{"x": 1}]}}"""); // All that JSON holds is wanted.
        using var response = await app.SendAsync(body);
        Assert.Contains(detail, (await response.ProblemAsync(422)).GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal("1", await Webhook.ScalarAsync($"SELECT count(*) FROM {table}"));

        var (other, others) = await Webhook.AppAsync(Fixture.Columns);
        await using var __ = other;
        await other.StoreAsync(body);
        Assert.Equal("1", await Webhook.ScalarAsync($"SELECT max(a) FROM {others}"));
    }

    [Fact]
    public async Task A_form_s_field_that_is_no_column_is_refused_as_a_key_is()
    {
        var table = $"my_db.{Webhook.NewSchema()}.events";
        await using var app = await LocalApp.StartAsync(
            new Dictionary<string, string> { ["ingest/events.sql"] = $"/*\ntarget: {table}\nsignature: {{ scheme: hmac, secret: Test, header: X-Hub-Signature-256, prefix: sha256= }}\nunknownKeys: refuse\ncolumns: {{ a: INTEGER }}\n*/\nFROM body" },
            Webhook.Settings);
        await app.StoreAsync("a=1", contentType: "application/x-www-form-urlencoded");
        using var response = await app.SendAsync("a=1&b=2&b=3", contentType: "application/x-www-form-urlencoded");
        Assert.Contains("'b' is not among the columns", (await response.ProblemAsync(422)).GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_value_that_only_the_statement_finds_wrong_is_a_422_too()
    {
        var (app, table) = await Webhook.AppAsync("a: VARCHAR", "SELECT a::INTEGER AS a FROM body");
        await using var _ = app;
        using var response = await app.SendAsync("""[{"a": "1"}, {"a": "one"}]""");
        var problem = await response.ProblemAsync(422);
        Assert.DoesNotContain("one", problem.GetProperty("detail").GetString()!.Split(' '));
        Assert.Equal("0", await Webhook.ScalarAsync($"SELECT count(*) FROM {table}"));
    }

    [Theory]
    [InlineData(new byte[] { (byte)'{', (byte)'"', 0xFF, (byte)'"', (byte)':', (byte)'1', (byte)'}' }, "byte 3")]
    [InlineData(new byte[] { (byte)'"', 0xC3, (byte)'"' }, "byte 2")]
    [InlineData(new byte[] { (byte)'"', 0xED, 0xA0, 0x80, (byte)'"' }, "byte 2")] // Half a surrogate pair.
    [InlineData(new byte[] { 0xFE, 0xFF, 0, (byte)'1' }, "byte 1")] // UTF-16.
    public async Task Bytes_that_are_not_UTF8_are_refused(byte[] body, string at)
    {
        using var response = await fixture.App.Client.SendAsync(Webhook.Request(body));
        Assert.Contains($"not UTF-8 ({at})", (await response.ProblemAsync(400)).GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text/plain", null, 415)]
    [InlineData("application/x-www-form-urlencoded", null, 400)] // Without the field that holds GitHub's JSON.
    [InlineData("text/xml", null, 415)]
    [InlineData("application/json; charset=utf-16", null, 415)]
    [InlineData("application/json", "br", 415)]
    [InlineData("application/json", "gzip, gzip", 415)]
    [InlineData("application/json", "gzip", 400)] // It is not.
    public async Task A_type_or_coding_that_is_not_known_is_refused(string contentType, string? coding, int status)
    {
        using var request = Webhook.Request("{\"a\": 1}"u8.ToArray(), contentType: contentType);
        if (coding is not null)
            request.Content!.Headers.TryAddWithoutValidation("Content-Encoding", coding);
        using var response = await fixture.App.Client.SendAsync(request);
        await response.ProblemAsync(status);
        await fixture.AssertEmptyAsync();
    }

    [Fact]
    public async Task Too_many_bytes_are_refused_announced_or_not()
    {
        var body = Encoding.UTF8.GetBytes($"[{new string(' ', MaxBytes)}]");
        using var announced = await fixture.App.Client.SendAsync(Webhook.Request(body));
        await announced.ProblemAsync(413);
        using var request = Webhook.Request(body);
        request.Headers.TransferEncodingChunked = true;
        using var chunked = await fixture.App.Client.SendAsync(request);
        await chunked.ProblemAsync(413);
    }

    [Fact]
    public async Task Too_many_rows_and_levels_are_refused()
    {
        using var rows = await fixture.App.SendAsync($"[{string.Join(",", Enumerable.Repeat("{\"a\":1}", 1001))}]");
        Assert.Contains("at most 1000 rows", (await rows.ProblemAsync(413)).GetProperty("detail").GetString(), StringComparison.Ordinal);
        foreach (var depth in new[] { 11, 100_000 })
        {
            using var levels = await fixture.App.SendAsync($"{{\"a\":1,\"unknown\":{new string('[', depth - 1)}{new string(']', depth - 1)}}}");
            Assert.Contains("deeper than the 10 levels", (await levels.ProblemAsync(422)).GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
        await fixture.AssertEmptyAsync();
        using var just = await fixture.App.SendAsync($"{{\"unknown\":{new string('[', 9)}{new string(']', 9)}}}");
        Assert.Contains("'a' is missing", (await just.ProblemAsync(422)).GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gzip_stream_that_was_cut_is_refused_wherever_it_was_cut()
    {
        var lines = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 100).Select(i => $"{{\"a\": {i}}}\n")));
        var packed = Webhook.Gzip(lines);
        for (var length = 0; length < packed.Length; length++)
        {
            using var response = await fixture.App.Client.SendAsync(Gzipped(packed[..length], "application/x-ndjson"));
            await response.ProblemAsync(400);
        }
        using var longer = await fixture.App.Client.SendAsync(Gzipped([.. packed, 0], "application/x-ndjson"));
        await longer.ProblemAsync(400);
        packed[^6] ^= 1; // The checksum.
        using var wrong = await fixture.App.Client.SendAsync(Gzipped(packed, "application/x-ndjson"));
        await wrong.ProblemAsync(400);
        await fixture.AssertEmptyAsync();
    }

    [Fact]
    public async Task Whatever_the_bytes_are_the_answer_is_200_or_4xx_and_what_is_stored_is_what_was_answered()
    {
        var (app, table) = await Webhook.AppAsync(Fixture.Columns);
        await using var _ = app;
        var random = new Random(7);
        var good = Encoding.UTF8.GetBytes("""[{"a": 1, "s": "text \u00e9 🎉", "j": {"x": [1.5, null, true]}, "d": 1.25, "t": "2026-01-02T03:04:05Z", "n": {"l": [{"x": 1}]}}, {"a": -2, "d": "0.5"}]""");
        long inserted = 0;
        var statuses = new Dictionary<int, int>();
        for (var i = 0; i < 600; i++)
        {
            var body = (byte[])good.Clone();
            for (var changes = random.Next(3); changes >= 0; changes--)
            {
                var at = random.Next(body.Length);
                body = random.Next(4) switch
                {
                    0 => [.. body[..at], .. body[(at + 1)..]],
                    1 => [.. body[..at], "[]{}\",:01e.-\\ntf"u8.ToArray()[random.Next(16)], .. body[at..]],
                    2 => body[..Math.Max(at, 1)],
                    _ => [.. body[..at], (byte)random.Next(256), .. body[(at + 1)..]],
                };
                if (body.Length < 2)
                    break;
            }
            using var response = await app.Client.SendAsync(Webhook.Request(body));
            var status = (int)response.StatusCode;
            statuses[status] = statuses.GetValueOrDefault(status) + 1;
            if (status == 200)
                inserted += (await response.StoredAsync()).GetProperty("inserted").GetInt64();
            else
                Assert.True(status is 400 or 422, $"{status} to {Encoding.Latin1.GetString(body)}");
        }
        Assert.True(statuses.Count == 3, string.Join(", ", statuses)); // All three were seen.
        Assert.Equal($"{inserted}", await Webhook.ScalarAsync($"SELECT count(*) FROM {table}"));
    }

    [Fact]
    public async Task Bodies_that_wait_share_a_bounded_buffer()
    {
        var buffer = new IngestBuffer(100_000);
        using var first = await buffer.ReadAsync(new MemoryStream(new byte[60_000]), 100_000, _ => { }, default);
        var busy = await Assert.ThrowsAsync<ProblemException>(async () => await buffer.ReadAsync(new MemoryStream(new byte[60_000]), 100_000, _ => { }, default));
        Assert.Equal(503, busy.Problem.Status);
        Assert.NotNull(busy.Problem.RetryAfter);
        first.Dispose();
        first.Dispose();
        for (var i = 0; i < 10; i++) // All of it is free again, what the failed one took included.
            (await buffer.ReadAsync(new MemoryStream(new byte[60_000]), 100_000, _ => { }, default)).Dispose();
    }

    internal static HttpRequestMessage Gzipped(byte[] packed, string contentType = "application/json")
    {
        var request = Webhook.Request(packed, contentType: contentType);
        request.Content!.Headers.ContentEncoding.Add("gzip");
        return request;
    }

    public sealed class Fixture : IAsyncLifetime
    {
        public const string Columns = "a: INTEGER NOT NULL\ns: VARCHAR\nj: JSON\nd: 'DECIMAL(3,2)'\nt: TIMESTAMPTZ\nn: STRUCT(l STRUCT(x INTEGER)[])";
        private string _table = "";

        public LocalApp App { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            (App, _table) = await Webhook.AppAsync(Columns, more: $"maxBytes: {MaxBytes}\nmaxRows: 1000\nmaxDepth: 10");
            await App.StoreAsync("[]"); // The table is there.
        }

        public async Task AssertEmptyAsync() => Assert.Equal("0", await Webhook.ScalarAsync($"SELECT count(*) FROM {_table}"));

        public async Task DisposeAsync() => await App.DisposeAsync();
    }
}
