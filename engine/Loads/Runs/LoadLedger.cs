using System.Globalization;
using System.Threading.RateLimiting;
using MdFunctions.Engine.Http;
using MdFunctions.Engine.MotherDuck;
using Npgsql;

namespace MdFunctions.Engine.Loads;

/// <summary>
/// The table <c>md_functions.load_runs</c> of each database that loads fill. Its primary key (load, occurrence) is what makes a load succeed once: the row is
/// written in the transaction that writes the rows.
/// </summary>
internal sealed class LoadLedger(MotherDuckDataSources dataSources) : IDisposable
{
    private const string Columns =
        "load, occurrence, trigger, source, status, rows, bytes, epoch_us(started_at) AS started_at, epoch_us(finished_at) AS finished_at, error";

    private static readonly TimeSpan ReadLimit = TimeSpan.FromSeconds(15);

    private readonly ConcurrencyLimiter _readers = new(new ConcurrencyLimiterOptions { PermitLimit = 1, QueueLimit = 100 });

    /// <summary>What a load of a target writes into: the target's schema and our own tables.</summary>
    public static Tables Tables(TableName target)
    {
        var schema = $"{Sql.Identifier(target.Database)}.{Sql.Identifier(target.Schema)}";
        var ours = Schema(target.Database);
        return new($"loads of {schema}",
        [
            $"CREATE SCHEMA IF NOT EXISTS {schema}",
            $"CREATE SCHEMA IF NOT EXISTS {ours}",
            $"""
            CREATE TABLE IF NOT EXISTS {ours}.load_runs (
              load VARCHAR, occurrence VARCHAR, trigger VARCHAR, source VARCHAR, status VARCHAR, rows BIGINT, bytes BIGINT,
              started_at TIMESTAMPTZ, finished_at TIMESTAMPTZ, error VARCHAR, attempts BIGINT, PRIMARY KEY (load, occurrence))
            """,
            // Tables made by an earlier version lack it.
            $"ALTER TABLE {ours}.load_runs ADD COLUMN IF NOT EXISTS request VARCHAR",
            $"""
            CREATE TABLE IF NOT EXISTS {ours}.load_leases (
              lease VARCHAR, term BIGINT, load VARCHAR, occurrence VARCHAR, trigger VARCHAR, phase VARCHAR,
              started_at TIMESTAMPTZ, expires_at TIMESTAMPTZ, PRIMARY KEY (lease, term))
            """,
        ]);
    }

    /// <summary>The run that loaded an occurrence; null if none has.</summary>
    /// <exception cref="LoadException">It loaded the same key with other parameters.</exception>
    public async Task<LoadRun?> FindSucceededAsync(NpgsqlConnection connection, LoadRequest request, CancellationToken cancellationToken)
    {
        var rows = await connection.RowsAsync(
            $"SELECT {Columns}, request FROM {Schema(request.Load.Target.Database)}.load_runs WHERE load = CAST($1 AS VARCHAR) AND occurrence = CAST($2 AS VARCHAR) AND status = 'succeeded'",
            [request.Load.Name, request.Occurrence], cancellationToken);
        if (rows.Count == 0)
            return null;
        return request.Fingerprint is { } asked && rows[0][^1] is { } known && asked != known ? throw LoadException.OtherRequest() : Read(rows[0]);
    }

    /// <summary>Writes a run's row. That of an occurrence that did not succeed before is overwritten.</summary>
    /// <exception cref="LoadException">The occurrence has succeeded before, or another run is writing its row.</exception>
    public async Task RecordAsync(NpgsqlConnection connection, LoadRequest request, LoadRun run, CancellationToken cancellationToken)
    {
        const string sql = """
            INSERT INTO {0}.load_runs BY NAME SELECT
              CAST($1 AS VARCHAR) AS load, CAST($2 AS VARCHAR) AS occurrence, CAST($3 AS VARCHAR) AS trigger, CAST($4 AS VARCHAR) AS source,
              CAST($5 AS VARCHAR) AS status, CAST(CAST($6 AS VARCHAR) AS BIGINT) AS rows, CAST(CAST($7 AS VARCHAR) AS BIGINT) AS bytes,
              CAST(CAST($8 AS VARCHAR) AS TIMESTAMPTZ) AS started_at, CAST(CAST($9 AS VARCHAR) AS TIMESTAMPTZ) AS finished_at,
              CAST($10 AS VARCHAR) AS error, 1 AS attempts, CAST($11 AS VARCHAR) AS request
            ON CONFLICT (load, occurrence) DO UPDATE SET trigger = excluded.trigger, source = excluded.source, status = excluded.status,
              rows = excluded.rows, bytes = excluded.bytes, started_at = excluded.started_at, finished_at = excluded.finished_at,
              error = excluded.error, request = excluded.request, attempts = load_runs.attempts + 1
              WHERE load_runs.status <> 'succeeded'
            """;
        string?[] values =
        [
            run.Load, run.Occurrence, run.Trigger, run.Source, run.Status, Text(run.Rows), Text(run.Bytes),
            run.StartedAt.ToString("O", CultureInfo.InvariantCulture), run.FinishedAt.ToString("O", CultureInfo.InvariantCulture), run.Error, request.Fingerprint,
        ];
        try
        {
            if (await connection.CountAsync(sql.Replace("{0}", Schema(request.Load.Target.Database), StringComparison.Ordinal), values, cancellationToken) == 0)
                throw LoadException.Overtaken("the occurrence was loaded by another run");
        }
        catch (PostgresException e) when (LoadException.IsDuplicate(e))
        {
            throw LoadException.Overtaken("another run of the occurrence is under way", e);
        }
    }

