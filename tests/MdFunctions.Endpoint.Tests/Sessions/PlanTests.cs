using MdFunctions.Endpoint.Tests.Infrastructure;

namespace MdFunctions.Endpoint.Tests.Sessions;

/// <summary>A statement that was planned before, by the client's wish or because its text has come again, answers as one planned now.</summary>
public sealed class PlanTests(DocumentedWire endpoint) : IClassFixture<DocumentedWire>
{
    [Theory]
    [InlineData("SELECT id FROM {0} WHERE id = 5", "5")]
    [InlineData("SELECT id + 1 FROM {0} ORDER BY 1 DESC LIMIT 1", "9000000000000000001")]
    [InlineData("SELECT count(*) FROM {0} WHERE id IS NULL", "1")]
    [InlineData("SELECT count(*) FROM {0} a JOIN {0} b ON a.id = b.id WHERE a.id > 3", "2")]
    [InlineData("SELECT count(*) FROM (SELECT g, count(*) FROM {0} GROUP BY g)", "6")]
    public async Task A_plan_does_not_hold_what_the_data_was_like(string sql, string expected)
    {
        await using var client = await endpoint.ConnectAsync();
        await using var other = await endpoint.ConnectAsync();
        var table = $"t{Guid.NewGuid():N}";
        await client.AskAsync($"CREATE TABLE {table} AS SELECT i AS id, i % 3 AS g FROM range(1, 4) r(i)");
        sql = string.Format(sql, table);
        await client.AskAsync(Frames.Parse("kept", sql), Frames.Sync);
        await client.AskAsync(sql);
        await client.ExtendedAsync(sql);
        await other.AskAsync($"INSERT INTO {table} VALUES (5, 70), (NULL, NULL), (9000000000000000000, 1000)");
        Assert.Equal([[expected]], await client.RowsAsync(sql));
        Assert.Equal([expected], (await client.ExtendedAsync(sql)).Rows().Select(row => row[0]));
        Assert.Equal([expected], (await client.AskAsync(Frames.Bind("", "kept", []), Frames.Execute("", 0), Frames.Sync)).Rows().Select(row => row[0]));
    }

    [Fact]
    public async Task A_text_that_comes_again_sees_the_schema_as_it_is_now()
    {
        await using var client = await endpoint.ConnectAsync();
        await using var other = await endpoint.ConnectAsync();
        await other.AskAsync("CREATE TABLE again AS SELECT 1 AS a");
        const string All = "SELECT * FROM again";
        Assert.Equal(["1"], await BothAsync(client, All));
        await other.AskAsync("ALTER TABLE again ADD COLUMN b VARCHAR DEFAULT 'x'");
        Assert.Equal(["1|x"], await BothAsync(client, All));
        await other.AskAsync("BEGIN");
        await other.AskAsync("ALTER TABLE again DROP COLUMN a");
        Assert.Equal(["1|x"], await BothAsync(client, All));
        await other.AskAsync("COMMIT");
        Assert.Equal(["x"], await BothAsync(client, All));
        await other.AskAsync("DROP TABLE again");
        Assert.Contains("does not exist", (await client.ExtendedAsync(All)).ErrorText());
        await other.AskAsync("CREATE VIEW again AS SELECT 2 AS c");
        Assert.Equal(["2"], await BothAsync(client, All));
        await other.AskAsync("CREATE OR REPLACE VIEW again AS SELECT 3 AS c");
        Assert.Equal(["3"], await BothAsync(client, All));
    }

    [Fact]
    public async Task A_text_that_comes_again_knows_the_sessions_database_and_time_zone()
    {
        await using var client = await endpoint.ConnectAsync();
        await client.AskAsync("CREATE TABLE whose AS SELECT 'mine' AS a");
        await client.AskAsync("CREATE DATABASE whose_other");
        await client.AskAsync("CREATE TABLE whose_other.main.whose AS SELECT 'other' AS a");
        Assert.Equal(["mine"], await BothAsync(client, "SELECT a FROM whose"));
        await client.AskAsync("USE whose_other");
        Assert.Equal(["other"], await BothAsync(client, "SELECT a FROM whose"));
        const string Midnight = "SELECT CAST('2024-01-01 00:00:00' AS TIMESTAMPTZ) = CAST('2024-01-01 00:00:00+00' AS TIMESTAMPTZ)";
        Assert.Equal(["t"], await BothAsync(client, Midnight));
        await client.AskAsync("SET TimeZone = 'Asia/Tokyo'");
        Assert.Equal(["f"], await BothAsync(client, Midnight));
        await client.AskAsync("RESET ALL");
        Assert.Equal(["t"], await BothAsync(client, Midnight));
    }

    [Fact]
    public async Task A_text_that_comes_again_takes_parameters_anew()
    {
        await using var client = await endpoint.ConnectAsync();
        foreach (var (value, expected) in new (object?, string?)[] { ("1", "2"), ("41", "42"), (null, null), ("41", "42") })
            Assert.Equal([expected], (await client.ExtendedAsync("SELECT CAST($1 AS INTEGER) + 1", value)).Rows().Select(row => row[0]));
        Assert.NotEqual("", (await client.ExtendedAsync("SELECT CAST($1 AS INTEGER) + 1", "x")).ErrorText());
        Assert.Equal(["8"], (await client.ExtendedAsync("SELECT CAST($1 AS INTEGER) + 1", "7")).Rows().Select(row => row[0]));
    }

    [Fact]
    public async Task A_database_is_replaced_although_another_session_has_read_it()
    {
        using var folder = new TemporaryFolder();
        await using var lasting = await LocalEndpoint.StartAsync(new LocalEndpointOptions { DataDirectory = folder.Path });
        await using var client = await RawClient.ConnectAsync(lasting.Port);
        await using var other = await RawClient.ConnectAsync(lasting.Port);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal("", (await client.AskAsync("CREATE OR REPLACE DATABASE replaced")).ErrorText());
            Assert.Equal("", (await client.AskAsync($"CREATE TABLE replaced.main.t AS SELECT {i} AS a")).ErrorText());
            Assert.Equal([$"{i}"], await BothAsync(other, "SELECT a FROM replaced.main.t"));
        }
    }

    [Fact]
    public async Task An_open_portal_outlives_the_unnamed_statement_that_it_is_of()
    {
        await using var client = await endpoint.ConnectAsync();
        var messages = await client.AskAsync(
            Frames.Parse("", "SELECT i FROM range(5000) r(i)"), Frames.Bind("a", "", []), Frames.Execute("a", 2),
            Frames.Parse("", "SELECT i FROM range(5000) r(i)"), Frames.Bind("b", "", []), Frames.Execute("b", 1), Frames.Execute("a", 1), Frames.Sync);
        Assert.Equal("", messages.ErrorText());
        Assert.Equal(["0", "1", "0", "2"], messages.Rows().Select(row => row[0]));
    }

    private static async Task<string[]> BothAsync(RawClient client, string sql)
    {
        var simple = (await client.RowsAsync(sql)).Select(row => string.Join('|', row)).ToArray();
        var extended = (await client.ExtendedAsync(sql)).Rows().Select(row => string.Join('|', row)).ToArray();
        Assert.Equal(simple, extended);
        return simple;
    }
}
