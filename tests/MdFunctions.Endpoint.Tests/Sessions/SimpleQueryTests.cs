using MdFunctions.Endpoint.Tests.Infrastructure;

namespace MdFunctions.Endpoint.Tests.Sessions;

/// <summary>The simple query protocol, and transactions.</summary>
public sealed class SimpleQueryTests(ObservedWire endpoint) : IClassFixture<ObservedWire>
{
    [Fact]
    public async Task A_simple_query_may_hold_several_statements()
    {
        await using var client = await endpoint.ConnectAsync();
        Assert.Equal("TDCTDCTDCZ", (await client.AskAsync("SELECT 1; ; SELECT 2 -- ; SELECT 3\n; SELECT ';'")).Types());
        foreach (var nothing in new[] { "", "  ", ";", " ; /* none */ ; -- none" })
            Assert.Equal("IZ", (await client.AskAsync(nothing)).Types());
    }

    [Fact]
    public async Task Several_statements_are_one_transaction()
    {
        await using var client = await endpoint.ConnectAsync();
        var messages = await client.AskAsync("CREATE TABLE several (a INT); INSERT INTO several VALUES (1); SELECT nope; DROP TABLE several");
        Assert.Equal("TCTDCEZ", messages.Types());
        Assert.Contains("Table with name several does not exist", (await client.AskAsync("SELECT * FROM several")).ErrorText());
        Assert.Equal("", (await client.AskAsync("CREATE TABLE several (a INT); INSERT INTO several VALUES (1)")).ErrorText());
        Assert.Equal([["1"]], await client.RowsAsync("SELECT a FROM several"));
        // A COMMIT among them keeps what stands before it; the rest is another transaction.
        await client.AskAsync("INSERT INTO several VALUES (2); COMMIT; INSERT INTO several VALUES (3); SELECT nope");
        Assert.Equal([["1"], ["2"]], await client.RowsAsync("SELECT a FROM several ORDER BY a"));
        // A BEGIN among them makes the client's transaction of it, which goes on after the message.
        await client.AskAsync("INSERT INTO several VALUES (4); BEGIN; INSERT INTO several VALUES (5)");
        await client.AskAsync("ROLLBACK");
        Assert.Equal([["2"]], await client.RowsAsync("SELECT count(*) FROM several"));
        // Within a transaction of the client's an error fails all of it.
        await client.AskAsync("BEGIN TRANSACTION");
        await client.AskAsync("INSERT INTO several VALUES (6); SELECT nope");
        Assert.Contains("aborted", (await client.AskAsync("SELECT 1")).ErrorText());
        await client.AskAsync("ROLLBACK");
    }

    [Fact]
    public async Task What_cannot_run_within_a_transaction_ends_the_implicit_one()
    {
        await using var client = await endpoint.ConnectAsync();
        var messages = await client.AskAsync(
            "CREATE TABLE before_database (a INT); CREATE DATABASE among_others; CREATE TABLE among_others.main.t (a INT); SELECT nope");
        Assert.Contains("nope", messages.ErrorText());
        Assert.Equal([["0"]], await client.RowsAsync("SELECT count(*) FROM before_database"));
        Assert.Contains("does not exist", (await client.AskAsync("SELECT * FROM among_others.main.t")).ErrorText());
        Assert.Equal("", (await client.AskAsync("DROP DATABASE among_others; CHECKPOINT; SELECT 1")).ErrorText());
    }

