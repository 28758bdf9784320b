using MdFunctions.Endpoint.Tests.Infrastructure;

namespace MdFunctions.Endpoint.Tests.Sessions;

/// <summary>The extended query protocol, message by message.</summary>
public sealed class ExtendedQueryTests(ObservedWire endpoint) : IClassFixture<ObservedWire>
{
    [Fact]
    public async Task Statements_and_portals_have_names_and_the_unnamed_ones_are_replaced()
    {
        await using var client = await endpoint.ConnectAsync();
        var messages = await client.AskAsync(
            Frames.Parse("a", "SELECT CAST($1 AS VARCHAR) AS v"), Frames.Parse("b", "SELECT 2"), Frames.Describe('S', "a"),
            Frames.Bind("p", "a", ["x"]), Frames.Bind("q", "b"), Frames.Describe('P', "p"), Frames.Execute("q"), Frames.Execute("p"), Frames.Sync);
        Assert.Equal("11tT22TDCDCZ", messages.Types());
        Assert.Equal([["2"], ["x"]], messages.Rows());
        Assert.Equal(
            "1122DCZ",
            (await client.AskAsync(
                Frames.Parse("", "SELECT 1"), Frames.Parse("", "SELECT 2"), Frames.Bind(), Frames.Bind(), Frames.Execute(), Frames.Sync)).Types());
        Assert.Equal("333Z", (await client.AskAsync(Frames.Close('S', "a"), Frames.Close('S', "never"), Frames.Close('P', "never"), Frames.Sync)).Types());
        foreach (var (frames, error) in new (byte[][] Frames, string Error)[]
        {
            ([Frames.Parse("b", "SELECT 3")], "already exists"),
            ([Frames.Bind("p", "none")], "\"none\" does not exist"),
            ([Frames.Execute("p")], "portal \"p\" does not exist"), // a portal ends with its transaction
            ([Frames.Bind("p", "b"), Frames.Bind("p", "b")], "portal \"p\" already exists"),
            ([Frames.Describe('S', "a")], "\"a\" does not exist"),
            ([Frames.Describe('P', "a")], "portal \"a\" does not exist"),
        })
        {
            Assert.Contains(error, (await client.AskAsync([.. frames, Frames.Sync])).ErrorText());
        }
    }

    [Fact]
    public async Task After_an_error_everything_is_skipped_until_Sync()
    {
        await using var client = await endpoint.ConnectAsync();
        var messages = await client.AskAsync(
            Frames.Parse("", "SELECT nope"), Frames.Bind(), Frames.Query("SELECT 1"), Frames.Parse("", "SELECT 1"), Frames.Execute(), Frames.Sync);
        Assert.Equal("EZ", messages.Types());
        Assert.Equal("12TDCZ", (await client.ExtendedAsync("SELECT 1")).Types());
    }

    [Fact]
    public async Task An_error_is_told_at_once_not_at_Sync()
    {
        await using var client = await endpoint.ConnectAsync();
        await client.SendAsync(Frames.Parse("", "SELECT nope"));
        Assert.Equal('E', (await client.NextAsync())!.Type);
        await client.SendAsync(Frames.Flush, Frames.Bind(), Frames.Sync);
        Assert.Equal("Z", (await client.UntilAsync('Z')).Types());
        await client.SendAsync(Frames.Parse("", "SELECT 'x'::INT FROM range(1)"), Frames.Bind(), Frames.Execute());
        Assert.Equal("12E", (await client.UntilAsync('E')).Types());
        Assert.Equal("Z", (await client.AskAsync(Frames.Sync)).Types());
    }

    [Fact]
    public async Task Pipelined_statements_are_answered_in_order()
    {
        await using var client = await endpoint.ConnectAsync();
        await client.SendAsync([.. Enumerable.Range(0, 200).SelectMany(i =>
            new[] { Frames.Parse("", $"SELECT {i}"), Frames.Bind(), Frames.Execute(), Frames.Sync })]);
        for (var i = 0; i < 200; i++)
            Assert.Equal([[$"{i}"]], (await client.UntilAsync('Z')).Rows());
    }

    [Fact]
    public async Task Flush_sends_what_there_is()
    {
        await using var client = await endpoint.ConnectAsync();
        await client.SendAsync(Frames.Parse("", "SELECT 1"), Frames.Flush);
        Assert.Equal('1', (await client.NextAsync())!.Type);
        await client.SendAsync(Frames.Bind(), Frames.Describe('P'), Frames.Execute(), Frames.Flush);
        Assert.Equal("2TDC", (await client.UntilAsync('C')).Types());
        Assert.Equal("Z", (await client.AskAsync(Frames.Sync)).Types());
    }

