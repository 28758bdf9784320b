using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
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
internal sealed class IngestStore(MotherDuckDataSources dataSources, ILogger<IngestStore> logger)
{
    private const int Attempts = 8;
    private readonly ConcurrentDictionary<string, bool> _prepared = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string, string), TaskCompletionSource<bool>> _underWay = new();
    private readonly SemaphoreSlim _preparing = new(1);

    /// <summary>Stores a delivery.</summary>
    /// <returns>How many rows were inserted; null if a delivery of that id was stored before.</returns>
    /// <exception cref="ProblemException">422: MotherDuck's types or constraints refuse what the statement makes of the rows.</exception>
    /// <exception cref="NpgsqlException">MotherDuck cannot be reached or rejects the statement.</exception>
    public async Task<long?> StoreAsync(IngestTemplate ingest, Delivery delivery, IngestRows rows, CancellationToken cancellationToken)
    {
        if (delivery.Id is null)
            return await RetryAsync(ingest, delivery, rows, cancellationToken);
        // The same id again while the first is under way is the rule with impatient senders. MotherDuck would tell by a conflict at COMMIT.
        var key = (ingest.Name, delivery.Id);
        var mine = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        while (_underWay.GetOrAdd(key, mine) is var other && other != mine)
        {
            if (await other.Task.WaitAsync(cancellationToken))
                return null;
        }
        var stored = false;
        try
        {
            var inserted = await RetryAsync(ingest, delivery, rows, cancellationToken);
            stored = true;
            return inserted;
        }
        finally
        {
            _underWay.TryRemove(key, out _);
            mine.SetResult(stored);
        }
    }

    private async Task<long?> RetryAsync(IngestTemplate ingest, Delivery delivery, IngestRows rows, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await PrepareAsync(ingest, cancellationToken);
                await using var connection = await dataSources.Write.OpenAsync(cancellationToken);
                return delivery.Id is null && rows.Rejected.Count == 0
                    ? await InsertAsync(connection, ingest, delivery, rows, cancellationToken)
                    : await connection.InTransactionAsync(() => InsertAllAsync(connection, ingest, delivery, rows, cancellationToken), cancellationToken);
            }
            catch (PostgresException e) when (MotherDuckError.From(e) is { } error)
            {
                switch (error.Reason)
                {
                    // Someone else wrote to the same table or id. Nothing of ours is stored; the next attempt sees what is.
                    case "TransactionContext Error" when attempt < Attempts:
                        logger.LogDebug("Ingest {Ingest}: attempt {Attempt} met another writer: {Error}", ingest.Name, attempt, error.Message);
                        await Task.Delay(Random.Shared.Next(5, 20 << attempt), cancellationToken);
                        break;
                    case "TransactionContext Error":
                        throw new ProblemException(new Problem(503, "Busy", "Other writers kept changing the same table. Try again shortly.") { RetryAfter = TimeSpan.FromSeconds(1) });
                    // The tables were there when they were prepared.
                    case "Catalog Error" when _prepared.TryRemove(ingest.Name, out _) && attempt < Attempts:
                        break;
                    case "Conversion Error" or "Constraint Error" or "Out of Range Error" or "Invalid Input Error":
                        logger.LogWarning("Ingest {Ingest}: rows do not fit: {Error}", ingest.Name, error.Message);
                        throw new ProblemException(new Problem(422, "Rows do not fit", $"What the statement makes of the rows does not fit ({error.Reason}), and none was stored. The log has the details under this trace id."));
                    default:
                        throw;
                }
            }
        }
    }

    private static async Task<long?> InsertAllAsync(
        NpgsqlConnection connection, IngestTemplate ingest, Delivery delivery, IngestRows rows, CancellationToken cancellationToken)
    {
        if (delivery.Id is not null && !await ClaimAsync(connection, ingest, delivery.Id, cancellationToken))
            return null;
        if (rows.Rejected.Count > 0)
            await RejectAsync(connection, ingest, delivery, rows, cancellationToken);
        return await InsertAsync(connection, ingest, delivery, rows, cancellationToken);
    }

    private static async Task<long> InsertAsync(
        NpgsqlConnection connection, IngestTemplate ingest, Delivery delivery, IngestRows rows, CancellationToken cancellationToken) =>
        long.Parse((await connection.ScalarAsync(ingest.Insert, [rows.Json, .. delivery.Headers], cancellationToken))!, CultureInfo.InvariantCulture);

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
            throw new PostgresException($"TransactionContext Error: {e.MessageText}", e.Severity, e.InvariantSeverity, e.SqlState);
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

    private async Task PrepareAsync(IngestTemplate ingest, CancellationToken cancellationToken)
    {
        if (_prepared.ContainsKey(ingest.Name))
            return;
        await _preparing.WaitAsync(cancellationToken);
        try
        {
            if (_prepared.ContainsKey(ingest.Name))
                return;
            await using var connection = await dataSources.Write.OpenAsync(cancellationToken);
            await connection.ScalarAsync($"CREATE SCHEMA IF NOT EXISTS {Sql.Identifier(ingest.Target.Database)}.{Sql.Identifier(ingest.Target.Schema)}", cancellationToken);
            await connection.ScalarAsync(ingest.CreateTarget, cancellationToken);
            if (ingest.IdHeader is not null || ingest.SkipsMisfits)
                await connection.ScalarAsync($"CREATE SCHEMA IF NOT EXISTS {Own(ingest)}", cancellationToken);
            if (ingest.IdHeader is not null)
                await connection.ScalarAsync($"CREATE TABLE IF NOT EXISTS {Own(ingest)}.ingest_deliveries (ingest VARCHAR, id VARCHAR, received_at TIMESTAMPTZ, PRIMARY KEY (ingest, id))", cancellationToken);
            if (ingest.SkipsMisfits)
                await connection.ScalarAsync($"CREATE TABLE IF NOT EXISTS {Own(ingest)}.ingest_rejects (ingest VARCHAR, id VARCHAR, received_at TIMESTAMPTZ, row_index BIGINT, path VARCHAR, reason VARCHAR, content VARCHAR)", cancellationToken);
            _prepared[ingest.Name] = true;
        }
        finally
        {
            _preparing.Release();
        }
    }

    // The app's own tables live beside the target: a transaction writes to one database.
    private static string Own(IngestTemplate ingest) => $"{Sql.Identifier(ingest.Target.Database)}.md_functions";
}
