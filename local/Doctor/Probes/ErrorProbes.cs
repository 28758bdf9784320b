using MdFunctions.Engine.Loads;
using Npgsql;
using static MdFunctions.Local.Doctor.Asking;

namespace MdFunctions.Local.Doctor.Probes;

/// <summary>What mistakes are called, and what is left of the session after them. DuckDB's prefix tells them apart; SQLSTATE is not relied on.</summary>
internal static class ErrorProbes
{
    private const string Blames = "Answers the caller with a problem that names DuckDB's category, and logs the message.";
    private const string Rereads = "Asks for the columns again, as tables change while the app runs.";
    private const string Unfit = "Answers 422: the rows do not fit.";
    private const string Source = "Answers 502, and a load is worth trying again.";
    private const string Misnamed = "The app takes this mistake for another one: a wrong status, or a retry that is of no use.";

    /// <summary>The probes.</summary>
    public static IReadOnlyList<Probe> All { get; } =
    [
        Of("syntax", "A statement that cannot be parsed", "SELCT 1 AS syntax", Blames, "Parser Error"),
        Of("missing-table", "A table that is not there", "SELECT * FROM mdfunctions_no_such_table", Rereads, "Catalog Error"),
        Of("missing-schema", "A schema that is not there", "SELECT * FROM mdfunctions_no_such_schema.nothing", Rereads, "Catalog Error"),
        Of("missing-function", "A function that is not there", "SELECT mdfunctions_no_such_function(1)", Blames, "Catalog Error"),
        Of("missing-type", "A type that is not there", "SELECT CAST('a' AS mdfunctions_no_such_type)", Blames, "Catalog Error"),
        Of("missing-column", "A column that is not there", "SELECT mdfunctions_no_such_column FROM (SELECT 1 AS n)", Rereads, "Binder Error"),
        Of("wrong-type", "An operator that the types do not have", "SELECT DATE '2026-01-02' * DATE '2026-01-02' AS wrong_type", Blames, "Binder Error"),
        Of("existing-table", "A table that is there already", "CREATE TABLE {0} (n INTEGER)", Blames, "Catalog Error"),
        Of("conversion", "A text that is no value of the type", "SELECT CAST('abc' AS INTEGER) AS conversion", Unfit, "Conversion Error"),
        Of("no-date", "A day that no month has", "SELECT CAST('2026-02-30' AS DATE) AS no_date", Unfit, "Conversion Error"),
        Of("out-of-range", "A sum that its type cannot hold", "SELECT 2147483647::INTEGER + 1::INTEGER AS out_of_range", Unfit, "Out of Range Error"),
        Of("invalid-input", "What `error(...)` says", "SELECT error('invalid input')", Unfit, "Invalid Input Error"),
        Of("not-null", "A NULL where none may be", "INSERT INTO {0} VALUES (NULL, 'not-null')", Unfit, "Constraint Error"),
        Of("dependency", "A schema that is dropped while tables are in it", "DROP SCHEMA {1}", Blames, "Dependency Error", "Catalog Error"),
        Of("missing-file", "A file that its server does not have", "SELECT * FROM read_csv('{2}')", Source, "HTTP Error", "IO Error"),
        Of("missing-server", "A file whose server is not there", "SELECT * FROM read_csv('https://mdfunctions-no-such-host.invalid/a.csv')", Source, "IO Error", "HTTP Error"),
        Of("no-transaction", "COMMIT without a transaction", "COMMIT", Blames, "TransactionContext Error"),
        new("duplicate-key", "A primary key that is there already is \"Constraint Error: Duplicate key\".", FactSource.DuckDb,
            "Knows by it that another run, or a delivery before, was first.", "Loads and webhooks that come twice fail instead of being counted once.",
            Severity.Fails, ["known as a duplicate"],
            (patient, stop) => patient.OnAsync(async connection =>
            {
                var table = await TableAsync(patient, connection, stop);
                try
                {
                    await connection.RunAsync(stop, $"INSERT INTO {table} VALUES (1, 'a'), (2, 'duplicate-key')", $"INSERT INTO {table} VALUES (2, 'duplicate-key')");
                    return Taken;
                }
                catch (PostgresException e)
                {
                    return LoadException.IsDuplicate(e) ? "known as a duplicate" : patient.Redact(e);
                }
            }, stop)),
        new("sqlstate", "SQLSTATE says nothing useful: `XX000` for nearly every error, such as a missing table, or else the error's own code (`42P01`).", FactSource.Guess,
            "Tells errors apart by DuckDB's prefix, and by SQLSTATE only where there is none.", "Nothing: the app does not rely on it.",
            Severity.Copes, ["XX000", "42P01"],
            (patient, stop) => patient.OnAsync(async connection =>
            {
                try
                {
                    return await connection.RowAsync("SELECT * FROM mdfunctions_no_such_state", stop);
                }
                catch (PostgresException e)
                {
                    return e.SqlState;
                }
            }, stop)),
        new("connection-kept", "A session goes on after an error.", FactSource.Guess,
            "Keeps the connection after DuckDB's own errors, which Npgsql would close; not after `INTERNAL Error` and `FATAL Error`.",
            "Each failing query costs a login, and others wait for it: set MotherDuck:MaxPoolSize higher.",
            Severity.Copes, ["kept"], async (patient, stop) =>
            {
                await IdleAfterAsync(patient, "SELECT 'before the mistake' AS mistake", stop);
                var before = await IdleAfterAsync(patient, "SELECT 'before the mistake' AS mistake", stop);
                return await IdleAfterAsync(patient, "SELECT * FROM mdfunctions_no_such_kept_table", stop) == before ? "kept" : "closed";
            }),
    ];

    private static Probe Of(string name, string mistake, string sql, string app, params string[] prefixes) =>
        new(name, $"{mistake}: \"{string.Join("\" or \"", prefixes.Select(prefix => $"{prefix}: ..."))}\"; the session goes on.", FactSource.DuckDb, app, Misnamed, Severity.Fails, prefixes,
            (patient, stop) => patient.OnAsync(async connection =>
            {
                var table = sql.Contains('{', StringComparison.Ordinal) ? await TableAsync(patient, connection, stop) : "";
                var missing = new Uri(patient.Options.Csv, "mdfunctions-no-such-file.csv").AbsoluteUri;
                return await connection.ErrorAsync(sql.Replace("{0}", table, StringComparison.Ordinal).Replace("{1}", patient.QualifiedSchema, StringComparison.Ordinal).Replace("{2}", missing, StringComparison.Ordinal), stop);
            }, stop));

    private static async Task<string> TableAsync(Patient patient, NpgsqlConnection connection, CancellationToken stop)
    {
        var table = patient.Table($"keyed_{Guid.NewGuid():N}");
        await connection.RunAsync(stop, $"CREATE TABLE {table} (n INTEGER PRIMARY KEY, words VARCHAR)");
        return table;
    }

    // How many connections the app's pool has open when a statement has ended.
    private static async Task<int> IdleAfterAsync(Patient patient, string sql, CancellationToken stop)
    {
        try
        {
            await patient.Sources.Write.RunAsync(patient.Options.Limit, (connection, limit) => connection.RowAsync(sql, limit), _ => false, stop);
        }
        catch (PostgresException)
        {
            // Its connection is kept, or it is not.
        }
        return patient.Sources.Write.State.Idle;
    }
}