    [Fact]
    public async Task A_row_limit_suspends_a_portal_which_can_be_resumed()
    {
        await using var client = await endpoint.ConnectAsync();
        const string Sql = "SELECT i FROM range(5000) t(i)";
        var messages = await client.AskAsync(
            Frames.Parse("", Sql), Frames.Bind(), Frames.Execute(limit: 3), Frames.Execute(limit: 2), Frames.Execute(limit: 4990),
            Frames.Execute(limit: 5), Frames.Execute(limit: 5), Frames.Sync);
        Assert.Equal("12" + new string('D', 3) + "s" + "DDs" + new string('D', 4990) + "s" + "DDDDDs" + "CZ", messages.Types());
        Assert.Equal(Enumerable.Range(0, 5000).Select(i => $"{i}"), messages.Rows().Select(row => row[0]));
        // Within a transaction a portal outlives Sync, and others may run between.
        await client.AskAsync("BEGIN TRANSACTION");
        var first = await client.AskAsync(Frames.Parse("s", Sql), Frames.Bind("p", "s"), Frames.Execute("p", 10), Frames.Sync);
        Assert.Equal($"12{new string('D', 10)}sZ", first.Types());
        Assert.Equal([["77"]], (await client.ExtendedAsync("SELECT 77")).Rows());
        var rest = (await client.AskAsync(Frames.Execute("p"), Frames.Sync)).Rows();
        Assert.Equal((4990, "10"), (rest.Length, rest[0][0]));
        await client.AskAsync("COMMIT");
        Assert.Contains("does not exist", (await client.AskAsync(Frames.Execute("p"), Frames.Sync)).ErrorText());
    }

    [Fact]
    public async Task Two_portals_may_stream_at_once_and_one_that_is_left_leaves_nothing_behind()
    {
        await using var client = await endpoint.ConnectAsync();
        var both = await client.AskAsync(
            Frames.Parse("x", "SELECT i FROM range(5000) t(i)"), Frames.Bind("p1", "x"), Frames.Bind("p2", "x"), Frames.Execute("p1", 1),
            Frames.Execute("p2", 2), Frames.Execute("p1", 1), Frames.Execute("p2"), Frames.Execute("p1"), Frames.Sync);
        Assert.Equal(10_000, both.Rows().Length);
        await client.AskAsync(Frames.Bind("p1", "x"), Frames.Execute("p1", 1), Frames.Sync);
        Assert.Equal("TCZ", (await client.AskAsync("CREATE TABLE after_portal (a INT)")).Types());
        Assert.Equal("TCZ", (await client.AskAsync("DROP TABLE after_portal")).Types());
    }

    [Theory]
    [InlineData("SELECT $1")]
    [InlineData("SELECT $1 + 1")]
    [InlineData("SELECT [$1]")]
    [InlineData("SELECT {'a': $1}")]
    [InlineData("SELECT 1 UNION ALL SELECT $1")]
    [InlineData("SELECT CASE WHEN true THEN $1 ELSE $2 END")]
    [InlineData("SELECT * FROM (SELECT $1 AS a)")]
    [InlineData("SELECT max($1)")]
    public async Task An_untyped_parameter_that_settles_a_result_column_is_refused(string sql)
    {
        await using var client = await endpoint.ConnectAsync();
        Assert.Contains("ambiguous result column types", (await client.AskAsync(Frames.Parse("", sql), Frames.Sync)).ErrorText());
        // Declared types are ignored.
        Assert.Contains("ambiguous result column types", (await client.AskAsync(Frames.Parse("", sql, 23, 23), Frames.Sync)).ErrorText());
    }

    [Theory]
    [InlineData("SELECT CAST($1 AS VARCHAR)")]
    [InlineData("SELECT $1::TEXT")]
    [InlineData("SELECT 1 WHERE 1 = $1")]
    [InlineData("SELECT 1 LIMIT $1")]
    [InlineData("SELECT COALESCE($1, 1)")]
    [InlineData("SELECT CAST(CAST($1 AS VARCHAR) AS DATE)")]
    [InlineData("SELECT upper($1)")]
    public async Task Parameters_that_leave_no_column_open_are_taken(string sql)
    {
        await using var client = await endpoint.ConnectAsync();
        Assert.Equal("1Z", (await client.AskAsync(Frames.Parse("", sql), Frames.Sync)).Types());
    }

