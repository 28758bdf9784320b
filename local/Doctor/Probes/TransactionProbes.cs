using MdFunctions.Engine.Loads;
using MdFunctions.Engine.MotherDuck;
using Npgsql;
using static MdFunctions.Local.Doctor.Asking;

namespace MdFunctions.Local.Doctor.Probes;

/// <summary>Transactions, as loads and webhooks use them.</summary>
internal static class TransactionProbes
{
    private const string Begin = "BEGIN TRANSACTION";
    private const string Conflict = "known as a conflict";
    private const string Duplicate = "known as a duplicate";
    private const string LosesRows = "Loads and webhooks may store rows twice or in part. Do not use them on this endpoint.";

    /// <summary>The probes.</summary>
    public static IReadOnlyList<Probe> All { get; } =
    [
        new("commit", "What is committed is seen by other sessions, and nothing before.", FactSource.Page,
            "Stages and publishes a load in one transaction.", LosesRows,
            Severity.Fails, ["0 before, 1 after"],
            OnTable(async (table, first, second, stop) =>
            {
                await first.RunAsync(stop, Begin, $"INSERT INTO {table} VALUES (10, 'commit')");
                var before = await CountAsync(second, table, stop);
                await first.RunAsync(stop, "COMMIT");
                return $"{before} before, {await CountAsync(second, table, stop)} after";
            })),
        new("rollback", "ROLLBACK undoes rows and tables.", FactSource.Page,
            "Rolls back whatever fails.", LosesRows,
            Severity.Fails, ["0 rows, no table"],
            OnTable(async (table, first, _, stop) =>
            {
                var made = $"{table[..^1]}_undone\"";
                await first.RunAsync(stop, Begin, $"INSERT INTO {table} VALUES (10, 'rollback')", $"CREATE TABLE {made} AS SELECT 1 AS n", "ROLLBACK");
                return $"{await CountAsync(first, table, stop)} rows, {(await first.ErrorAsync($"SELECT * FROM {made}", stop) == "Catalog Error" ? "no table" : "a table")}";
            })),
        new("transaction-aborted", "After an error a transaction takes nothing but ROLLBACK.", FactSource.DuckDb,
            "Sends ROLLBACK itself after any failure.", LosesRows,
            Severity.Fails, ["TransactionContext Error"],
            OnTable(async (_, first, _, stop) =>
            {
                await first.RunAsync(stop, Begin);
                await first.ErrorAsync("SELECT CAST('abc' AS INTEGER) AS aborts", stop);
                return await first.ErrorAsync("SELECT 'in an aborted transaction' AS words", stop);
            })),
        new("rollback-of-none", "ROLLBACK without a transaction says \"no transaction is active\".", FactSource.DuckDb,
            "Takes it for done where a failed COMMIT has ended the transaction.", "After a failed COMMIT a connection is closed, which costs a login.",
            Severity.Copes, ["no transaction is active"],
            OnTable(async (_, first, _, stop) =>
            {
                try
                {
                    return await first.RowAsync("ROLLBACK", stop);
                }
                catch (PostgresException e)
                {
                    return e.MessageText.Contains("no transaction is active", StringComparison.Ordinal) ? "no transaction is active" : "other words";
                }
            })),
        new("isolation-level", "There are no isolation levels: `BEGIN TRANSACTION ISOLATION LEVEL ...`, as Npgsql sends it, is refused.", FactSource.DuckDb,
            "Sends plain `BEGIN TRANSACTION` and never Npgsql's.", "Nothing: the app does not use it.",
            Severity.Copes, [Refused],
            OnTable((_, first, _, stop) => first.RefusalAsync("BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED", stop))),
        new("ready-status", "The transaction status (`ReadyForQuery`) says idle always; or else the truth.", FactSource.Report,
            "Does not look at it, and rolls back itself.", "The pool may hand on a connection in the middle of a transaction: LoadTransaction rolls back, a function by hand has to do so itself.",
            Severity.Copes, ["idle always", "the truth"],
            OnTable(async (_, first, second, stop) =>
            {
                await first.RunAsync(stop, Begin);
                await second.RunAsync(stop, Begin, "ROLLBACK");
                return (await IsIdleAsync(first, stop), await IsIdleAsync(second, stop)) switch
                {
                    (true, true) => "idle always",
                    (false, true) => "the truth",
                    _ => "in a transaction that is over",
                };
            })),
        new("snapshot", "A transaction sees what was there when it began.", FactSource.DuckDb,
            "Counts on the primary key, not on what a transaction sees.", "Nothing: the app does not rely on it.",
            Severity.Copes, ["0 | 0"],
            OnTable(async (table, first, second, stop) =>
            {
                await first.RunAsync(stop, Begin);
                var before = await CountAsync(first, table, stop);
                await second.RunAsync(stop, $"INSERT INTO {table} VALUES (10, 'snapshot')");
                return $"{before} | {await CountAsync(first, table, stop)}";
            })),
        new("conflict", "Of two transactions that change the same row one fails with \"TransactionContext Error: ...\", which speaks of a conflict.", FactSource.DuckDb,
            "Does the work again.", "Loads and webhooks that meet fail instead of waiting for each other.",
            Severity.Fails, [Conflict],
            OnTable((table, first, second, stop) => MeetAsync(first, second, [$"INSERT INTO {table} VALUES (1, 'a')"], $"UPDATE {table} SET words = 'conflict' WHERE n = 1", stop))),
        new("key-conflict", "Of two transactions that write the same primary key one fails: with a conflict, or where it writes the key with \"Constraint Error: Duplicate key\".", FactSource.DuckDb,
            "Loads an occurrence, and stores a delivery, once.", LosesRows,
            Severity.Fails, [Conflict, Duplicate],
            OnTable((table, first, second, stop) => MeetAsync(first, second, [], $"INSERT INTO {table} VALUES (1, 'key-conflict')", stop))),
        new("two-databases", "A transaction writes to one database.", FactSource.Page,
            "Keeps its own tables beside each target, in the schema `md_functions`.", "Nothing: the app does not use it.",
            Severity.Copes, [Refused],
            OnTable(async (table, first, _, stop) =>
            {
                // What this would write is never committed.
                var other = await first.ScalarAsync("SELECT min(database_name) FROM duckdb_databases() WHERE NOT internal AND NOT readonly AND database_name <> current_database()", stop)
                    ?? throw new NotAskedException("the account has no second database that can be written");
                await first.RunAsync(stop, Begin, $"INSERT INTO {table} VALUES (1, 'two-databases')");
                try
                {
                    return await first.RefusalAsync($"CREATE SCHEMA {Sql.Identifier(other)}.mdfunctions_doctor_never", stop);
                }
                finally
                {
                    await first.ErrorAsync("ROLLBACK", CancellationToken.None);
                }
            })),
    ];

