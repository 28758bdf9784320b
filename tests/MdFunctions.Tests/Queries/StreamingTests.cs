using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using MdFunctions.Local;
using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.MotherDuck;

namespace MdFunctions.Tests.Queries;

/// <summary>How answers flow: at once, in constant memory, no faster than the caller reads, and never cut without a sign.</summary>
[Collection("Alone")]
public sealed class StreamingTests(StreamingTests.OwnEndpoint own) : IClassFixture<StreamingTests.OwnEndpoint>
{
    private static readonly Dictionary<string, string> Files = new()
    {
        // DuckDB hands rows out a megabyte at a time, in vectors of 2,048; those after the first few take long, as each row sums up a list of its own.
        ["queries/slow.sql"] = "/* timeout: 60s */ SELECT i, repeat('x', 1000) AS t, CASE WHEN i < 8192 THEN 0 ELSE list_sum(range(20000 + i)) END AS s FROM range(100000) r(i)",
        ["queries/endless.sql"] = "/* timeout: 60s */ SELECT count(*) AS n FROM range(1000000) a(i), range(1000000) b(i) WHERE a.i * b.i % 7 = 3",
        ["queries/timeout.sql"] = "/* timeout: 500ms */ SELECT count(*) AS n FROM range(1000000) a(i), range(1000000) b(i) WHERE a.i * b.i % 7 = 3",
        ["queries/many.sql"] = "/* timeout: 60s */ SELECT i, 'some text that takes a little room ' || i AS t FROM range(3000000) r(i)",
        ["queries/endless_rows.sql"] = "/* timeout: 2s */ SELECT i, 'some text that takes a little room ' || i AS t FROM range(100000000000) r(i)",
        ["queries/fails_late.sql"] = "SELECT CASE WHEN i < 200000 THEN i ELSE error('too late') END AS i FROM range(300000) r(i)",
        ["queries/fails_early.sql"] = "SELECT error('secret data') AS e",
        ["queries/missing.sql"] = "SELECT * FROM my_db.main.no_such_table",
        ["queries/one.sql"] = "SELECT 1 AS a",
    };

    private readonly LocalApp _app = own.App;

    public sealed class OwnEndpoint : IAsyncLifetime
    {
        public LocalApp App { get; private set; } = null!;

        public EndpointProcess Endpoint { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            Endpoint = await EndpointProcess.StartAsync("local");
            App = await StartAppAsync(Endpoint, Files);
        }

        public async Task DisposeAsync()
        {
            await App.DisposeAsync();
            await Endpoint.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_timeout_is_504_and_the_query_is_cancelled_at_the_far_side()
    {
        using var response = await _app.Client.GetAsync("/api/queries/timeout");
        Assert.Contains("500ms", (await response.ProblemAsync(504)).GetProperty("detail").GetString(), StringComparison.Ordinal);
        await EndpointIsIdleAsync();
    }

    [Fact]
    public async Task A_caller_that_goes_away_cancels_the_query_at_the_far_side()
    {
        using var gone = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _app.Client.GetAsync("/api/queries/endless", gone.Token));
        await EndpointIsIdleAsync();
    }

    [Fact]
    public async Task A_caller_that_goes_away_in_mid_answer_ends_the_query()
    {
        using (var response = await _app.Client.GetAsync("/api/queries/many", HttpCompletionOption.ResponseHeadersRead))
        {
            await using var body = await response.Content.ReadAsStreamAsync();
            await body.ReadExactlyAsync(new byte[1000]);
        }
        await EndpointIsIdleAsync();
    }

