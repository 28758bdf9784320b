using MdFunctions.Engine.MotherDuck;
using Npgsql;

namespace MdFunctions.Local.Doctor;

/// <summary>Short ways of asking. Statements are sent as the app sends them.</summary>
internal static class Asking
{
    /// <summary>The answer to a statement that is refused while its session goes on.</summary>
    public const string Refused = "refused";

    /// <summary>The answer to one that is not refused.</summary>
    public const string Taken = "taken";

    /// <summary>The first row of a statement, its values parted by bars.</summary>
    public static async Task<string> RowAsync(this NpgsqlConnection connection, string sql, string?[] values, CancellationToken cancellationToken)
    {
        var rows = await connection.RowsAsync(sql, values, cancellationToken);
        return rows.Count == 0 ? "no row" : string.Join(" | ", rows[0].Select(value => value ?? "NULL"));
    }

    /// <inheritdoc cref="RowAsync(NpgsqlConnection, string, string?[], CancellationToken)"/>
    public static Task<string> RowAsync(this NpgsqlConnection connection, string sql, CancellationToken cancellationToken) => connection.RowAsync(sql, [], cancellationToken);

    /// <summary>Runs a statement, or several, whose answer does not matter.</summary>
    public static async Task RunAsync(this NpgsqlConnection connection, CancellationToken cancellationToken, params string[] statements)
    {
        foreach (var statement in statements)
            await connection.RowsAsync(statement, [], cancellationToken);
    }

    /// <summary>What DuckDB calls the error of a statement, and whether the session goes on.</summary>
    /// <returns><see cref="Taken"/> where there is no error.</returns>
    public static async Task<string> ErrorAsync(this NpgsqlConnection connection, string sql, string?[] values, CancellationToken cancellationToken)
    {
        try
        {
            await connection.RowsAsync(sql, values, cancellationToken);
            return Taken;
        }
        catch (PostgresException e)
        {
            var reason = MotherDuckError.DuckDbReason(e.MessageText) ?? $"SQLSTATE {e.SqlState}";
            return await GoesOnAsync(connection, cancellationToken) ? reason : $"{reason}, and the session is over";
        }
    }

    /// <inheritdoc cref="ErrorAsync(NpgsqlConnection, string, string?[], CancellationToken)"/>
    public static Task<string> ErrorAsync(this NpgsqlConnection connection, string sql, CancellationToken cancellationToken) => connection.ErrorAsync(sql, [], cancellationToken);

    /// <summary>Whether a statement is refused, whatever the error is called.</summary>
    public static async Task<string> RefusalAsync(this NpgsqlConnection connection, string sql, string?[] values, CancellationToken cancellationToken)
    {
        var error = await connection.ErrorAsync(sql, values, cancellationToken);
        return error == Taken || error.EndsWith("over", StringComparison.Ordinal) ? error : Refused;
    }

    /// <inheritdoc cref="RefusalAsync(NpgsqlConnection, string, string?[], CancellationToken)"/>
    public static Task<string> RefusalAsync(this NpgsqlConnection connection, string sql, CancellationToken cancellationToken) => connection.RefusalAsync(sql, [], cancellationToken);

    /// <summary>Whether a session still answers.</summary>
    public static async Task<bool> GoesOnAsync(this NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            return await connection.ScalarAsync("SELECT 'goes on'", cancellationToken) == "goes on";
        }
        catch (PostgresException e) when (e.MessageText.Contains("aborted", StringComparison.Ordinal))
        {
            return true; // In a transaction that has failed.
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException)
        {
            return false;
        }
    }
}
