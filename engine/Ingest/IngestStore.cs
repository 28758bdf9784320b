using System.Collections.Concurrent;
using System.Text.Json;
using MdFunctions.Engine.Exact;
using MdFunctions.Engine.Http;
using MdFunctions.Engine.MotherDuck;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace MdFunctions.Engine.Ingest;

/// <summary>What comes with a body.</summary>
/// <param name="Id">The sender's id of it; null if the ingest has none.</param>
/// <param name="Headers">The values of <see cref="IngestTemplate.Headers"/>.</param>
internal sealed record Delivery(string? Id, IReadOnlyList<string?> Headers);

/// <summary>
/// Writes deliveries into MotherDuck, each whole or not at all. One with an id shares its transaction with the id's row in
/// <c>md_functions.ingest_deliveries</c> of the target's database, whose primary key lets it in once.
/// </summary>
internal sealed class IngestStore(MotherDuckDataSources dataSources, TableWriter writer, IngestTargets targets, TimeProvider time, ILogger<IngestStore> logger)
{
    private static readonly TimeSpan BetweenCleanings = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<string, DateTimeOffset> _cleaned = new(StringComparer.Ordinal);

    /// <summary>Stores a delivery.</summary>
    /// <param name="ingest">The ingest.</param>
    /// <param name="delivery">What came with the body.</param>
    /// <param name="rows">The body's rows.</param>
    /// <param name="timeLeft">How long it may still take.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How many rows were inserted; null if a delivery of that id was stored before.</returns>
    /// <exception cref="ProblemException">422: MotherDuck's types or constraints refuse what the statement makes of the rows.</exception>
    /// <exception cref="NpgsqlException">MotherDuck cannot be reached or rejects the statement.</exception>
    /// <exception cref="TimeoutException">The time was over.</exception>
    public async Task<long?> StoreAsync(IngestTemplate ingest, Delivery delivery, IngestRows rows, Func<TimeSpan> timeLeft, CancellationToken cancellationToken)
    {
        try
        {
            var inserted = await writer.RunAsync(TablesOf(ingest), WriteAsync, MotherDuckError.IsConflict, cancellationToken);
            _ = CleanAsync(ingest); // The sender does not wait for it.
            return inserted;
        }
        catch (PostgresException e) when (MotherDuckError.From(e) is { } error)
        {
            switch (error.Reason)
            {
                case "Invalid Input Error" when ExactCast.Explain(e.MessageText) is { } why:
                    logger.LogWarning("Ingest {Ingest}: rows do not fit: {Error}", ingest.Name, MotherDuckError.OneLine(why));
                    throw new ProblemException(new Problem(422, "Rows do not fit", $"A value does not fit, and no row was stored: {MotherDuckError.OneLine(why)}."));
                case "TransactionContext Error":
                    throw new ProblemException(new Problem(503, "Busy", "Other writers kept changing the same table. Try again shortly.") { RetryAfter = TimeSpan.FromSeconds(1) });
                case "Conversion Error" or "Constraint Error" or "Out of Range Error" or "Invalid Input Error":
                    logger.LogWarning("Ingest {Ingest}: rows do not fit: {Error}", ingest.Name, error.Message);
                    throw new ProblemException(new Problem(422, "Rows do not fit", $"What the statement makes of the rows does not fit ({error.Reason}), and none was stored. The log has the details under this trace id."));
                default:
                    throw;
            }
        }

        async Task<long?> WriteAsync()
        {
            for (var first = true; ; first = false)
            {
                var insert = await targets.InsertAsync(ingest, timeLeft(), cancellationToken);
                try
                {
                    return await InsertWithAsync(insert);
                }
                catch (PostgresException e) when (IngestTargets.IsOutdated(e))
                {
                    targets.Forget(ingest);
                    if (!first || MotherDuckError.From(e)?.Reason == "Catalog Error")
                        throw;
                }
            }
        }

        async Task<long?> InsertWithAsync(string insert)
        {
            if (delivery.Id is not null || rows.Rejected.Count > 0)
                return await dataSources.Write.TransactionAsync(timeLeft(), (connection, stop) => InsertAllAsync(connection, insert, ingest, delivery, rows, stop), CancellationToken.None);
            long? inserted = null;
            await dataSources.Write.RunAsync(
                timeLeft(), async (connection, stop) => inserted = await InsertAsync(connection, insert, delivery, rows, stop), _ => false, CancellationToken.None);
            return inserted;
        }
    }

    private static async Task<long?> InsertAllAsync(
        NpgsqlConnection connection, string insert, IngestTemplate ingest, Delivery delivery, IngestRows rows, CancellationToken cancellationToken)
    {
        if (delivery.Id is not null && !await ClaimAsync(connection, ingest, delivery.Id, cancellationToken))
            return null;
        if (rows.Rejected.Count > 0)
            await RejectAsync(connection, ingest, delivery, rows, cancellationToken);
        return await InsertAsync(connection, insert, delivery, rows, cancellationToken);
    }

