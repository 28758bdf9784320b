using MdFunctions.Engine.MotherDuck;
using Npgsql;

namespace MdFunctions.Local.Doctor.Probes;

/// <summary>Statements that are given up.</summary>
internal static class CancelProbes
{
    private const string GoesOn = ", and the session goes on";

    // Long enough to be cancelled, and it ends by itself where cancelling does not work.
    private const string Long = "SELECT count(*) AS cancelled FROM range(20000000000) AS numbers(i) WHERE hash(i) % 7 = 3";

    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(500);

    /// <summary>The probes.</summary>
    public static IReadOnlyList<Probe> All { get; } =
    [
        new("cancel", "A cancel request ends a statement, with `57014` or \"INTERRUPT Error: ...\", and the session goes on.", FactSource.Guess,
            "Cancels a query whose time is over, or whose caller is gone.",
            "What is given up runs on at MotherDuck, is billed, and its connection is closed. Set `timeout` in front matter with this in mind.",
            Severity.Copes, [$"57014{GoesOn}", $"INTERRUPT Error{GoesOn}"],
            (patient, stop) => patient.OnTwoAsync(async (connection, _) =>
            {
                using var soon = CancellationTokenSource.CreateLinkedTokenSource(stop);
                soon.CancelAfter(Soon);
                try
                {
                    await connection.ScalarAsync(Long, soon.Token);
                    return "it ended by itself";
                }
                catch (Exception e) when (e is OperationCanceledException or NpgsqlException)
                {
                    return await EndAsync(connection, e, stop);
                }
            }, stop)),
        new("cancel-rows", "A cancel request ends a result in the middle of its rows, and the session goes on.", FactSource.Guess,
            "Stops reading when a caller goes away, or an answer has its `maxRows`.",
            "The rows that are left are read and thrown away, while another connection takes its place. Set `maxRows` in front matter.",
            Severity.Copes, [$"57014{GoesOn}", $"INTERRUPT Error{GoesOn}"],
            (patient, stop) => patient.OnTwoAsync(async (connection, _) =>
            {
                await using var command = connection.Statement("SELECT i, repeat('x', 100) AS cancelled_rows FROM range(2000000) AS numbers(i)");
                var reader = await command.ExecuteReaderAsync(stop);
                for (var row = 0; row < 100; row++)
                    await reader.ReadAsync(stop);
                try
                {
                    while (await reader.ReadAsync(new CancellationToken(canceled: true))) { }
                    return "it ended by itself";
                }
                catch (Exception e) when (e is OperationCanceledException or NpgsqlException)
                {
                    await reader.DisposeAsync();
                    return await EndAsync(connection, e, stop);
                }
            }, stop)),
    ];

    private static async Task<string> EndAsync(NpgsqlConnection connection, Exception exception, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        var error = exception as PostgresException ?? exception.InnerException as PostgresException;
        var what = error is null ? "not cancelled" : error.SqlState == PostgresErrorCodes.QueryCanceled ? error.SqlState : MotherDuckError.DuckDbReason(error.MessageText) ?? error.SqlState;
        return what + (await connection.GoesOnAsync(stop) ? GoesOn : ", and the session is over");
    }
}