    [Fact]
    public async Task A_bind_that_does_not_fit_its_statement_is_an_error()
    {
        await using var client = await endpoint.ConnectAsync();
        await client.AskAsync(Frames.Parse("s", "SELECT CAST($1 AS VARCHAR), CAST($2 AS VARCHAR)"), Frames.Sync);
        foreach (var (frame, message) in new[]
        {
            (Frames.Bind("", "s", ["a"]), "supplies 1 parameters, but prepared statement \"s\" requires 2"),
            (Frames.Bind("", "s", ["a", "b", "c"]), "supplies 3"),
            (Frames.Bind("", "s", ["a", "b"], formats: [2]), "format code 2"),
            (Frames.Bind("", "s", ["a", "b"], formats: [0, 0, 0]), "3 parameter formats but 2 parameters"),
            (Frames.Bind("", "s", ["a", "b"], results: [0, 0, 0]), "3 result formats but query has 2 columns"),
            (Frames.Bind("", "s", [new byte[] { 0xff }, "b"]), "parameter $1 cannot be read"),
            (Frames.Bind("", "s", ["a\0b", "b"]), "parameter $1 cannot be read"),
        })
        {
            Assert.Contains(message, (await client.AskAsync(frame, Frames.Sync)).ErrorText());
        }
        Assert.Contains("multiple statements", (await client.AskAsync(Frames.Parse("", "SELECT 1; SELECT 2"), Frames.Sync)).ErrorText());
    }

    [Fact]
    public async Task A_prepared_statement_whose_result_has_changed_says_so_and_a_re_created_table_is_picked_up()
    {
        await using var client = await endpoint.ConnectAsync();
        await client.AskAsync("CREATE TABLE changing AS SELECT 1 AS a");
        await client.AskAsync(Frames.Parse("c", "SELECT * FROM changing"), Frames.Sync);
        await client.AskAsync("INSERT INTO changing VALUES (2)");
        Assert.Equal(2, (await client.AskAsync(Frames.Bind("", "c"), Frames.Execute(), Frames.Sync)).Rows().Length);
        await client.AskAsync("CREATE OR REPLACE TABLE changing AS SELECT 3 AS a");
        Assert.Equal([["3"]], (await client.AskAsync(Frames.Bind("", "c"), Frames.Execute(), Frames.Sync)).Rows());
        await client.AskAsync("CREATE OR REPLACE TABLE changing AS SELECT 'x' AS a, 2 AS b");
        Assert.Contains("changed", (await client.AskAsync(Frames.Bind("", "c"), Frames.Execute(), Frames.Sync)).ErrorText());
    }

    [Fact]
    public async Task Many_columns_long_names_and_parameters()
    {
        await using var client = await endpoint.ConnectAsync();
        var wide = await client.AskAsync($"SELECT {string.Join(", ", Enumerable.Range(0, 1500).Select(i => $"{i} AS \"column {i} é\""))}");
        Assert.Equal("column 1499 é", wide.Columns()[1499].Name);
        Assert.Equal("1499", wide.Rows()[0][1499]);
        var values = string.Join(", ", Enumerable.Range(1, 3000).Select(i => $"(CAST(${i} AS VARCHAR))"));
        var sum = await client.ExtendedAsync($"SELECT sum(v::INT) FROM (VALUES {values}) t(v)", [.. Enumerable.Range(0, 3000).Select(i => $"{i}")]);
        Assert.Equal($"{2999 * 3000 / 2}", sum.Rows()[0][0]);
    }

    [Fact]
    public async Task Leftovers_of_a_copy_are_ignored_and_unknown_messages_are_fatal()
    {
        await using var client = await endpoint.ConnectAsync();
        var ignored = await client.AskAsync(
            Frames.Frame('d', [1]), Frames.Frame('c'), Frames.Frame('f', Frames.CString("no")), Frames.Query("SELECT 1"));
        Assert.Equal("TDCZ", ignored.Types());
        await client.SendAsync(Frames.Frame('y', [1]));
        Assert.Equal("FATAL", (await client.UntilAsync('E')).Error().Field('S'));
        Assert.Null(await client.NextAsync());
    }
}