    private static async Task<long> InsertAsync(NpgsqlConnection connection, string insert, Delivery delivery, IngestRows rows, CancellationToken cancellationToken) =>
        await connection.CountAsync(insert, [rows.Json, .. delivery.Headers], cancellationToken) ?? throw new InvalidOperationException("MotherDuck did not say how many rows it wrote.");

    // With a delivery, as MotherDuck is awake then, and once an hour. What it misses, the next one takes.
    private async Task CleanAsync(IngestTemplate ingest)
    {
        var now = time.GetUtcNow();
        if (!ingest.HasId || ingest.KeepDeliveries is not { } age || (_cleaned.TryGetValue(ingest.Name, out var last) && now - last < BetweenCleanings))
            return;
        _cleaned[ingest.Name] = now;
        try
        {
            long? deleted = null;
            await dataSources.Write.RunAsync(
                TableWriter.SetupLimit,
                async (connection, stop) => deleted = await connection.CountAsync(
                    $"DELETE FROM {Own(ingest)}.ingest_deliveries WHERE ingest = CAST($1 AS VARCHAR) AND received_at < now() - INTERVAL '{(long)age.TotalSeconds} seconds'", [ingest.Name], stop),
                _ => false, CancellationToken.None);
            if (deleted > 0)
                logger.LogInformation("Ingest {Ingest}: {Count} ids of deliveries older than {Age} deleted", ingest.Name, deleted, Duration.Write(age));
        }
        catch (Exception e)
        {
            logger.LogInformation("Ingest {Ingest}: old ids were not deleted this time: {Error}", ingest.Name, MotherDuckError.From(e)?.Message ?? e.GetType().Name);
        }
    }

    // False if the id is there, which is to say committed: what others have not committed yet cannot be seen, and is a conflict at COMMIT.
    private static async Task<bool> ClaimAsync(NpgsqlConnection connection, IngestTemplate ingest, string id, CancellationToken cancellationToken)
    {
        try
        {
            return await connection.CountAsync(
                $"INSERT INTO {Own(ingest)}.ingest_deliveries BY NAME SELECT CAST($1 AS VARCHAR) AS ingest, CAST($2 AS VARCHAR) AS id, now() AS received_at ON CONFLICT DO NOTHING",
                [ingest.Name, id], cancellationToken) == 1;
        }
        catch (PostgresException e) when (MotherDuckError.From(e)?.Reason == "Constraint Error")
        {
            // Committed since this transaction began, so that it cannot see the row it collides with.
            throw new PostgresException($"TransactionContext Error: Conflict on the id: {e.MessageText}", e.Severity, e.InvariantSeverity, e.SqlState);
        }
    }

    private static Task RejectAsync(NpgsqlConnection connection, IngestTemplate ingest, Delivery delivery, IngestRows rows, CancellationToken cancellationToken) =>
        connection.ScalarAsync(
            $$"""
            INSERT INTO {{Own(ingest)}}.ingest_rejects BY NAME
            SELECT CAST($2 AS VARCHAR) AS ingest, CAST($3 AS VARCHAR) AS id, now() AS received_at, CAST("index" AS BIGINT) AS row_index, path, reason, content
            FROM (SELECT unnest(from_json(CAST($1 AS VARCHAR), '[{"index":"VARCHAR","path":"VARCHAR","reason":"VARCHAR","content":"VARCHAR"}]'), max_depth := 2))
            """,
            [
                JsonSerializer.Serialize(rows.Rejected.Select(row => new { index = row.Index, path = row.Misfit.Path, reason = row.Misfit.Reason, content = row.Content })),
                ingest.Name, delivery.Id,
            ],
            cancellationToken);

    private static Tables TablesOf(IngestTemplate ingest)
    {
        List<string> statements = [$"CREATE SCHEMA IF NOT EXISTS {Sql.Identifier(ingest.Target.Database)}.{Sql.Identifier(ingest.Target.Schema)}", ingest.CreateTarget];
        if (ingest.HasId || ingest.SkipsMisfits)
            statements.Add($"CREATE SCHEMA IF NOT EXISTS {Own(ingest)}");
        if (ingest.HasId)
            statements.Add($"CREATE TABLE IF NOT EXISTS {Own(ingest)}.ingest_deliveries (ingest VARCHAR, id VARCHAR, received_at TIMESTAMPTZ, PRIMARY KEY (ingest, id))");
        if (ingest.SkipsMisfits)
            statements.Add($"CREATE TABLE IF NOT EXISTS {Own(ingest)}.ingest_rejects (ingest VARCHAR, id VARCHAR, received_at TIMESTAMPTZ, row_index BIGINT, path VARCHAR, reason VARCHAR, content VARCHAR)");
        return new($"ingest {ingest.Name}", statements);
    }

    // The app's own tables live beside the target: a transaction writes to one database.
    private static string Own(IngestTemplate ingest) => $"{Sql.Identifier(ingest.Target.Database)}.md_functions";
}