    private static Func<Patient, CancellationToken, Task<string>> OnTable(Func<string, NpgsqlConnection, NpgsqlConnection, CancellationToken, Task<string>> ask) =>
        (patient, stop) => patient.OnTwoAsync(async (first, second) =>
        {
            var table = patient.Table($"transacted_{Guid.NewGuid():N}");
            await first.RunAsync(stop, $"CREATE TABLE {table} (n INTEGER PRIMARY KEY, words VARCHAR)");
            return await ask(table, first, second, stop);
        }, stop);

    private static Task<string?> CountAsync(NpgsqlConnection connection, string table, CancellationToken stop) =>
        connection.ScalarAsync($"SELECT count(*) FROM {table} WHERE n = 10", stop);

    private static async Task<string> MeetAsync(NpgsqlConnection first, NpgsqlConnection second, string[] setUp, string write, CancellationToken stop)
    {
        await first.RunAsync(stop, setUp);
        await first.RunAsync(stop, Begin);
        await second.RunAsync(stop, Begin);
        // Both look before either writes.
        await first.RunAsync(stop, "SELECT 1");
        await second.RunAsync(stop, "SELECT 1");
        var commits = false;
        try
        {
            await first.RunAsync(stop, write);
            await second.RunAsync(stop, write);
            commits = true;
            await first.RunAsync(stop, "COMMIT");
            await second.RunAsync(stop, "COMMIT");
            return "both were committed";
        }
        catch (PostgresException e)
        {
            if (MotherDuckError.IsConflict(e))
                return Conflict;
            // The app looks for a duplicate where it writes a key.
            return LoadException.IsDuplicate(e) && !commits ? Duplicate : $"{MotherDuckError.DuckDbReason(e.MessageText) ?? e.SqlState}{(commits ? " at COMMIT" : "")}";
        }
    }

    // Npgsql tells the status only so: it refuses a transaction in a transaction, and sends nothing for one that is not used.
    private static async Task<bool> IsIdleAsync(NpgsqlConnection connection, CancellationToken stop)
    {
        try
        {
            await connection.BeginTransactionAsync(stop); // Disposing it would send it.
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
