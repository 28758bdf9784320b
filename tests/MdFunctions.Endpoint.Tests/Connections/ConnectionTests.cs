using MdFunctions.Endpoint.Tests.Infrastructure;

namespace MdFunctions.Endpoint.Tests.Connections;

/// <summary>From the first byte to a session: TLS, tokens, databases, options.</summary>
public sealed class ConnectionTests(ObservedWire endpoint) : IClassFixture<ObservedWire>
{
    [Fact]
    public async Task A_client_that_does_not_ask_for_TLS_is_told_why_it_is_refused()
    {
        using var socket = await RawClient.OpenAsync(endpoint.Port);
        await socket.SendAsync(Frames.Startup(("user", "u"), ("database", "md:")));
        Assert.Matches("(?s)TLS only.*sslmode=verify-full", await PlainAnswerAsync(socket));
    }

    [Fact]
    public async Task GSS_encryption_is_declined_and_TLS_follows()
    {
        var socket = await RawClient.OpenAsync(endpoint.Port);
        var answer = new byte[1];
        foreach (var (request, expected) in new[] { (Frames.GssRequest, 'N'), (Frames.SslRequest, 'S') })
        {
            await socket.SendAsync(request);
            await socket.ReceiveAsync(answer);
            Assert.Equal(expected, (char)answer[0]);
        }
        await using var client = await RawClient.SecureAsync(socket);
        await client.SendAsync(Frames.Startup(("user", "u"), ("database", "md:")), Frames.Password());
        Assert.Contains(await client.UntilAsync('Z'), message => message.Type == 'K');
    }

    [Fact]
    public async Task TLS_may_begin_at_once_with_ALPN_and_not_without()
    {
        await using (var client = await RawClient.SecureAsync(endpoint.Port, isDirect: true))
        {
            await client.SendAsync(Frames.Startup(("user", "u"), ("database", "md:")), Frames.Password());
            await client.UntilAsync('Z');
            Assert.Equal("TDCZ", (await client.AskAsync("SELECT 1")).Types());
        }
        await using var without = await RawClient.SecureAsync(endpoint.Port, isDirect: true, withAlpn: false);
        Assert.Null(await without.NextAsync());
    }

    [Fact]
    public async Task What_is_sent_in_the_clear_behind_an_SSLRequest_is_not_taken_for_encrypted()
    {
        using var socket = await RawClient.OpenAsync(endpoint.Port);
        await socket.SendAsync((byte[])[.. Frames.SslRequest, .. Frames.Startup(("user", "u"))]);
        Assert.Contains("unencrypted data", await PlainAnswerAsync(socket));
    }

    [Theory]
    [InlineData("local", "")]
    [InlineData("second", "")]
    [InlineData("reader", "")]
    [InlineData("wrong-token", "28P01")]
    [InlineData("loca", "28P01")]
    [InlineData("reader2", "28P01")]
    [InlineData("", "28P01")]
    public async Task The_password_is_a_token(string token, string sqlState)
    {
        await using var client = await endpoint.ConnectAsync(token);
        Assert.Equal(sqlState, client.Greeting.FirstOrDefault(message => message.Type == 'E')?.Field('C') ?? "");
        Assert.DoesNotContain("wrong-token", endpoint.Log);
    }

    [Theory]
    [InlineData("md:", "my_db")]
    [InlineData("MD:", "my_db")]
    [InlineData("my_db", "my_db")]
    [InlineData("md:sample_data", "sample_data")]
    [InlineData("Sample_Data", "sample_data")]
    public async Task A_database_is_md_or_a_name(string database, string name)
    {
        await using var client = await endpoint.ConnectAsync(database: database);
        Assert.Equal([[name]], await client.RowsAsync("SELECT current_database()"));
    }

    [Theory]
    [InlineData("nope")]
    [InlineData("md:nope")]
    [InlineData("system")]
    public async Task An_unknown_database_is_3D000(string database)
    {
        await using var client = await endpoint.ConnectAsync(database: database);
        Assert.Equal(("3D000", "FATAL"), (client.Greeting.Error().Field('C'), client.Greeting.Error().Field('S')));
    }

    [Fact]
    public async Task Session_options_are_taken_told_of_or_refused()
    {
        await using var named = await endpoint.ConnectAsync(options: "--attach_mode=single --session_name=pg-using\\ options", database: "sample_data");
        Assert.Contains("tester on sample_data (pg-using options)", endpoint.Log);
        await using var wrongMode = await endpoint.ConnectAsync(options: "--attach_mode=double");
        Assert.Contains("attach_mode", wrongMode.Greeting.ErrorText());
        await using var wrongCompatibility = await endpoint.ConnectAsync(options: "--compatibility-mode=oracle");
        Assert.Contains("compatibility-mode", wrongCompatibility.Greeting.ErrorText());
        await using var unknown = await endpoint.ConnectAsync(options: "-c statement_timeout=5 --what=x");
        var notices = unknown.Greeting.Where(message => message.Type == 'N').ToList();
        Assert.Equal(2, notices.Count);
        Assert.Contains("--what=x", notices[1].Field('M'));
    }

