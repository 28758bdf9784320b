using System.Globalization;
using MdFunctions.Engine.MotherDuck;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace MdFunctions.Engine.Loads;

/// <summary>
/// The right to run a load alone, among all apps: a row of <c>md_functions.load_leases</c> that expires unless it is renewed. Each holder has a term of its
/// own, the last one and one more; the primary key (lease, term) lets one take it. The load's transaction ends by taking the next term itself, so a run that
/// was stopped for long and lost its lease cannot commit any more.
/// </summary>
internal sealed class LoadLease(MotherDuckDataSources dataSources, ILogger logger, string table, string name, long term, TimeSpan duration) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _changed = new(0);
    private Task _renewing = Task.CompletedTask;
    private string _phase = "staging";

    /// <summary>What must not run twice at once: of an append the load, else whatever fills the same table.</summary>
    public static string NameOf(LoadTemplate load) => load.Mode == LoadMode.Append ? $"load {load.Name}" : $"table {load.Target}";

    /// <summary>Takes the lease of a load.</summary>
    /// <returns>Null if another run has it.</returns>
    public static async Task<LoadLease?> TryTakeAsync(
        MotherDuckDataSources dataSources, NpgsqlConnection connection, LoadRequest request, TimeSpan duration, ILogger logger, CancellationToken cancellationToken)
    {
        var table = $"{LoadLedger.Schema(request.Load.Target.Database)}.load_leases";
        var name = NameOf(request.Load);
        try
        {
            var term = await connection.ScalarAsync($"""
                INSERT INTO {table} BY NAME SELECT
                  CAST($1 AS VARCHAR) AS lease, coalesce(max(term), 0) + 1 AS term, CAST($2 AS VARCHAR) AS load, CAST($3 AS VARCHAR) AS occurrence,
                  CAST($4 AS VARCHAR) AS trigger, 'staging' AS phase, now() AS started_at, now() + to_seconds(CAST(CAST($5 AS VARCHAR) AS DOUBLE)) AS expires_at
                FROM {table} WHERE lease = CAST($1 AS VARCHAR) HAVING coalesce(max_by(expires_at, term) <= now(), true)
                RETURNING term
                """,
                [name, request.Load.Name, request.Occurrence, request.Trigger, Seconds(duration)], cancellationToken);
            if (term is null)
                return null;
            var lease = new LoadLease(dataSources, logger, table, name, long.Parse(term, CultureInfo.InvariantCulture), duration);
            await lease.SweepAsync(connection, cancellationToken);
            return lease;
        }
        catch (PostgresException e) when (LoadException.IsConflict(e) || LoadException.IsDuplicate(e))
        {
            return null;
        }
    }

    /// <summary>Whether the transaction that ends it was committed.</summary>
    public bool HasEnded { get; set; }

    /// <summary>Renews it from now on, until it is disposed: for the one who has it, not before it is sure to be disposed.</summary>
    public void Hold() => _renewing = RenewAsync();

    /// <summary>Tells others how far the run is.</summary>
    public void Report(string phase)
    {
        _phase = phase;
        _changed.Release();
    }

    /// <summary>Gives the lease up as part of the load's transaction: it cannot commit if another run has taken over.</summary>
    /// <exception cref="LoadException">Another run has.</exception>
    public async Task EndAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            await connection.ScalarAsync(
                $"INSERT INTO {table} BY NAME SELECT CAST($1 AS VARCHAR) AS lease, CAST(CAST($2 AS VARCHAR) AS BIGINT) AS term, 'free' AS phase, make_timestamptz(0) AS expires_at",
                [name, (term + 1).ToString(CultureInfo.InvariantCulture)], cancellationToken);
        }
        catch (PostgresException e) when (LoadException.IsDuplicate(e))
        {
            throw LoadException.Overtaken("the run stood still for longer than Loads:LeaseDuration, and another one took over", e);
        }
    }

    /// <summary>Stops renewing; the lease itself lasts until <see cref="EndAsync"/> is committed, or it expires.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _renewing;
        _stop.Dispose();
        _changed.Dispose();
    }

    private async Task RenewAsync()
    {
        // A connection that went silent costs one try, not the lease.
        var limit = duration / 6;
        var wait = duration / 3;
        while (true)
        {
            try
            {
                await _changed.WaitAsync(wait, _stop.Token);
                await dataSources.Write.RunAsync(limit, (connection, stop) => connection.ScalarAsync($"""
                    UPDATE {table} SET expires_at = now() + to_seconds(CAST(CAST($3 AS VARCHAR) AS DOUBLE)), phase = CAST($4 AS VARCHAR)
                    WHERE lease = CAST($1 AS VARCHAR) AND term = CAST(CAST($2 AS VARCHAR) AS BIGINT)
                    """,
                    [name, term.ToString(CultureInfo.InvariantCulture), Seconds(duration), _phase], stop), MotherDuckError.IsTransientFailure, _stop.Token);
                wait = duration / 3;
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The load itself goes on: whether it still may is settled when it commits.
                logger.LogWarning("The lease of {Lease} could not be renewed: {Error}", name, MotherDuckError.From(e)?.Message ?? e.GetType().Name);
                wait = duration / 20;
            }
        }
    }

    private async Task SweepAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (term == 1)
            return;
        try
        {
            await connection.ScalarAsync(
                $"DELETE FROM {table} WHERE lease = CAST($1 AS VARCHAR) AND term < CAST(CAST($2 AS VARCHAR) AS BIGINT)",
                [name, term.ToString(CultureInfo.InvariantCulture)], cancellationToken);
        }
        catch (PostgresException e) when (LoadException.IsConflict(e))
        {
            // A run that has lost its lease renews it just now. The next one sweeps.
        }
    }

    private static string Seconds(TimeSpan duration) => duration.TotalSeconds.ToString(CultureInfo.InvariantCulture);
}
