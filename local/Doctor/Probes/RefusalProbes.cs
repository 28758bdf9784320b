using static MdFunctions.Local.Doctor.Asking;

namespace MdFunctions.Local.Doctor.Probes;

/// <summary>What the endpoint does not do. The app does without; whoever reads its SQL should know.</summary>
internal static class RefusalProbes
{
    private const string NotUsed = "Does without.";

    /// <summary>The probes.</summary>
    public static IReadOnlyList<Probe> All { get; } =
    [
        Of("temporary-table", "There are no temporary tables.", "CREATE TEMP TABLE mdfunctions_doctor_temporary (n INTEGER)", "Stages loads in tables of its own."),
        Of("copy-from-stdin", "There is no `COPY ... FROM STDIN`.", "COPY {0} FROM STDIN", "Sends a webhook's body as one parameter."),
        Of("local-file", "There are no local files.", "SELECT * FROM read_csv('mdfunctions-no-such-local-file.csv')", "Loads read remote storage."),
        Of("copy-to-file", "There is no `COPY ... TO` a local file.", "COPY (SELECT 1 AS n) TO 'mdfunctions-doctor.csv'"),
        Of("run-local", "There is no `MD_RUN = LOCAL`.", "SELECT * FROM read_csv('{1}', MD_RUN = LOCAL)", "Loads say `MD_RUN = REMOTE`."),
        Of("attach-file", "There is no `ATTACH` of a file or of memory.", "ATTACH ':memory:' AS mdfunctions_doctor_memory"),
        Of("install", "There is no `INSTALL`.", "INSTALL httpfs"),
        Of("load", "There is no `LOAD`.", "LOAD httpfs"),
        Of("secret", "There is no `CREATE SECRET`.", "CREATE TEMPORARY SECRET mdfunctions_doctor_secret (TYPE http, BEARER_TOKEN 'none')", "Loads read what MotherDuck's own secrets open."),
        Of("set", "There is no `SET` of DuckDB's settings.", "SET threads = 2", "Sets nothing in a session."),
        Of("pg-function", "There are no `pg_*` functions.", "SELECT pg_advisory_unlock_all()", "Tells Npgsql not to call them."),
    ];

    private static Probe Of(string name, string fact, string sql, string app = NotUsed) =>
        new(name, fact, FactSource.Page, app, "Nothing: the app does not use it. The local endpoint is stricter than MotherDuck here.", Severity.Copes, [Refused],
            // What is taken all the same goes with its session.
            (patient, stop) => patient.OnTwoAsync(async (connection, _) =>
            {
                var table = patient.Table($"refused_{Guid.NewGuid():N}");
                if (sql.Contains("{0}", StringComparison.Ordinal))
                    await connection.RunAsync(stop, $"CREATE TABLE {table} (n INTEGER)");
                return await connection.RefusalAsync(sql.Replace("{0}", table, StringComparison.Ordinal).Replace("{1}", patient.Options.Csv.AbsoluteUri, StringComparison.Ordinal), stop);
            }, stop));
}
