using MdFunctions.Engine.MotherDuck;
using Npgsql;
using static MdFunctions.Local.Doctor.Asking;

namespace MdFunctions.Local.Doctor.Probes;

/// <summary>Many sessions, sessions that rest, and their settings.</summary>
internal static class SessionProbes
{
    /// <summary>The probes.</summary>
    public static IReadOnlyList<Probe> All { get; } =
    [
        new("eight-sessions", "Eight sessions run statements at once.", FactSource.Page,
            "Opens up to `MotherDuck:MaxPoolSize` and `MotherDuck:MaxWritePoolSize` connections, four each unless they are set.",
            "Requests get 503 under load. Set MotherDuck:MaxPoolSize and MotherDuck:MaxWritePoolSize lower, together below what is allowed.",
            Severity.Fails, ["all eight"], async (patient, stop) =>
            {
                var connections = new List<NpgsqlConnection>();
                try
                {
                    for (var number = 1; number <= Patient.Sessions; number++)
                        connections.Add(await patient.OpenAsync(stop));
                    var answers = await Task.WhenAll(connections.Select((connection, i) => connection.ScalarAsync($"SELECT {i} + count(*) AS session_{i} FROM range(100000)", stop)));
                    return answers.Select((answer, i) => answer == $"{100_000 + i}").All(right => right) ? "all eight" : "wrong answers";
                }
                finally
                {
                    foreach (var connection in connections)
                        await connection.DisposeAsync();
                }
            }),
        new("rest", "A session that rests for a minute is still there.", FactSource.Guess,
            "Keeps connections for `MotherDuck:ConnectionIdleLifetime`, and asks one that rested before it gets work that must not be sent twice.",
            "The first request after a rest waits for a login. Set MotherDuck:ConnectionIdleLifetime to less than a minute.",
            Severity.Copes, ["still there"],
            (patient, stop) => patient.OnTwoAsync(async (connection, _) =>
            {
                await connection.ScalarAsync("SELECT 'before the rest' AS rest", stop);
                await Task.Delay(patient.Options.Rest, stop);
                try
                {
                    return await connection.ScalarAsync("SELECT 'still there' AS rest", stop) ?? "";
                }
                catch (Exception e) when (e is NpgsqlException or InvalidOperationException)
                {
                    return "gone";
                }
            }, stop)),
        new("reset", "`DISCARD ALL`, which resets a session, is refused; or it is taken.", FactSource.Guess,
            "Tells Npgsql not to send it (`No Reset On Close`), and sets nothing in a session.", "Nothing: the app does not use it.",
            Severity.Copes, [Refused, Taken],
            (patient, stop) => patient.OnTwoAsync((connection, _) => connection.RefusalAsync("DISCARD ALL", stop), stop)),
        new("zone", "`SET TimeZone` takes IANA names.", FactSource.Report,
            "Sets none: a value's zone is in its text.", "Nothing: the app does not use it.",
            Severity.Copes, [Taken],
            (patient, stop) => patient.OnTwoAsync((connection, _) => connection.RefusalAsync("SET TimeZone = 'Europe/Zurich'", stop), stop)),
        new("other-zone", "`SET TimeZone` refuses other names, such as `US/Eastern`; MotherDuck's pages do not say so.", FactSource.Report,
            "Sets none: a value's zone is in its text.", "Nothing: the app does not use it.",
            Severity.Copes, [Refused, Taken],
            (patient, stop) => patient.OnTwoAsync((connection, _) => connection.RefusalAsync("SET TimeZone = 'US/Eastern'", stop), stop)),
    ];
}
