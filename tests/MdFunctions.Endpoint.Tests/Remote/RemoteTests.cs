using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using MdFunctions.Endpoint.Native;
using MdFunctions.Endpoint.Tests.Infrastructure;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Endpoint.Tests.Remote;

/// <summary>An endpoint that reads files of up to 2,000,000 bytes, and a server of files.</summary>
public sealed class RemoteFixture : IAsyncLifetime
{
    public TestEndpoint Endpoint { get; private set; } = null!;

    public WebFiles Files { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Endpoint = await TestEndpoint.StartAsync(new() { MaxDownload = 2_000_000 });
        Files = await WebFiles.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await Files.DisposeAsync();
        await Endpoint.DisposeAsync();
    }
}

public sealed class RemoteTests : IClassFixture<RemoteFixture>
{
    private const string Csv = "id,name\n1,one\n2,two\n3,\"three, \"\"quoted\"\"\"\n";

    private readonly TestEndpoint _endpoint;
    private readonly WebFiles _files;

    public RemoteTests(RemoteFixture fixture)
    {
        (_endpoint, _files) = (fixture.Endpoint, fixture.Files);
        _files.Put("/data.csv", Csv);
        _files.Put("/more.csv", "id,name\n4,four\n");
    }

    private string Url => _files.Url;

    private async Task<string[]> TextsAsync(string sql)
    {
        await using var connection = await _endpoint.ConnectAsync();
        return await connection.TextsAsync(sql);
    }

    private async Task<string> FailureAsync(string sql)
    {
        await using var connection = await _endpoint.ConnectAsync();
        return (await connection.FailureAsync(sql)).MessageText;
    }

    private static byte[] Gzip(string text)
    {
        using var bytes = new MemoryStream();
        using (var zip = new GZipStream(bytes, CompressionLevel.Fastest)) zip.Write(Encoding.UTF8.GetBytes(text));
        return bytes.ToArray();
    }

    private static byte[] Parquet(string select)
    {
        using var folder = new TemporaryFolder();
        using var engine = Engine.Open(":memory:");
        using var connection = engine.Connect();
        connection.Run($"COPY ({select}) TO '{folder.File("x.parquet")}' (FORMAT parquet)");
        return File.ReadAllBytes(folder.File("x.parquet"));
    }