    [Fact]
    public async Task Every_statement_answers_with_a_result_set_and_no_tag_has_a_count()
    {
        (string Sql, string Column, string?[][] Rows, string Tag)[] cases =
        [
            ("CREATE TABLE results (a INT PRIMARY KEY, b VARCHAR)", "Count", [], "CREATE TABLE"),
            ("INSERT INTO results VALUES (1, 'x'), (2, 'y'), (3, NULL)", "Count", [["3"]], "INSERT"),
            ("UPDATE results SET b = 'z' WHERE a > 1", "Count", [["2"]], "UPDATE"),
            ("DELETE FROM results WHERE a = 3", "Count", [["1"]], "DELETE"),
            ("CREATE OR REPLACE TABLE copied AS SELECT * FROM results", "Count", [["2"]], "CREATE TABLE"),
            ("CREATE VIEW shown AS SELECT 1", "Count", [], "CREATE VIEW"),
            ("DROP VIEW shown", "Success", [], "DROP VIEW"),
            ("BEGIN TRANSACTION", "Success", [], "BEGIN"),
            ("COMMIT", "Success", [], "COMMIT"),
            ("BEGIN", "Success", [], "BEGIN"),
            ("ROLLBACK", "Success", [], "ROLLBACK"),
            ("CREATE DATABASE made", "Success", [], "CREATE DATABASE"),
            ("DROP DATABASE made", "Success", [], "DROP DATABASE"),
            ("SET TimeZone = 'UTC'", "Success", [], "SET"),
            ("USE my_db", "Success", [], "USE"),
            ("INSERT INTO results VALUES (4, NULL) RETURNING a", "a", [["4"]], "INSERT"),
            ("SELECT count(*) AS n FROM results", "n", [["3"]], "SELECT"),
        ];
        await using var client = await endpoint.ConnectAsync();
        for (var i = 0; i < cases.Length; i++)
        {
            // Half of them each way: both have the same answers.
            var (sql, column, rows, tag) = cases[i];
            var messages = i % 2 == 0 ? await client.AskAsync(sql) : await client.ExtendedAsync(sql);
            Assert.Equal((sql, column), (sql, messages.Columns().Single().Name));
            Assert.Equal(rows, messages.Rows());
            Assert.Equal([tag], messages.Tags());
        }
    }

    [Fact]
    public async Task With_compatibility_mode_metabase_tags_have_counts_and_commands_no_rows()
    {
        await using var client = await endpoint.ConnectAsync(options: "--compatibility-mode=metabase");
        foreach (var (sql, tag) in new[]
        {
            ("CREATE TABLE metabase (a INT)", "CREATE TABLE"), ("INSERT INTO metabase VALUES (1), (2), (3)", "INSERT 0 3"),
            ("UPDATE metabase SET a = a + 1", "UPDATE 3"), ("DELETE FROM metabase WHERE a = 2", "DELETE 1"), ("BEGIN", "BEGIN"),
            ("ROLLBACK", "ROLLBACK"), ("DROP TABLE metabase", "DROP TABLE"),
        })
        {
            var messages = await client.AskAsync(sql);
            Assert.Equal("CZ", messages.Types());
            Assert.Equal([tag], messages.Tags());
        }
        Assert.Equal(["SELECT 7"], (await client.AskAsync("SELECT * FROM range(7)")).Tags());
        Assert.Equal("12nCZ", (await client.ExtendedAsync("CREATE TABLE metabase (a INT)")).Types());
    }

    [Fact]
    public async Task ReadyForQuery_says_idle_always()
    {
        await using var client = await endpoint.ConnectAsync();
        foreach (var sql in new[] { "BEGIN TRANSACTION", "SELECT nope", "ROLLBACK" })
            Assert.Equal("I", (await client.AskAsync(sql))[^1].Text);
    }

    [Theory]
    [InlineData("SELECT nope")]
    [InlineData("selct")]
    [InlineData("SELECT 'x'::INT")]
    [InlineData("BEGIN TRANSACTION")]
    [InlineData("INSTALL httpfs")]
    public async Task After_any_error_a_transaction_is_aborted_until_ROLLBACK(string wrong)
    {
        await using var client = await endpoint.ConnectAsync();
        await client.AskAsync("BEGIN TRANSACTION");
        await client.AskAsync("CREATE OR REPLACE TABLE aborted AS SELECT 1 AS a");
        Assert.NotEqual("", (await client.AskAsync(wrong)).ErrorText());
        Assert.StartsWith("TransactionContext Error: Current transaction is aborted", (await client.AskAsync("SELECT 1")).ErrorText());
        Assert.Contains("aborted", (await client.AskAsync("COMMIT")).ErrorText());
        Assert.Contains("aborted", (await client.ExtendedAsync("SELECT CAST($1 AS VARCHAR)", "x")).ErrorText());
        await client.AskAsync("ROLLBACK");
        Assert.StartsWith("Catalog Error: Table with name aborted does not exist!", (await client.AskAsync("SELECT * FROM aborted")).ErrorText());
    }

