using MdFunctions.Endpoint.Tests.Infrastructure;
using Npgsql;

namespace MdFunctions.Endpoint.Tests.Sessions;

/// <summary>What MotherDuck's pages promise, at the level of the protocol: true transaction status, PostgreSQL's tags, no rows for commands.</summary>
public sealed class DocumentedTests(DocumentedWire endpoint) : IClassFixture<DocumentedWire>
{
    [Fact]
    public async Task ReadyForQuery_tells_the_true_transaction_status()
    {
        await using var client = await endpoint.ConnectAsync();
        Assert.Equal("I", client.Greeting[^1].Text);
        foreach (var (sql, status) in new[] { ("BEGIN", "T"), ("SELECT 1", "T"), ("SELECT nope", "E"), ("SELECT 1", "E"), ("ROLLBACK", "I"), ("BEGIN", "T"), ("COMMIT", "I") })
            Assert.Equal((sql, status), (sql, (await client.AskAsync(sql))[^1].Text));
        // The implicit transaction of several statements is over when they are.
        Assert.Equal("I", (await client.AskAsync("SELECT 1; SELECT 2"))[^1].Text);
        Assert.Equal("I", (await client.AskAsync("SELECT 1; SELECT nope"))[^1].Text);
        Assert.Equal("T", (await client.AskAsync("SELECT 1; BEGIN; SELECT 2"))[^1].Text);
    }

    [Fact]
    public async Task Commands_answer_with_PostgreSQLs_tags_and_no_result_set()
    {
        (string Sql, string Tag)[] commands =
        [
            ("CREATE TABLE tags (a INT PRIMARY KEY, b VARCHAR)", "CREATE TABLE"),
            ("INSERT INTO tags VALUES (1, 'x'), (2, 'y'), (3, NULL)", "INSERT 0 3"),
            ("UPDATE tags SET b = 'z' WHERE a > 1", "UPDATE 2"),
            ("DELETE FROM tags WHERE a = 3", "DELETE 1"),
            ("DELETE FROM tags WHERE a = 3", "DELETE 0"),
            ("MERGE INTO tags USING (VALUES (1, 'm'), (9, 'n')) s(a, b) ON tags.a = s.a WHEN MATCHED THEN UPDATE WHEN NOT MATCHED THEN INSERT BY NAME", "MERGE 2"),
            ("CREATE TABLE tags_copy AS SELECT * FROM tags", "SELECT 3"),
            ("CREATE TABLE tags_none AS SELECT * FROM tags WHERE false", "SELECT 0"),
            ("CREATE VIEW tags_view AS SELECT * FROM tags", "CREATE VIEW"),
            ("ALTER TABLE tags_copy ADD COLUMN c INT", "ALTER TABLE"),
            ("TRUNCATE tags_copy", "TRUNCATE TABLE"),
            ("DROP VIEW tags_view", "DROP VIEW"),
            ("CREATE SCHEMA tags_schema", "CREATE SCHEMA"),
            ("BEGIN", "BEGIN"),
            ("COMMIT", "COMMIT"),
            ("START TRANSACTION", "BEGIN"),
            ("ROLLBACK", "ROLLBACK"),
            ("SET application_name = 'me'", "SET"),
            ("CREATE DATABASE tags_database", "CREATE DATABASE"),
            ("DROP DATABASE tags_database", "DROP DATABASE"),
        ];
        await using var client = await endpoint.ConnectAsync();
        for (var i = 0; i < commands.Length; i++)
        {
            var (sql, tag) = commands[i];
            var messages = i % 2 == 0 ? await client.AskAsync(sql) : await client.ExtendedAsync(sql);
            Assert.Equal((sql, ""), (sql, messages.ErrorText()));
            Assert.Equal((sql, i % 2 == 0 ? "CZ" : "12nCZ"), (sql, messages.Types().Replace("S", "")));
            Assert.Equal([tag], messages.Tags());
        }
    }

    [Fact]
    public async Task Queries_tell_how_many_rows_they_gave()
    {
        await using var client = await endpoint.ConnectAsync();
        await client.AskAsync("CREATE TABLE counted (a INT)");
        foreach (var (sql, types, tag) in new[]
        {
            ("SELECT * FROM range(7)", "TDDDDDDDCZ", "SELECT 7"),
            ("FROM range(0)", "TCZ", "SELECT 0"),
            ("INSERT INTO counted VALUES (4), (5) RETURNING a", "TDDCZ", "INSERT 0 2"),
            ("UPDATE counted SET a = 6 WHERE a = 4 RETURNING a", "TDCZ", "UPDATE 1"),
            ("DELETE FROM counted RETURNING a", "TDDCZ", "DELETE 2"),
            ("SELECT 1 AS \"Count\"", "TDCZ", "SELECT 1"),
        })
        {
            var messages = await client.AskAsync(sql);
            Assert.Equal((sql, types), (sql, messages.Types()));
            Assert.Equal([tag], messages.Tags());
        }
        Assert.Equal("TDCZ", (await client.AskAsync("DESCRIBE counted")).Types());
    }

