using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>
/// Statements the way MotherDuck's endpoint is known to take them, which is as node-postgres sends them: unnamed, with
/// untyped text parameters and text results. A value is cast in the statement (<c>CAST($1 AS VARCHAR)</c> at least).
/// </summary>
public static class MotherDuckCommands
{
    /// <summary>Makes a command whose parameters <c>$1</c>, <c>$2</c>... are the given texts.</summary>
    internal static NpgsqlCommand Statement(this NpgsqlConnection connection, string sql, params ReadOnlySpan<string?> values)
    {
        var command = new NpgsqlCommand(sql, connection) { AllResultTypesAreUnknown = true };
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Unknown, Value = (object?)value ?? DBNull.Value });
        return command;
    }

    /// <summary>Runs a statement and answers the first column of its first row as text: the value of a scalar query, the
    /// <c>Count</c> of an INSERT. Null if that is NULL or there is no row.</summary>
    internal static async Task<string?> ScalarAsync(this NpgsqlConnection connection, string sql, string?[] values, CancellationToken cancellationToken)
    {
        await using var command = connection.Statement(sql, values);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) && !await reader.IsDBNullAsync(0, cancellationToken) ? reader.GetString(0) : null;
    }

    /// <inheritdoc cref="ScalarAsync(NpgsqlConnection, string, string?[], CancellationToken)"/>
    internal static Task<string?> ScalarAsync(this NpgsqlConnection connection, string sql, CancellationToken cancellationToken) =>
        connection.ScalarAsync(sql, [], cancellationToken);

    /// <summary>Runs a statement that writes rows and answers how many: what DuckDB answers as a row named <c>Count</c>, or else the command's tag.</summary>
    /// <returns>Null if neither says it.</returns>
    internal static async Task<long?> CountAsync(this NpgsqlConnection connection, string sql, string?[] values, CancellationToken cancellationToken)
    {
        await using var command = connection.Statement(sql, values);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (await reader.ReadAsync(cancellationToken))
            return await reader.IsDBNullAsync(0, cancellationToken) ? null : long.Parse(reader.GetString(0), CultureInfo.InvariantCulture);
        return reader.FieldCount > 0 || reader.RecordsAffected < 0 ? null : reader.RecordsAffected;
    }

    /// <summary>Runs a statement and reads all rows of its result as text.</summary>
    public static Task<List<string?[]>> RowsAsync(this NpgsqlConnection connection, string sql, string?[] values, CancellationToken cancellationToken) =>
        connection.RowsAsync(sql, values, row => row.Texts(), cancellationToken);

    /// <summary>Runs a statement and makes something of each row of its result.</summary>
    public static async Task<List<T>> RowsAsync<T>(
        this NpgsqlConnection connection, string sql, string?[] values, Func<Row, T> make, CancellationToken cancellationToken)
    {
        await using var command = connection.Statement(sql, values);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(make(new(reader)));
        return rows;
    }

    /// <summary>Runs work inside a transaction: commits it when the work returns, rolls it back when it throws.</summary>
    /// <remarks>
    /// <c>BeginTransaction</c> of Npgsql names an isolation level, which DuckDB's parser refuses. And the endpoint may call itself idle inside a
    /// transaction, so the pool cannot be trusted to roll back: where our ROLLBACK fails, the physical connection is thrown away.
    /// </remarks>
    internal static async Task<T> InTransactionAsync<T>(this NpgsqlConnection connection, Func<Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            // Inside the try: a BEGIN that is cancelled may have begun.
            await connection.ScalarAsync("BEGIN TRANSACTION", cancellationToken);
            var result = await work();
            await connection.ScalarAsync("COMMIT", cancellationToken);
            return result;
        }
        catch
        {
            await RollBackAsync(connection);
            throw;
        }
    }

    private static async Task RollBackAsync(NpgsqlConnection connection)
    {
        try
        {
            // Without a limit: it belongs to work that has one.
            if (connection.FullState.HasFlag(System.Data.ConnectionState.Open))
                await connection.ScalarAsync("ROLLBACK", CancellationToken.None);
        }
        catch (PostgresException e) when (e.MessageText.Contains("no transaction is active", StringComparison.Ordinal))
        {
            // A COMMIT that failed has ended the transaction already.
        }
        catch (Exception)
        {
            // The connection's state is unknown: nobody may inherit it.
            ConnectionPool.Discard(connection);
        }
    }
}
