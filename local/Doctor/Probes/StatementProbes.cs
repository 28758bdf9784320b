using MdFunctions.Engine.MotherDuck;
using Npgsql;
using NpgsqlTypes;
using static MdFunctions.Local.Doctor.Asking;

namespace MdFunctions.Local.Doctor.Probes;

/// <summary>Statements and their parameters, as the app sends them.</summary>
internal static class StatementProbes
{
    private const string Right = "the right value";
    private const int Long = 10 * 1024 * 1024;

    // Quotes, a backslash, a line's end, and letters of two to four bytes.
    private const string Text = "Zürich 'a' \"b\" \\n € 🦆\r\n$1";

    /// <summary>The probes.</summary>
    public static IReadOnlyList<Probe> All { get; } =
    [
        new("text-parameter", "A parameter is text under `CAST($1 AS VARCHAR)`, whatever is in it; the empty text is not NULL.", FactSource.Report,
            "Sends every value so; nothing that a caller sends becomes SQL.",
            "Queries with parameters, loads and webhooks fail or store wrong values.",
            Severity.Fails, ["as sent"],
            (patient, stop) => patient.OnAsync(async connection =>
            {
                var row = await connection.RowsAsync("SELECT CAST($1 AS VARCHAR) AS sent, CAST($2 AS VARCHAR) AS nothing", [Text, ""], stop);
                return row is [[Text, ""]] ? "as sent" : "other text";
            }, stop)),
        new("null-parameter", "NULL travels as NULL.", FactSource.Report,
            "Sends NULL for a parameter without a value.",
            "Queries with optional parameters answer wrongly.",
            Severity.Fails, ["NULL"],
            One("SELECT CASE WHEN CAST($1 AS VARCHAR) IS NULL THEN NULL ELSE 'a text' END AS sent", null)),
        new("typed-parameter", "A text is cast on: `CAST(CAST($1 AS VARCHAR) AS DATE)`.", FactSource.Report,
            "Casts each parameter to its declared type in this way.",
            "Queries whose parameters have types fail.",
            Severity.Fails, ["9007199254740993 | 0.1000 | true | 2026-02-28 | 2026-02-28 10:34:56.789+00"],
            One("""
                SELECT CAST(CAST(CAST($1 AS VARCHAR) AS BIGINT) AS VARCHAR), CAST(CAST(CAST($2 AS VARCHAR) AS DECIMAL(18,4)) AS VARCHAR), CAST(CAST(CAST($3 AS VARCHAR) AS BOOLEAN) AS VARCHAR),
                  CAST(CAST(CAST($4 AS VARCHAR) AS DATE) AS VARCHAR), CAST(CAST(CAST($5 AS VARCHAR) AS TIMESTAMPTZ) AS VARCHAR)
                """, "9007199254740993", "0.1", "true", "2026-02-28", "2026-02-28T12:34:56.789+02:00")),
        new("list-parameter", "A list is made of JSON: `CAST(from_json(CAST($1 AS VARCHAR), '[\"VARCHAR\"]') AS INTEGER[])`.", FactSource.DuckDb,
            "Sends lists as JSON text.",
            "Queries with list parameters fail.",
            Severity.Fails, ["true"],
            One("SELECT CAST(list_contains(CAST(from_json(CAST($1 AS VARCHAR), '[\"VARCHAR\"]') AS INTEGER[]), 2) AS VARCHAR) AS found", "[\"1\",\"2\"]")),
        new("hidden-parameter", "A value behind a subquery is not looked at while the statement is planned: `len((SELECT ...))` is prepared.", FactSource.DuckDb,
            "Sends a statement again in this form where the plain one cannot be prepared.",
            "Queries that call such functions of a parameter fail.",
            Severity.Fails, ["2"],
            One("SELECT CAST(len((SELECT CAST(from_json(CAST($1 AS VARCHAR), '[\"VARCHAR\"]') AS INTEGER[]))) AS VARCHAR) AS length", "[\"1\",\"2\"]")),
        new("long-parameter", "A parameter may be 10 MB long.", FactSource.Guess,
            "Sends a webhook's body as one parameter.",
            "Large webhooks fail: set `maxBytes` in their front matter lower.",
            Severity.Fails, [$"{Long}"],
            (patient, stop) => patient.OnAsync(connection =>
                connection.RowAsync("SELECT CAST(length(CAST($1 AS VARCHAR)) AS VARCHAR) AS characters", [new string('x', Long)], stop), stop)),
        new("bare-cast", "A parameter under another cast than to VARCHAR, such as `$1::DATE`, is refused.", FactSource.Report,
            "Casts to VARCHAR first, which works on either.",
            "Nothing: the app does not use it.",
            Severity.Copes, [Refused, "2026-02-28"],
            RowOrRefusal("SELECT CAST($1::DATE AS VARCHAR) AS day", "2026-02-28")),
        new("untyped-result", "A prepared statement with an untyped parameter as a column of its result is refused (\"ambiguous result column types\"); the simple protocol takes it.", FactSource.Report,
            "Casts every parameter, so that no column is untyped.",
            "Nothing: the app does not use it.",
            Severity.Copes, [Refused, "a text"],
            RowOrRefusal("SELECT $1 AS untyped", "a text")),
        new("table-function", "A table function, such as `read_csv(...)`, takes no parameter.", FactSource.Report,
            "A query that tries stops the start; a load writes checked literals.",
            "Nothing: the app does not use it.",
            Severity.Copes, [Refused],
            (patient, stop) => patient.OnAsync(connection => connection.RefusalAsync("SELECT * FROM read_csv($1)", [patient.Options.Csv.AbsoluteUri], stop), stop)),
        new("named-statement", "A statement may be prepared under a name.", FactSource.Guess,
            "Sends unnamed statements only.",
            "Nothing: the app does not use it.",
            Severity.Copes, [Right, Refused], Tried(async (connection, stop) =>
            {
                await using var command = new NpgsqlCommand("SELECT CAST($1 AS VARCHAR) AS named", connection) { AllResultTypesAreUnknown = true };
                command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Unknown, Value = "a" });
                await command.PrepareAsync(stop);
                return "a".Equals(await command.ExecuteScalarAsync(stop)) && "a".Equals(await command.ExecuteScalarAsync(stop));
            })),
        new("kept-plan", "A statement that was prepared before other rows came answers with them. (DuckDB 1.5 plans one without parameters by what the data was like then.)", FactSource.DuckDb,
            "Keeps no prepared statements.",
            "Nothing: the app does not use it. Elsewhere, do not keep prepared statements without parameters.",
            Severity.Copes, [Right, Refused], (patient, stop) => patient.OnTwoAsync(async (first, second) =>
            {
                var table = patient.Table("planned");
                await first.RunAsync(stop, $"CREATE OR REPLACE TABLE {table} AS SELECT i AS n FROM range(1, 4) numbers(i)");
                return await TryAsync(async () =>
                {
                    await using var command = new NpgsqlCommand($"SELECT CAST(n AS VARCHAR) AS planned FROM {table} WHERE n = 5", first) { AllResultTypesAreUnknown = true };
                    await command.PrepareAsync(stop);
                    await second.RunAsync(stop, $"INSERT INTO {table} VALUES (5), (NULL)");
                    return "5".Equals(await command.ExecuteScalarAsync(stop));
                });
            }, stop)),
        new("binary", "Values arrive in binary where a client asks for it.", FactSource.Guess,
            "Asks for text always.",
            "Nothing: the app does not use it.",
            Severity.Copes, [Right, Refused], Tried(async (connection, stop) =>
            {
                await using var command = new NpgsqlCommand("SELECT 42::INTEGER AS binary_number", connection);
                return 42.Equals(await command.ExecuteScalarAsync(stop));
            })),
        new("batch", "Several statements are taken before one Sync.", FactSource.Guess,
            "Sends one statement at a time.",
            "Nothing: the app does not use it.",
            Severity.Copes, [Right, Refused], Tried(async (connection, stop) =>
            {
                await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new("SELECT 'first' AS batched"), new("SELECT 'second' AS batched") } };
                await using var reader = await batch.ExecuteReaderAsync(stop);
                return await reader.ReadAsync(stop) && reader.GetString(0) == "first"
                    && await reader.NextResultAsync(stop) && await reader.ReadAsync(stop) && reader.GetString(0) == "second";
            })),
        new("describe", "`DESCRIBE` answers a row for each column, its name and DuckDB's type first.", FactSource.DuckDb,
            "Asks so for the columns of queries, loads and ingests.",
            "Nothing works: DuckDB's types are not to be had.",
            Severity.Fails, ["money DECIMAL(9,2), words VARCHAR[]"],
            (patient, stop) => patient.OnAsync(async connection =>
                string.Join(", ", await connection.RowsAsync("DESCRIBE SELECT * FROM (\nSELECT 1::DECIMAL(9,2) AS money, ['a'] AS words\n)", [], row => $"{row.Text(0)} {row.Text(1)}", stop)), stop)),
        new("folded-null", "DuckDB folds a function of a typed NULL to an untyped one, which `DESCRIBE` calls INTEGER: columns asked with NULLs for parameters are not the statement's columns.", FactSource.DuckDb,
            "Describes statements with values that cannot be known, never with NULLs.",
            "Nothing: the app does not rely on it.",
            Severity.Copes, ["INTEGER", "VARCHAR[]"],
            (patient, stop) => patient.OnAsync(async connection =>
                (await connection.RowsAsync("DESCRIBE SELECT list_sort(CAST(NULL AS VARCHAR[])) AS folded", [], row => row.Text(1), stop)) is [{ } type] ? type : "no row", stop)),
        new("implicit-cast", "`can_cast_implicitly` does not mean lossless.", FactSource.DuckDb,
            "Has rules of its own for which casts lose something.",
            "Nothing: the app does not rely on it.",
            Severity.Copes, ["true"],
            One("SELECT CAST(can_cast_implicitly(9007199254740993::BIGINT, 1.5::DOUBLE) AS VARCHAR) AS implicitly")),
        new("type-check", "`* REPLACE`, `typeof` and a condition with `error(...)` work together, and the error's words arrive as they are.", FactSource.DuckDb,
            "Lets statements check the types of their own columns, and casts fail by name where a value would be lost.",
            "Queries over tables, loads and webhooks fail.",
            Severity.Fails, ["A, and the error's own words"],
            (patient, stop) => patient.OnAsync(async connection =>
            {
                var value = await connection.RowAsync("SELECT * REPLACE (upper(\"n\") AS \"n\") FROM (\nSELECT 'a' AS n\n) AS answer WHERE typeof(\"n\") = 'VARCHAR' OR error('changed')", stop);
                try
                {
                    return $"{value}, and no error: {await connection.RowAsync("SELECT CASE WHEN random() < 2 THEN error('mdfunctions: n: 1.5 is lost') END AS lost", stop)}";
                }
                catch (PostgresException e)
                {
                    return $"{value}, and {(e.MessageText.Contains("mdfunctions: n: 1.5 is lost", StringComparison.Ordinal) ? "the error's own words" : "other words")}";
                }
            }, stop)),
    ];

    private static Func<Patient, CancellationToken, Task<string>> One(string sql, params string?[]? values) =>
        (patient, stop) => patient.OnAsync(connection => connection.RowAsync(sql, values ?? [null], stop), stop);

    private static Func<Patient, CancellationToken, Task<string>> RowOrRefusal(string sql, string value) => (patient, stop) => patient.OnAsync(async connection =>
    {
        try
        {
            return await connection.RowAsync(sql, [value], stop);
        }
        catch (PostgresException)
        {
            return await connection.GoesOnAsync(stop) ? Refused : "refused, and the session is over";
        }
    }, stop);

    private static Func<Patient, CancellationToken, Task<string>> Tried(Func<NpgsqlConnection, CancellationToken, Task<bool>> ask) =>
        (patient, stop) => patient.OnTwoAsync((connection, _) => TryAsync(() => ask(connection, stop)), stop);

    private static async Task<string> TryAsync(Func<Task<bool>> ask)
    {
        try
        {
            return await ask() ? Right : "another value";
        }
        catch (PostgresException)
        {
            return Refused;
        }
    }
}