    [Fact]
    public async Task Past_the_timeout_in_mid_answer_the_connection_breaks()
    {
        using var response = await _app.Client.GetAsync("/api/queries/endless_rows", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await using var body = await response.Content.ReadAsStreamAsync();
        await Assert.ThrowsAnyAsync<IOException>(() => body.CopyToAsync(Stream.Null));
        await EndpointIsIdleAsync();
    }

    [Fact]
    public async Task A_failure_after_the_first_byte_breaks_the_connection()
    {
        using var response = await _app.Client.GetAsync("/api/queries/fails_late", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await Assert.ThrowsAnyAsync<Exception>(() => response.Content.ReadAsStringAsync());
        // The answer is broken off first.
        await Connections.EventuallyAsync(() => _app.Logs.All.Any(line => line.Contains("too late", StringComparison.Ordinal)), "the log says why");
    }

    [Fact]
    public async Task A_failure_before_the_first_byte_is_a_problem_without_sql_or_data()
    {
        using var response = await _app.Client.GetAsync("/api/queries/fails_early");
        var text = (await response.ProblemAsync(502)).GetRawText();
        Assert.Contains("Invalid Input Error", text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret data", text, StringComparison.Ordinal);

        using var missing = await _app.Client.GetAsync("/api/queries/missing");
        text = (await missing.ProblemAsync(502)).GetRawText();
        Assert.Contains("Catalog Error", text, StringComparison.Ordinal);
        Assert.DoesNotContain("no_such_table", text, StringComparison.Ordinal);
        Assert.Contains(_app.Logs.All, line => line.Contains("no_such_table", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_first_rows_of_a_slow_query_are_seen_while_it_runs()
    {
        using var response = await _app.Client.GetAsync("/api/queries/slow", HttpCompletionOption.ResponseHeadersRead);
        await using var body = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[64];
        var read = await body.ReadAtLeastAsync(buffer, 8);
        Assert.StartsWith("[{\"i\":0,", Encoding.UTF8.GetString(buffer, 0, read), StringComparison.Ordinal);
        Assert.False(await HasEndedAsync(body), "the answer was there whole: nothing was streamed");
    }

    [Fact]
    public async Task A_slow_caller_slows_the_query_down_and_memory_stays_flat()
    {
        using var socket = new TcpClient(AddressFamily.InterNetwork) { ReceiveBufferSize = 8 * 1024 };
        await socket.ConnectAsync(IPAddress.Loopback, _app.Client.BaseAddress!.Port);
        var stream = socket.GetStream();
        await stream.WriteAsync("GET /api/queries/many HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
        await stream.ReadExactlyAsync(new byte[4096]);

        // The answer has some 200 MB. Nobody reads on: soon nothing may move any more, with most of it still at the endpoint.
        GC.Collect();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await EndpointIsIdleAsync();
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.InRange(grown, long.MinValue, 16 * 1024 * 1024);
        Assert.InRange(own.Endpoint.Process.WorkingSet64, 0, 1_000_000_000);
    }

    [Fact]
    public async Task Broken_connections_are_replaced_once_before_the_first_byte()
    {
        await using var endpoint = await EndpointProcess.StartAsync("local");
        await using var app = await StartAppAsync(endpoint, new Dictionary<string, string> { ["queries/one.sql"] = "SELECT 1 AS a" });
        await app.GetJsonAsync("/api/queries/one");
        // Kill every connection under the pool's feet, and let the endpoint come back on its port.
        await endpoint.KillAsync();
        using (var down = await app.Client.GetAsync("/api/queries/one"))
        {
            await down.ProblemAsync(503);
            Assert.NotNull(down.Headers.RetryAfter);
        }
        await using var again = await EndpointProcess.StartAsync("local", endpoint.Port);
        Assert.Equal(1, (await app.GetJsonAsync("/api/queries/one"))[0].GetProperty("a").GetInt32());
    }

    private static Task<LocalApp> StartAppAsync(EndpointProcess endpoint, IReadOnlyDictionary<string, string> files) => LocalApp.StartAsync(
        new LocalOptions
        {
            MotherDuck = true,
            Settings = new Dictionary<string, string?>
            {
                ["MOTHERDUCK_TOKEN"] = "local",
                ["MotherDuck:Host"] = "localhost",
                ["MotherDuck:Port"] = endpoint.Port.ToString(System.Globalization.CultureInfo.InvariantCulture),
                ["MotherDuck:RootCertificate"] = endpoint.CaFile,
            },
        },
        files);

    private static async Task<bool> HasEndedAsync(Stream body)
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        try
        {
            await body.CopyToAsync(Stream.Null, soon.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    // A statement that still ran would keep at least one core busy.
    private async Task EndpointIsIdleAsync()
    {
        var process = own.Endpoint.Process;
        var deadline = Stopwatch.StartNew();
        while (true)
        {
            process.Refresh();
            var before = process.TotalProcessorTime;
            await Task.Delay(500);
            process.Refresh();
            if (process.TotalProcessorTime - before < TimeSpan.FromMilliseconds(100))
                return;
            Assert.True(deadline.Elapsed < TimeSpan.FromSeconds(15), "the endpoint is still busy with a query that nobody waits for");
        }
    }
}
