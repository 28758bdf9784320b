using System.Diagnostics;
using System.Globalization;
using MdFunctions.Tests.Infrastructure;
using Npgsql;

namespace MdFunctions.Tests.Endpoint;

/// <summary>Npgsql's way of using a session: cancelling, many connections, prepared statements, transactions.</summary>
public sealed class SessionTests
{
    private const string Endless = "SELECT count(*) FROM range(100000000000) t(i) WHERE hash(i) % 7 = 3";

    [Fact]
    public async Task A_statement_is_cancelled_in_the_middle_and_the_connection_lives_on()
    {
        await using var connection = await SharedEndpoint.ConnectAsync();
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        var watch = Stopwatch.StartNew();
        await using (var command = new NpgsqlCommand(Endless, connection) { CommandTimeout = 60 })
        {
            var error = await Assert.ThrowsAsync<OperationCanceledException>(() => command.ExecuteScalarAsync(soon.Token));
            Assert.Equal("57014", Assert.IsType<PostgresException>(error.InnerException).SqlState);
        }
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"{watch.Elapsed}");
        Assert.Equal(1, await ScalarAsync(connection, "SELECT 1"));
    }

    [Fact]
    public async Task A_result_is_cancelled_in_the_middle_of_its_rows()
    {
        await using var connection = await SharedEndpoint.ConnectAsync();
        await using (var command = new NpgsqlCommand("SELECT i, repeat('x', 100) FROM range(100000000) t(i)", connection))
        await using (var reader = await command.ExecuteReaderAsync())
        {
            for (var row = 0; row < 1000; row++)
                Assert.True(await reader.ReadAsync());
            command.Cancel();
            var error = await Assert.ThrowsAsync<OperationCanceledException>(async () => { while (await reader.ReadAsync()) { } });
            Assert.Equal("57014", Assert.IsType<PostgresException>(error.InnerException).SqlState);
        }
        Assert.Equal(1, await ScalarAsync(connection, "SELECT 1"));
    }

    [Fact]
    public async Task A_command_that_times_out_is_cancelled()
    {
        await using var connection = await SharedEndpoint.ConnectAsync();
        await using (var command = new NpgsqlCommand(Endless, connection) { CommandTimeout = 1 })
        {
            var error = await Assert.ThrowsAsync<NpgsqlException>(() => command.ExecuteScalarAsync());
            Assert.IsType<TimeoutException>(error.InnerException);
        }
        Assert.Equal(1, await ScalarAsync(connection, "SELECT 1"));
    }

    [Fact]
    public async Task Fifty_connections_work_at_once()
    {
        var sums = await Task.WhenAll(Enumerable.Range(0, 50).Select(async i =>
        {
            await using var connection = await SharedEndpoint.ConnectAsync();
            return await ScalarAsync(connection, $"SELECT count(*) + {i} FROM range(100000) t(j) WHERE hash(j) % 2 < 2");
        }));
        Assert.Equal(Enumerable.Range(0, 50).Select(i => (object)(100000L + i)), sums);
    }

    [Fact]
    public async Task ExecuteNonQuery_learns_no_count_and_the_result_has_it()
    {
        await using var connection = await SharedEndpoint.ConnectAsync();
        var table = $"counted_{Guid.NewGuid():N}";
        await using (var create = new NpgsqlCommand($"CREATE TABLE {table} (a INTEGER)", connection))
            Assert.Equal(-1, await create.ExecuteNonQueryAsync());
        await using (var insert = new NpgsqlCommand($"INSERT INTO {table} VALUES (1), (2), (3)", connection))
            Assert.Equal(-1, await insert.ExecuteNonQueryAsync());
        Assert.Equal(3L, await ScalarAsync(connection, $"UPDATE {table} SET a = a + 1"));
        Assert.Equal(1L, await ScalarAsync(connection, $"DELETE FROM {table} WHERE a = 2"));
        await ScalarAsync(connection, $"DROP TABLE {table}");
    }

    [Fact]
    public async Task BeginTransaction_cannot_be_used_and_its_statements_can()
    {
        await using var connection = await SharedEndpoint.ConnectAsync();
        // It is sent with the first command, whose error breaks the connection.
        var transaction = await connection.BeginTransactionAsync();
        var error = await Assert.ThrowsAsync<PostgresException>(() => ScalarAsync(connection, "SELECT 1"));
        Assert.NotNull(transaction);
        Assert.StartsWith("Parser Error: syntax error at or near \"ISOLATION\"", error.MessageText, StringComparison.Ordinal);

        await using var fresh = await SharedEndpoint.ConnectAsync();
        await ScalarAsync(fresh, "BEGIN TRANSACTION");
        await ScalarAsync(fresh, "ROLLBACK");
        await ScalarAsync(fresh, "BEGIN TRANSACTION");
        await Assert.ThrowsAsync<PostgresException>(() => ScalarAsync(fresh, "selct"));
        var aborted = await Assert.ThrowsAsync<PostgresException>(() => ScalarAsync(fresh, "SELECT 1"));
        Assert.StartsWith("TransactionContext Error: Current transaction is aborted", aborted.MessageText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_error_of_the_engine_is_XX000_and_one_of_the_parser_42601()
    {
        // Npgsql takes XX000 for a dying server and drops the connection, unless the engine keeps it: see StatementErrors.
        await using var connection = await SharedEndpoint.ConnectAsync();
        Assert.Equal("XX000", (await Assert.ThrowsAsync<PostgresException>(() => ScalarAsync(connection, "SELECT * FROM nothing_of_that_name"))).SqlState);
        await using var other = await SharedEndpoint.ConnectAsync();
        Assert.Equal("42601", (await Assert.ThrowsAsync<PostgresException>(() => ScalarAsync(other, "selct"))).SqlState);
        Assert.Equal(1, await ScalarAsync(other, "SELECT 1"));
    }

    [Fact]
    public async Task Prepared_statements_and_batches_work()
    {
        await using var connection = await SharedEndpoint.ConnectAsync();
        await using (var command = new NpgsqlCommand("SELECT CAST($1 AS VARCHAR) || '!'", connection) { Parameters = { new() { Value = "" } } })
        {
            await command.PrepareAsync();
            for (var i = 0; i < 5; i++)
            {
                command.Parameters[0].Value = i.ToString(CultureInfo.InvariantCulture);
                Assert.Equal($"{i}!", await command.ExecuteScalarAsync());
            }
        }
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new("SELECT 1"), new("SELECT 2") } };
        await using var reader = await batch.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        Assert.Equal(1, reader.GetInt32(0));
        Assert.True(await reader.NextResultAsync());
        Assert.True(await reader.ReadAsync());
        Assert.Equal(2, reader.GetInt32(0));
    }

    [Theory]
    [InlineData("SELECT * FROM t_of_no_such_name", "Catalog Error: Table with name t_of_no_such_name does not exist!", "XX000")]
    [InlineData("selct", "Parser Error: syntax error at or near \"selct\"", "42601")]
    [InlineData("SELECT 'x'::INTEGER", "Conversion Error: Could not convert string 'x' to INT32", "XX000")]
    [InlineData("INSTALL httpfs", "Permission Error: INSTALL is not supported", "XX000")]
    [InlineData("DISCARD ALL", "Parser Error", "42601")]
    [InlineData("SELECT typname FROM pg_catalog.pg_type", "Permission Error: pg_catalog is not supported", "XX000")]
    public async Task Errors_are_DuckDBs_words_with_few_SQLSTATEs(string sql, string message, string state)
    {
        await using var connection = await SharedEndpoint.ConnectAsync();
        var error = await Assert.ThrowsAsync<PostgresException>(() => ScalarAsync(connection, sql));
        Assert.StartsWith(message, error.MessageText, StringComparison.Ordinal);
        Assert.Equal(state, error.SqlState);
    }

    [Fact]
    public async Task A_million_rows_arrive_whole()
    {
        await using var connection = await SharedEndpoint.ConnectAsync();
        await using var command = new NpgsqlCommand("SELECT i, 'row ' || i FROM range(1000000) t(i)", connection);
        await using var reader = await command.ExecuteReaderAsync();
        long rows = 0;
        long sum = 0;
        while (await reader.ReadAsync())
        {
            rows++;
            sum += reader.GetInt64(0);
        }
        Assert.Equal(1_000_000, rows);
        Assert.Equal(499_999_500_000, sum);
    }

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 60 };
        return await command.ExecuteScalarAsync();
    }
}