    /// <summary>A load's runs, the newest first; only those before an occurrence where one is given.</summary>
    public Task<List<LoadRun>> HistoryAsync(LoadTemplate load, int limit, string? before, CancellationToken cancellationToken)
    {
        var runs = $"{Schema(load.Target.Database)}.load_runs";
        return ReadAsync($"""
            SELECT {Columns} FROM {runs} WHERE load = CAST($1 AS VARCHAR) AND (CAST($2 AS VARCHAR) IS NULL OR (load_runs.started_at, occurrence) <
              (SELECT (started_at, occurrence) FROM {runs} WHERE load = CAST($1 AS VARCHAR) AND occurrence = CAST($2 AS VARCHAR)))
            ORDER BY load_runs.started_at DESC, occurrence DESC LIMIT CAST(CAST($3 AS VARCHAR) AS BIGINT)
            """, [load.Name, before, Text(limit)], Read, cancellationToken);
    }

    /// <summary>The last run of every load of a database.</summary>
    public Task<List<LoadRun>> LastAsync(string database, CancellationToken cancellationToken) => ReadAsync(
        $"SELECT {Columns} FROM {Schema(database)}.load_runs QUALIFY row_number() OVER (PARTITION BY load ORDER BY load_runs.started_at DESC) = 1",
        [], Read, cancellationToken);

    /// <summary>The runs of a database that are under way in this app or another.</summary>
    public Task<List<RunningLoad>> RunningAsync(string database, CancellationToken cancellationToken) => ReadAsync(
        $"""
        SELECT load, occurrence, trigger, phase, epoch_us(started_at) FROM {Schema(database)}.load_leases
        QUALIFY row_number() OVER (PARTITION BY lease ORDER BY term DESC) = 1 AND expires_at > now()
        """,
        [], row => new RunningLoad(row[0]!, row[1]!, row[2]!, row[3]!, Time(row[4])), cancellationToken);

    public void Dispose() => _readers.Dispose();

    /// <summary>Our schema of a database.</summary>
    public static string Schema(string database) => $"{Sql.Identifier(database)}.md_functions";

    // Loads and ingests keep the other connections, however often people look.
    private async Task<List<T>> ReadAsync<T>(string sql, string?[] values, Func<string?[], T> read, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ReadLimit);
        using var turn = await _readers.AcquireAsync(1, limit.Token);
        if (!turn.IsAcquired)
            throw new ProblemException(new Problem(503, "Busy", "Too many people ask for the runs of loads. Try again shortly.") { RetryAfter = TimeSpan.FromSeconds(1) });
        try
        {
            return [.. (await dataSources.Write.ReadAsync(ReadLimit, (connection, stop) => connection.RowsAsync(sql, values, stop), limit.Token)).Select(read)];
        }
        catch (PostgresException e) when (e.MessageText.StartsWith("Catalog Error:", StringComparison.Ordinal))
        {
            return []; // Nothing has run there yet.
        }
    }

    private static LoadRun Read(string?[] row) => new(
        row[0]!, row[1]!, row[2]!, row[3], row[4]!, Number(row[5]), Number(row[6]), Time(row[7]), Time(row[8]), row[9]);

    private static string? Text(long? number) => number?.ToString(CultureInfo.InvariantCulture);

    private static long? Number(string? text) => text is null ? null : long.Parse(text, CultureInfo.InvariantCulture);

    private static DateTimeOffset Time(string? microseconds) => DateTimeOffset.UnixEpoch.AddMicroseconds(long.Parse(microseconds!, CultureInfo.InvariantCulture));
}

/// <summary>A run that is under way.</summary>
/// <param name="Load">The load's name.</param>
/// <param name="Occurrence">What the run is for.</param>
/// <param name="Trigger">What started it.</param>
/// <param name="Status">How far it is: <c>staging</c>, <c>checking</c> or <c>publishing</c>.</param>
/// <param name="StartedAt">When it started.</param>
internal sealed record RunningLoad(string Load, string Occurrence, string Trigger, string Status, DateTimeOffset StartedAt);
