using MdFunctions.Engine.MotherDuck;
using static MdFunctions.Local.Doctor.Asking;

namespace MdFunctions.Local.Doctor.Probes;

/// <summary>What an endpoint tells of itself.</summary>
internal static class MetadataProbes
{
    /// <summary>The probes.</summary>
    public static IReadOnlyList<Probe> All { get; } =
    [
        new("information-schema", "`information_schema` covers the connected database only.", FactSource.Page,
            "Asks `duckdb_columns()`, which covers all.", "Nothing: the app does not rely on it.",
            Severity.Copes, ["the connected one"],
            (patient, stop) => patient.OnAsync(async connection =>
                await connection.ScalarAsync("SELECT count(DISTINCT table_catalog) FILTER (table_catalog <> current_database()) AS catalogs FROM information_schema.tables", stop) == "0"
                    ? "the connected one" : "others too", stop)),
        new("databases", "`duckdb_databases()` tells the account's databases, and which can be written.", FactSource.DuckDb,
            "Nothing; the doctor looks for a second database so.", "Nothing: the app does not use it.",
            Severity.Copes, ["the current one"],
            (patient, stop) => patient.OnAsync(async connection =>
                await connection.ScalarAsync("SELECT count(*) AS databases FROM duckdb_databases() WHERE database_name = current_database() AND NOT readonly", stop) == "1"
                    ? "the current one" : "not the current one", stop)),
        new("pg-catalog", "`pg_catalog` can be read, as DuckDB has it; or it is refused.", FactSource.Report,
            "Tells Npgsql not to load types from it.", "Nothing: the app does not use it.",
            Severity.Copes, ["rows", Refused],
            (patient, stop) => patient.OnAsync(async connection =>
            {
                var answer = await connection.RefusalAsync("SELECT typname FROM pg_catalog.pg_type", stop);
                return answer == Taken ? "rows" : answer;
            }, stop)),
        new("tables", "A table is found under its full name, `database.schema.table`, whatever database a session starts in.", FactSource.Page,
            "Writes full names for targets.", "Loads and webhooks fail.",
            Severity.Fails, ["found"],
            (patient, stop) => patient.OnAsync(async connection =>
            {
                var table = patient.Table($"named_{Guid.NewGuid():N}");
                await connection.RunAsync(stop, $"CREATE TABLE {table} AS SELECT 'found' AS full_name");
                return await connection.RowAsync($"SELECT full_name FROM {table}", stop);
            }, stop)),
    ];
}
