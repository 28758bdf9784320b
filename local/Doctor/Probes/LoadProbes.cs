using MdFunctions.Engine.Exact;
using MdFunctions.Engine.MotherDuck;
using Npgsql;

namespace MdFunctions.Local.Doctor.Probes;

/// <summary>The statements of loads and webhooks.</summary>
internal static class LoadProbes
{
    private const string LoadsFail = "Loads fail. `POST /api/loads/NAME` and load_runs say with which error.";

    /// <summary>The probes.</summary>
    public static IReadOnlyList<Probe> All { get; } =
    [
        new("remote-read", "MotherDuck reads files of remote storage: `read_csv(URL, MD_RUN = REMOTE)`.", FactSource.Page,
            "Loads read their files so; no row goes through the app.", LoadsFail,
            Severity.Fails, ["rows"],
            (patient, stop) => patient.OnAsync(async connection =>
                await connection.ScalarAsync($"SELECT CASE WHEN count(*) > 0 THEN 1 ELSE 0 END AS remote_rows FROM {Reader(patient)}", stop) == "1" ? "rows" : "no rows", stop)),
        new("remote-describe", "`DESCRIBE` answers the columns of a remote file.", FactSource.Guess,
            "Looks at a file's columns before it loads it.", LoadsFail,
            Severity.Fails, ["columns"],
            (patient, stop) => patient.OnAsync(async connection =>
                (await connection.RowsAsync($"DESCRIBE SELECT * FROM {Reader(patient)}", [], row => row.Text(0), stop)).Contains("city") ? "columns" : "other columns", stop)),
        new("remote-ctas", "`CREATE TABLE ... AS` makes a table of a remote file, inside a transaction, and it can be renamed there.", FactSource.Guess,
            "Stages a load in a table of its own, and renames it to publish it.", LoadsFail,
            Severity.Fails, ["rows"],
            (patient, stop) => patient.OnTwoAsync(async (connection, other) =>
            {
                var (stage, name) = (patient.Table($"stage_{Guid.NewGuid():N}"), $"published_{Guid.NewGuid():N}");
                await connection.RunAsync(stop, "BEGIN TRANSACTION", $"CREATE TABLE {stage} AS\nSELECT * FROM {Reader(patient)}", $"ALTER TABLE {stage} RENAME TO {name}", "COMMIT");
                return await other.ScalarAsync($"SELECT CASE WHEN count(*) > 0 THEN 1 ELSE 0 END AS ctas_rows FROM {patient.Table(name)}", stop) == "1" ? "rows" : "no rows";
            }, stop)),
        new("replace", "DELETE and INSERT of the same keys are taken in one transaction.", FactSource.DuckDb,
            "Replaces a table's rows so, and keeps the table.", "Loads with `mode: replace` fail where the table has a key. Use `mode: merge`.",
            Severity.Fails, ["2 rows"],
            OnTable("(n INTEGER PRIMARY KEY, words VARCHAR DEFAULT 'none')", async (connection, table, stop) =>
            {
                await connection.RunAsync(stop, $"INSERT INTO {table} VALUES (1, 'a'), (2, 'b')", "BEGIN TRANSACTION", $"DELETE FROM {table}",
                    $"INSERT INTO {table} BY NAME SELECT i AS n FROM range(1, 3) AS numbers(i)", "COMMIT");
                return $"{await connection.ScalarAsync($"SELECT count(*) AS replaced FROM {table} WHERE words = 'none'", stop)} rows";
            })),
        new("merge", "`MERGE INTO ... WHEN NOT MATCHED THEN INSERT BY NAME` updates and adds rows.", FactSource.DuckDb,
            "Merges so.", "Loads with `mode: merge` fail. Use `mode: replace`.",
            Severity.Fails, ["changed | b | added"],
            OnTable("(n INTEGER PRIMARY KEY, words VARCHAR)", async (connection, table, stop) =>
            {
                await connection.RunAsync(stop, $"INSERT INTO {table} VALUES (1, 'a'), (2, 'b')", $"""
                    MERGE INTO {table} AS target USING (SELECT 1 AS n, 'changed' AS words UNION ALL SELECT 3, 'added') AS source ON (target.n = source.n)
                    WHEN MATCHED THEN UPDATE SET words = source.words
                    WHEN NOT MATCHED THEN INSERT BY NAME
                    """);
                return string.Join(" | ", await connection.RowsAsync($"SELECT words AS merged FROM {table} ORDER BY n", [], row => row.Text(0), stop));
            })),
        new("upsert", "`INSERT ... BY NAME ... ON CONFLICT DO UPDATE ... WHERE` changes a row that is there.", FactSource.DuckDb,
            "Writes the row of a run into load_runs so.", LoadsFail,
            Severity.Fails, ["second"],
            OnTable("(n VARCHAR, words VARCHAR, PRIMARY KEY (n))", async (connection, table, stop) =>
            {
                foreach (var words in (string[])["first", "second"])
                {
                    await connection.ScalarAsync(
                        $"INSERT INTO {table} BY NAME SELECT CAST($1 AS VARCHAR) AS n, CAST($2 AS VARCHAR) AS words ON CONFLICT (n) DO UPDATE SET words = excluded.words WHERE {table}.words <> 'done'",
                        ["1", words], stop);
                }
                return await connection.RowAsync($"SELECT words AS upserted FROM {table}", stop);
            })),
        new("claim", "`ON CONFLICT DO NOTHING` says that it wrote no row.", FactSource.DuckDb,
            "Knows by it that a webhook's delivery was stored before.", "Deliveries that come twice are stored twice, or fail.",
            Severity.Fails, ["1, then 0"],
            OnTable("(n VARCHAR PRIMARY KEY)", async (connection, table, stop) =>
            {
                var claim = $"INSERT INTO {table} BY NAME SELECT CAST($1 AS VARCHAR) AS n ON CONFLICT DO NOTHING";
                return $"{await connection.CountAsync(claim, ["a"], stop)}, then {await connection.CountAsync(claim, ["a"], stop)}";
            })),
        new("add-column", "`ALTER TABLE ... ADD COLUMN IF NOT EXISTS` is taken.", FactSource.DuckDb,
            "Adds columns where `onSchemaChange: addColumns` allows it.", "Do not use `onSchemaChange`.",
            Severity.Fails, ["n, added"],
            OnTable("(n INTEGER)", async (connection, table, stop) =>
            {
                await connection.RunAsync(stop, $"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS \"added\" VARCHAR", $"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS \"added\" VARCHAR");
                return string.Join(", ", await connection.RowsAsync($"DESCRIBE {table}", [], row => row.Text(0), stop));
            })),
        new("columns", "`duckdb_columns()` takes parameters in its WHERE, and tells names, types and defaults.", FactSource.Report,
            "Looks at a target's columns so.", LoadsFail,
            Severity.Fails, ["n INTEGER, words VARCHAR with a default"],
            OnTable("(n INTEGER, words VARCHAR DEFAULT 'none')", async (connection, table, stop) =>
            {
                string[] parts = [.. table.Split('.').Select(part => part.Trim('"'))];
                var columns = await Column.OfTableAsync(connection, string.Join('.', parts[..^2]), parts[^2], parts[^1], stop);
                return string.Join(", ", columns.Select(column => $"{column.Name} {column.Type}{(column.HasDefault ? " with a default" : "")}"));
            })),
        new("webhook-rows", "`unnest(from_json($1, ...), max_depth := 2)` makes rows of a JSON parameter.", FactSource.DuckDb,
            "Stores a webhook's body so.", "Webhooks fail.",
            Severity.Fails, ["1 a | 2 NULL"],
            (patient, stop) => patient.OnAsync(async connection => string.Join(" | ", await connection.RowsAsync(
                "SELECT * FROM (SELECT unnest(from_json(CAST($1 AS VARCHAR), '[{\"n\":\"VARCHAR\",\"words\":\"VARCHAR\"}]'), max_depth := 2)) AS body",
                ["[{\"n\":\"1\",\"words\":\"a\"},{\"n\":\"2\"}]"], row => $"{row.Text(0)} {row.Text(1) ?? "NULL"}", stop)), stop)),
        new("lease-time", "`now() + to_seconds(...)` and `make_timestamptz(...)` tell times apart.", FactSource.DuckDb,
            "Lets the lease of a load expire by it.", LoadsFail,
            Severity.Fails, ["true"],
            (patient, stop) => patient.OnAsync(connection => connection.RowAsync(
                "SELECT CAST(now() + to_seconds(CAST(CAST($1 AS VARCHAR) AS DOUBLE)) > now() AND make_timestamptz(0) < now() AS VARCHAR) AS later", ["1.5"], stop), stop)),
    ];

    private static string Reader(Patient patient) => $"read_csv({Sql.Literal(patient.Options.Csv.AbsoluteUri)}, MD_RUN = REMOTE)";

    private static Func<Patient, CancellationToken, Task<string>> OnTable(string columns, Func<NpgsqlConnection, string, CancellationToken, Task<string>> ask) =>
        (patient, stop) => patient.OnTwoAsync(async (connection, _) =>
        {
            var table = patient.Table($"loaded_{Guid.NewGuid():N}");
            await connection.RunAsync(stop, $"CREATE TABLE {table} {columns}");
            return await ask(connection, table, stop);
        }, stop);
}