    [Fact]
    public async Task Parameters_of_the_session_are_told()
    {
        await using var client = await endpoint.ConnectAsync(parameters: [("application_name", "test")]);
        var told = client.Greeting.Where(message => message.Type == 'S').Select(message => message.Text.Split('\0')).ToDictionary(parts => parts[0], parts => parts[1]);
        Assert.Equal(("UTF8", "UTC", "test"), (told["client_encoding"], told["TimeZone"], told["application_name"]));
        Assert.Matches(@"^\d+\.\d+", told["server_version"]);
        var set = await client.AskAsync("SET TimeZone = 'Europe/Berlin'");
        Assert.Equal("TimeZone\0Europe/Berlin\0", set.Single(message => message.Type == 'S').Text);
    }

    [Fact]
    public async Task Versions_are_negotiated()
    {
        await using var newer = await RawClient.SecureAsync(endpoint.Port);
        await newer.SendAsync(Frames.Startup(196610, ("user", "u"), ("database", "md:"), ("_pq_.extra", "1")), Frames.Password());
        var greeting = await newer.UntilAsync('Z');
        Assert.Equal('v', greeting[0].Type);
        Assert.Contains("_pq_.extra", greeting[0].Text);
        await using var older = await RawClient.SecureAsync(endpoint.Port);
        await older.SendAsync(Frames.Startup(131072, ("user", "u")));
        Assert.Contains("unsupported frontend protocol 2.0", (await older.UntilAsync('E')).ErrorText());
    }

    [Fact]
    public async Task A_read_only_token_reads_and_does_not_write()
    {
        await using var writer = await endpoint.ConnectAsync();
        await using var reader = await endpoint.ConnectAsync("reader");
        await writer.AskAsync("CREATE TABLE readable AS SELECT 1 AS a");
        foreach (var sql in new[]
        {
            "CREATE TABLE other (a INT)", "INSERT INTO readable VALUES (2)", "UPDATE readable SET a = 3", "DELETE FROM readable", "DROP TABLE readable",
            "TRUNCATE readable", "ALTER TABLE readable ADD COLUMN b INT", "CREATE DATABASE other", "DROP DATABASE my_db", "CREATE SCHEMA s",
            "MERGE INTO readable USING (SELECT 1 AS a) s ON readable.a = s.a WHEN MATCHED THEN DELETE", "CREATE VIEW v AS SELECT 1",
            "WITH x AS (SELECT 1 AS a) INSERT INTO readable SELECT * FROM x", "EXPLAIN ANALYZE INSERT INTO readable VALUES (9)",
            "EXPLAIN ANALYZE DELETE FROM readable", "PREPARE p AS INSERT INTO readable VALUES (9)", "CHECKPOINT",
            "CREATE OR REPLACE TABLE readable (a INT)", "CREATE TYPE e AS ENUM ('a')", "COPY FROM DATABASE my_db TO other",
        })
        {
            Assert.Matches("read-only|Catalog Error|Binder Error", (await reader.AskAsync(sql)).ErrorText());
        }
        foreach (var sql in new[]
        {
            "BEGIN TRANSACTION", "SELECT 1", "COMMIT", "SHOW TABLES", "DESCRIBE readable", "SUMMARIZE readable", "EXPLAIN SELECT 1",
            "SET TimeZone = 'UTC'", "SELECT a FROM readable", "USE sample_data", "PRAGMA database_list",
        })
        {
            Assert.Equal((sql, ""), (sql, (await reader.AskAsync(sql)).ErrorText()));
        }
        Assert.Equal([["1"]], await writer.RowsAsync("SELECT a FROM readable"));
    }

    [Fact]
    public async Task Messages_may_be_split_anywhere()
    {
        await using var client = await RawClient.SecureAsync(endpoint.Port);
        byte[] bytes =
        [
            .. Frames.Startup(("user", "u"), ("database", "md:")), .. Frames.Password(), .. Frames.Query("SELECT 1"),
            .. Frames.Parse("s", "SELECT CAST($1 AS VARCHAR)"), .. Frames.Bind("", "s", ["é\U0001f986"]), .. Frames.Execute(), .. Frames.Sync,
        ];
        foreach (var piece in bytes.Chunk(3))
            await client.SendAsync(piece);
        Assert.Matches("^RRS+KZ$", (await client.UntilAsync('Z')).Types());
        Assert.Equal("TDCZ", (await client.UntilAsync('Z')).Types());
        Assert.Equal([["é\U0001f986"]], (await client.UntilAsync('Z')).Rows());
    }

    [Fact]
    public async Task Fifty_connections_at_once_each_with_a_statement_of_its_own()
    {
        var clients = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => endpoint.ConnectAsync()));
        var rows = await Task.WhenAll(clients.Select((client, i) => client.RowsAsync($"SELECT count(*) + {i} FROM range(200000) t(j) WHERE hash(j) % 2 < 2")));
        Assert.Equal(Enumerable.Range(200_000, 50).Select(i => $"{i}"), rows.Select(row => row[0][0]));
        foreach (var client in clients)
            await client.DisposeAsync();
    }

    private static async Task<string> PlainAnswerAsync(System.Net.Sockets.Socket socket)
    {
        await using var stream = new System.Net.Sockets.NetworkStream(socket);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }
}