    [Fact]
    public async Task Transactions_are_DuckDBs()
    {
        await using var client = await endpoint.ConnectAsync();
        await using var other = await endpoint.ConnectAsync();
        Assert.StartsWith("Parser Error", (await client.AskAsync("BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED")).ErrorText());
        Assert.StartsWith("Parser Error", (await client.AskAsync("SAVEPOINT a")).ErrorText());
        Assert.Contains("no transaction is active", (await client.AskAsync("COMMIT")).ErrorText());
        await client.AskAsync("BEGIN TRANSACTION");
        await client.AskAsync("CREATE TABLE committed AS SELECT 1 AS a");
        Assert.Contains("does not exist", (await other.AskAsync("SELECT * FROM committed")).ErrorText());
        await client.AskAsync("COMMIT");
        Assert.Equal([["1"]], await other.RowsAsync("SELECT a FROM committed"));
        // A conflict between sessions.
        await client.AskAsync("BEGIN TRANSACTION");
        await client.AskAsync("UPDATE committed SET a = 5");
        Assert.StartsWith("TransactionContext Error: Conflict", (await other.AskAsync("UPDATE committed SET a = 6")).ErrorText());
        await client.AskAsync("COMMIT");
    }

    [Theory]
    [InlineData("SELECT * FROM t_nope", "Catalog Error: Table with name t_nope does not exist!", "XX000")]
    [InlineData("SELECT 'x'::INT", "Conversion Error: Could not convert string 'x' to INT32", "XX000")]
    [InlineData("selct 1", "Parser Error: syntax error at or near \"selct\"", "42601")]
    [InlineData("SELECT 'open", "Parser Error", "42601")]
    [InlineData("SELECT \"open", "Parser Error", "42601")]
    [InlineData("SELECT /* open", "Parser Error", "42601")]
    [InlineData("SELECT 9223372036854775807 + 1::BIGINT", "Out of Range Error", "XX000")]
    [InlineData("SELECT CAST(CASE WHEN i = 400000 THEN 'x' ELSE '1' END AS INT) FROM range(500000) t(i)", "Conversion Error: Could not convert", "XX000")]
    public async Task Errors_are_DuckDBs_own_words_with_the_few_SQLSTATEs_there_are(string sql, string message, string sqlState)
    {
        await using var client = await endpoint.ConnectAsync();
        var error = (await client.AskAsync(sql)).Error();
        Assert.StartsWith(message, error.Field('M'));
        Assert.Equal((sqlState, "ERROR"), (error.Field('C'), error.Field('S')));
        Assert.Equal([["1"]], await client.RowsAsync("SELECT 1"));
    }

    [Fact]
    public async Task An_error_in_the_middle_of_a_result_is_told_never_taken_for_its_end()
    {
        await using var client = await endpoint.ConnectAsync();
        const string Sql = "SELECT CAST(CASE WHEN i = 400000 THEN 'x' ELSE '1' END AS INT) FROM range(500000) t(i)";
        foreach (var messages in new[] { await client.AskAsync(Sql), await client.ExtendedAsync(Sql) })
        {
            // On a busy machine the thread that fails may be faster than those whose rows come first: then there are none.
            Assert.Matches("^(12)?T?D*EZ$", messages.Types());
            Assert.Contains("Conversion Error", messages.ErrorText());
        }
        await client.AskAsync("BEGIN TRANSACTION");
        Assert.Contains("Conversion Error", (await client.AskAsync(Sql)).ErrorText());
        Assert.Contains("aborted", (await client.AskAsync("SELECT 1")).ErrorText());
        await client.AskAsync("ROLLBACK");
    }
}