    [Theory]
    [InlineData("SELECT * FROM read_csv('@/data.csv')", "1|one", "2|two", "3|three, \"quoted\"")]
    [InlineData("SELECT count(*) FROM read_csv('@/data.csv', HEADER = true, AUTO_DETECT = true, MD_RUN = REMOTE)", "3")]
    [InlineData("SELECT count(*) FROM read_csv_auto('@/data.csv.gz', MD_RUN := 'auto')", "3")]
    [InlineData("SELECT sum(a) FROM read_json('@/data.json')", "3")]
    [InlineData("SELECT sum(a) FROM read_ndjson('@/data.ndjson')", "3")]
    [InlineData("SELECT answer FROM read_parquet('@/data.parquet', MD_RUN = REMOTE)", "42")]
    [InlineData("SELECT answer FROM '@/data.parquet'", "42")]
    [InlineData("SELECT d.name FROM '@/data.csv' AS d WHERE d.id = 2", "two")]
    [InlineData("SELECT data.name FROM \"@/data.csv\" WHERE data.id = 2", "two")]
    [InlineData("SELECT count(*) FROM read_csv(['@/data.csv', '@/more.csv'])", "4")]
    [InlineData("SELECT a.id FROM read_csv('@/data.csv') a JOIN read_csv('@/more.csv') b ON b.id = a.id + 1", "3")]
    [InlineData("SELECT content FROM read_text('@/more.csv')", "id,name\n4,four\n")]
    [InlineData("SELECT filename FROM read_csv('@/more.csv', filename = true)", "@/more.csv")]
    [InlineData("SELECT filename, size FROM read_text('@/more.csv')", "@/more.csv|15")]
    [InlineData("SELECT count(*) FROM read_csv('@/moved.csv')", "3")]
    [InlineData("FROM read_csv('@/data.csv') SELECT count(*) WHERE name <> 'https://x/y.csv'", "3")]
    [InlineData("SELECT count(*) FROM read_csv('@/' || 'data' || '.csv')", "3")]
    [InlineData("SELECT v FROM read_csv('@/' || strftime(DATE '2024-02-29', '%Y-%m-%d') || '.csv')", "29")]
    [InlineData("SELECT count(*) FROM read_csv(['@/' || 'data.csv', concat('@/', 'more.csv')])", "4")]
    [InlineData("SELECT count(*) FROM read_csv(list_transform(['data', 'more'], lambda n: '@/' || n || '.csv'))", "4")]
    [InlineData("SELECT count(*) FROM read_csv(CAST('[@/data.csv, @/more.csv]' AS VARCHAR[]))", "4")]
    [InlineData("SELECT count(*) FROM read_csv(E'@/data\\x2ecsv')", "3")]
    [InlineData("SELECT year, month, sum(v) FROM read_csv(['@/sales/year=2023/month=12/a.csv', '@/sales/year=2024/month=01/b.csv']) GROUP BY ALL ORDER BY ALL", "2023|12|1", "2024|01|2")]
    [InlineData("SELECT DISTINCT town FROM read_csv('@/sales/town=S%C3%A3o%20Paulo/c.csv', hive_partitioning = true)", "São Paulo")]
    public async Task Remote_files_are_read_by_function_by_name_and_by_expression(string sql, params string[] expected)
    {
        _files.Put("/data.csv.gz", Gzip(Csv));
        _files.Put("/data.json", "[{\"a\": 1}, {\"a\": 2}]");
        _files.Put("/data.ndjson", "{\"a\": 1}\n{\"a\": 2}\n");
        _files.Put("/data.parquet", Parquet("SELECT 42 AS answer"));
        _files.Put("/moved.csv", context =>
        {
            context.Response.Redirect("/data.csv");
            return Task.CompletedTask;
        });
        _files.Put("/2024-02-29.csv", "v\n29\n");
        _files.Put("/sales/year=2023/month=12/a.csv", "v\n1\n");
        _files.Put("/sales/year=2024/month=01/b.csv", "v\n2\n");
        _files.Put("/sales/town=São Paulo/c.csv", "v\n3\n");
        Assert.Equal(expected.Select(text => text.Replace("@", Url, StringComparison.Ordinal)), await TextsAsync(sql.Replace("@", Url, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_table_is_loaded_from_a_remote_file_and_stays_when_the_file_is_gone()
    {
        await using var client = await _endpoint.ConnectAsync();
        await client.RunAsync($"CREATE OR REPLACE TABLE my_db.main.loaded AS SELECT * FROM read_csv('{Url}/data.csv', HEADER = true, AUTO_DETECT = true, MD_RUN = REMOTE)");
        await client.RunAsync($"INSERT INTO loaded SELECT * FROM read_csv('{Url}/more.csv')");
        await client.RunAsync($"COPY loaded FROM '{Url}/more.csv' (HEADER)");
        Assert.Equal(["5|4"], await client.TextsAsync("SELECT count(*), max(id) FROM loaded"));
        await client.RunAsync($"MERGE INTO loaded USING (SELECT * FROM read_csv('{Url}/data.csv')) s ON loaded.id = s.id WHEN MATCHED THEN UPDATE SET name = upper(s.name) WHEN NOT MATCHED THEN INSERT BY NAME");
        Assert.Equal(["ONE"], await client.TextsAsync("SELECT name FROM loaded WHERE id = 1"));
    }

    [Theory]
    [InlineData("none.csv", "^HTTP Error: Unable to connect to URL \"@@\": 404 \\(Not Found\\)")]
    [InlineData("forbidden.csv", "^HTTP Error: HTTP GET error on '@@' \\(HTTP 403 Forbidden\\)")]
    [InlineData("broken.csv", "^HTTP Error: HTTP GET error on '@@' \\(HTTP 500")]
    [InlineData("cut.csv", "^IO Error: The connection was cut while reading '@@': 14 of 1000 bytes")]
    [InlineData("cut-chunked.csv", "^IO Error: The connection was cut while reading '@@'")]
    [InlineData("large.csv", "^IO Error: '@@' has 3000000 bytes or more")]
    [InlineData("large-chunked.csv", "^IO Error: '@@' has \\d+ bytes or more")]
    [InlineData("loop.csv", "^HTTP Error: '@@' redirects more than")]
    [InlineData("text.parquet", "^Invalid Input Error: .*magic bytes.*@@")]
    public async Task Each_way_of_failing_has_an_error_of_its_own_with_the_URL_that_the_client_wrote(string file, string message)
    {
        _files.Put("/forbidden.csv", Status(403));
        _files.Put("/broken.csv", Status(500));
        _files.Put("/cut.csv", Cut(1000));
        _files.Put("/cut-chunked.csv", Cut(null));
        _files.Put("/large.csv", new byte[3_000_000]);
        _files.Put("/large-chunked.csv", async context => await context.Response.Body.WriteAsync(new byte[3_000_000]));
        _files.Put("/loop.csv", context =>
        {
            context.Response.Redirect("/loop.csv");
            return Task.CompletedTask;
        });
        _files.Put("/text.parquet", "this is no parquet file at all");
        var url = $"{Url}/{file}";
        var error = await FailureAsync($"SELECT * FROM {(file.EndsWith("parquet", StringComparison.Ordinal) ? "read_parquet" : "read_csv")}('{url}')");
        Assert.Matches(message.Replace("@@", Regex.Escape(url), StringComparison.Ordinal), error);
        Assert.DoesNotContain("/cache/", error, StringComparison.Ordinal);
    }

    private static RequestDelegate Status(int status) => context =>
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    };

    private static RequestDelegate Cut(int? length) => async context =>
    {
        context.Response.ContentLength = length;
        await context.Response.WriteAsync("id,name\n1,one\n");
        await context.Response.Body.FlushAsync();
        // What was written is to leave before the connection breaks.
        await Task.Delay(200);
        context.Abort();
    };

    [Theory]
    [InlineData("http://127.0.0.1:1/x.csv", "^IO Error: Could not establish connection error for HTTP GET to 'http://127\\.0\\.0\\.1:1/x\\.csv'")]
    [InlineData("http://", "is not a URL")]
    [InlineData("az://c/x.csv", "needs an Azure connection string")]
    public async Task What_cannot_be_reached_is_told(string url, string message) => Assert.Matches(message, await FailureAsync($"SELECT * FROM read_csv('{url}')"));

    [Fact]
    public async Task An_error_of_DuckDBs_does_not_tell_where_the_file_is_cached()
    {
        var error = await FailureAsync($"SELECT * FROM read_csv('{Url}/data.csv', columns = {{'id': 'INT', 'name': 'INT'}})");
        Assert.StartsWith("Conversion Error", error, StringComparison.Ordinal);
        Assert.DoesNotContain("/cache/", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_keeps_its_rows_when_its_reload_fails()
    {
        await using var client = await _endpoint.ConnectAsync();
        await client.RunAsync("CREATE OR REPLACE TABLE kept AS SELECT 1 AS a");
        _files.Put("/cut.csv", Cut(1000));
        foreach (var file in (string[])["none.csv", "cut.csv"]) await FailureAsync($"CREATE OR REPLACE TABLE kept AS SELECT * FROM '{Url}/{file}'");
        Assert.Equal(["1"], await client.TextsAsync("SELECT a FROM kept"));
    }

    [Fact]
    public async Task A_query_string_stays_out_of_the_log()
    {
        await TextsAsync($"SELECT count(*) FROM read_csv('{Url}/data.csv?sig=verysecret')");
        Assert.Contains("data.csv?***", _endpoint.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("verysecret", _endpoint.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Statements_that_run_at_once_share_a_download_and_later_ones_read_anew()
    {
        var served = 0;
        var all = new TaskCompletionSource();
        _files.Put("/slow.csv", async context =>
        {
            Interlocked.Increment(ref served);
            await all.Task;
            await context.Response.WriteAsync(Csv);
        });
        var reads = Enumerable.Range(0, 5).Select(_ => TextsAsync($"SELECT count(*) FROM read_csv('{Url}/slow.csv')")).ToArray();
        await UntilAsync(() => Volatile.Read(ref served) > 0);
        await Task.Delay(500);
        all.SetResult();
        foreach (var read in reads) Assert.Equal(["3"], await read);
        Assert.Equal(1, served);
        await TextsAsync($"SELECT count(*) FROM read_csv('{Url}/slow.csv')");
        Assert.Equal(2, served);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var i = 0; i < 500 && !condition(); i++) await Task.Delay(20);
        Assert.True(condition());
    }

    [Fact]
    public async Task A_file_with_an_ETag_stays_for_a_moment_and_is_read_anew_when_it_has_changed()
    {
        var version = 1;
        var answers = new List<int>();
        _files.Put("/tagged.csv", async context =>
        {
            var tag = $"\"v{version}\"";
            var same = context.Request.Headers.IfNoneMatch == tag;
            answers.Add(same ? 304 : 200);
            context.Response.StatusCode = same ? 304 : 200;
            context.Response.Headers.ETag = tag;
            if (!same) await context.Response.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"v\n{version}\n"));
        });
        var select = $"SELECT v FROM read_csv('{Url}/tagged.csv')";
        await TextsAsync($"DESCRIBE {select}");
        await TextsAsync($"CREATE OR REPLACE TABLE tagged AS {select}");
        Assert.All(answers.Skip(1), status => Assert.Equal(304, status));
        version = 2;
        Assert.Equal(["2"], await TextsAsync(select));
        Assert.Equal(200, answers[^1]);
    }

    [Fact]
    public async Task A_prepared_statement_reads_a_file_that_has_changed()
    {
        var version = 1;
        _files.Put("/changing.csv", async context => await context.Response.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"v\n{version}\n")));
        // With a prepared statement Npgsql's reset calls a pg_* function, which is refused.
        await using var source = Npgsql.NpgsqlDataSource.Create(_endpoint.ConnectionString() + ";No Reset On Close=true");
        await using var client = await source.OpenConnectionAsync();
        await using var command = new Npgsql.NpgsqlCommand($"SELECT v FROM read_csv('{Url}/changing.csv')", client);
        await command.PrepareAsync();
        Assert.Equal(1L, await command.ExecuteScalarAsync());
        version = 2;
        Assert.Equal(2L, await command.ExecuteScalarAsync());
    }

    [Fact]
    public async Task A_cancelled_statement_stops_waiting_for_its_download()
    {
        var asked = new TaskCompletionSource();
        _files.Put("/never.csv", async context =>
        {
            asked.TrySetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        await using var client = await _endpoint.ConnectAsync();
        await using var command = new Npgsql.NpgsqlCommand($"SELECT * FROM read_csv('{Url}/never.csv')", client);
        using var stop = new CancellationTokenSource();
        var run = command.ExecuteScalarAsync(stop.Token);
        await asked.Task;
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        Assert.Equal(["1"], await client.TextsAsync("SELECT 1"));
    }
}
