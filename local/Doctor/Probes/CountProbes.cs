using System.Globalization;
using MdFunctions.Engine.MotherDuck;
using Npgsql;

namespace MdFunctions.Local.Doctor.Probes;

/// <summary>What statements without rows of their own report: counts, as a row or in the command's tag.</summary>
internal static class CountProbes
{
    private const string AsRow = " as a row";
    private const string InTag = " in the tag";

    /// <summary>The probes.</summary>
    public static IReadOnlyList<Probe> All { get; } =
    [
        new("ddl-result", "DDL answers a result set, or none.", FactSource.Guess,
            "Reads it to its end, whatever it is.", "Tables are not made.",
            Severity.Fails, ["a result set", "no result set"],
            (patient, stop) => patient.OnAsync(async connection =>
            {
                await using var command = connection.Statement($"CREATE TABLE {patient.Table("ddl")} (n INTEGER)");
                await using var reader = await command.ExecuteReaderAsync(stop);
                var answer = reader.FieldCount > 0 ? "a result set" : "no result set";
                while (await reader.ReadAsync(stop)) { }
                return answer;
            }, stop)),
        Count("insert-count", "INSERT says how many rows it wrote.", "Answers that number for loads and webhooks.", "Loads and webhooks fail, though their rows are stored.",
            (patient, table) => $"INSERT INTO {table} BY NAME SELECT i AS n FROM range(3) AS numbers(i)", 3),
        Count("merge-count", "MERGE says how many rows it changed or added.", "Answers that number for loads that merge.", "Loads that merge fail, and leave their target as it was.",
            (_, table) => $"MERGE INTO {table} AS target USING (SELECT 10 AS n UNION ALL SELECT 99) AS source ON (target.n = source.n) WHEN MATCHED THEN UPDATE SET n = source.n WHEN NOT MATCHED THEN INSERT BY NAME", 2),
        Count("ctas-count", "CREATE TABLE ... AS says how many rows it wrote, or nothing.", "Counts them itself where it says nothing.", "Loads report a wrong number of rows.",
            (patient, _) => $"CREATE TABLE {patient.Table($"ctas_{Guid.NewGuid():N}")} AS SELECT i FROM range(4) AS numbers(i)", 4, "nothing"),
        new("returning", "`INSERT ... RETURNING` answers rows.", FactSource.DuckDb,
            "Takes the lease of a load by it.", "Loads cannot run.",
            Severity.Fails, ["7"],
            (patient, stop) => patient.OnAsync(async connection =>
            {
                var table = await TableAsync(patient, connection, stop);
                return await connection.RowAsync($"INSERT INTO {table} BY NAME SELECT coalesce(max(n), 0) - 5 AS n FROM {table} HAVING max(n) > 0 RETURNING n", stop);
            }, stop)),
    ];

    private static Probe Count(string name, string fact, string app, string otherwise, Func<Patient, string, string> sql, long count, params string[] more) =>
        new(name, fact, FactSource.Guess, app, otherwise, Severity.Fails, [$"{count}{AsRow}", $"{count}{InTag}", .. more],
            (patient, stop) => patient.OnAsync(async connection =>
            {
                var table = await TableAsync(patient, connection, stop);
                await using var command = connection.Statement(sql(patient, table));
                await using var reader = await command.ExecuteReaderAsync(stop);
                if (reader.FieldCount > 0)
                    return await reader.ReadAsync(stop) && !await reader.IsDBNullAsync(0, stop) ? reader.GetString(0) + AsRow : "nothing";
                return reader.RecordsAffected < 0 ? "nothing" : reader.RecordsAffected.ToString(CultureInfo.InvariantCulture) + InTag;
            }, stop));

    private static async Task<string> TableAsync(Patient patient, NpgsqlConnection connection, CancellationToken stop)
    {
        var table = patient.Table($"counted_{Guid.NewGuid():N}");
        await connection.RunAsync(stop, $"CREATE TABLE {table} (n INTEGER)", $"INSERT INTO {table} VALUES (10), (11), (12)");
        return table;
    }
}