    [Fact]
    public async Task A_parameter_has_the_type_that_the_client_declares_or_else_is_text()
    {
        await using var client = await endpoint.ConnectAsync();
        foreach (var (sql, oid, value, column, expected) in new[]
        {
            ("SELECT $1", 0, "x", 25, "x"), ("SELECT $1", 23, "5", 23, "5"), ("SELECT $1 + 1", 20, "5", 20, "6"), ("SELECT $1", 1700, "1.23456789", 25, "1.23456789"),
            ("SELECT $1", 1082, "2024-02-29", 1082, "2024-02-29"), ("SELECT $1::DATE", 0, "2024-02-29", 1082, "2024-02-29"), ("SELECT [$1]", 0, "a b", 1009, "{\"a b\"}"),
            ("SELECT $1", 1007, "{1,NULL,3}", 1007, "{1,NULL,3}"), ("SELECT $1", 1009, "{\"a,\\\"b\",NULL,\"\"}", 1009, "{\"a,\\\"b\",NULL,\"\"}"),
            ("SELECT repeat('ab', $1)", 23, "2", 25, "abab"), ("SELECT 1 WHERE 2 = ANY($1)", 1007, "{1,2}", 23, "1"),
        })
        {
            var messages = await client.AskAsync(
                Frames.Parse("", sql, oid), Frames.Describe('S'), Frames.Bind(values: [value]), Frames.Execute(), Frames.Sync);
            Assert.Equal((sql, ""), (sql, messages.ErrorText()));
            Assert.Equal((sql, oid, column), (sql, oid, messages.Columns()[0].Oid));
            Assert.Equal((sql, oid, expected), (sql, oid, messages.Rows()[0][0]));
        }
    }

    [Fact]
    public async Task Lists_are_arrays_in_PostgreSQLs_form()
    {
        await using var client = await endpoint.ConnectAsync();
        var rows = await client.RowsAsync(
            @"SELECT [1, NULL], ['x y', 'a,b', 'null', '', 'q""', 'b\'], [[1],[2,3]], [true], []::INTEGER[], {'a': 1}, [{'a': 'b c'}]");
        Assert.Equal<string?[]>(
            ["{1,NULL}", @"{""x y"",""a,b"",""null"","""",""q\"""",""b\\""}", "{{1},{2,3}}", "{t}", "{}", "{'a': 1}", @"{""{'a': b c}""}"], rows[0]);
    }

    [Fact]
    public async Task Npgsql_works_with_its_default_settings()
    {
        await using var source = NpgsqlDataSource.Create(
            $"Host=localhost;Port={endpoint.Port};Username=postgres;Password=local;Database=md:;SSL Mode=VerifyFull;Root Certificate={endpoint.Endpoint.CaFile}");
        await using var connection = await source.OpenConnectionAsync();
        await using (var create = new NpgsqlCommand("CREATE TABLE npgsql_default (id INT, name VARCHAR, moment TIMESTAMP)", connection))
            Assert.Equal(-1, await create.ExecuteNonQueryAsync());
        await using (var insert = new NpgsqlCommand("INSERT INTO npgsql_default VALUES ($1, $2, $3), (2, NULL, NULL)", connection))
        {
            insert.Parameters.Add(new NpgsqlParameter { Value = 1 });
            insert.Parameters.Add(new NpgsqlParameter { Value = "one" });
            insert.Parameters.Add(new NpgsqlParameter { Value = new DateTime(2024, 2, 29, 12, 0, 0) });
            Assert.Equal(2, await insert.ExecuteNonQueryAsync());
        }
        await using (var transaction = connection.BeginCommand())
            await transaction.ExecuteNonQueryAsync();
        await using (var select = new NpgsqlCommand("SELECT id, name, moment, [1, 2], 1.50::DECIMAL(5,2) FROM npgsql_default WHERE id = $1", connection))
        {
            select.Parameters.Add(new NpgsqlParameter { Value = 1 });
            await using var reader = await select.ExecuteReaderAsync();
            Assert.True(await reader.ReadAsync());
            Assert.Equal((1, "one", new DateTime(2024, 2, 29, 12, 0, 0)), (reader.GetInt32(0), reader.GetString(1), reader.GetDateTime(2)));
            Assert.Equal([1, 2], reader.GetFieldValue<int[]>(3));
            Assert.Equal(1.50m, reader.GetDecimal(4));
        }
        await using (var rollback = new NpgsqlCommand("ROLLBACK", connection))
            await rollback.ExecuteNonQueryAsync();
    }
}

internal static class NpgsqlCommands
{
    /// <summary>Npgsql's own BeginTransaction names an isolation level.</summary>
    public static NpgsqlCommand BeginCommand(this NpgsqlConnection connection) => new("BEGIN", connection);
}
