using System.Diagnostics;
using MdFunctions.Engine.Access;
using MdFunctions.Engine.MotherDuck;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace MdFunctions.Engine.Loads;

/// <summary>Runs loads, each occurrence once: the rows go from their source into MotherDuck and never through this app.</summary>
internal sealed class LoadRunner(
    MotherDuckDataSources dataSources, TableWriter writer, LoadLedger ledger, LoadOptions options, Telemetry telemetry, Audit audit, TimeProvider time, IHostApplicationLifetime app,
    ILogger<LoadRunner> logger) : IDisposable
{
    private static readonly TimeSpan CleanupTimeout = TimeSpan.FromSeconds(15);

    private readonly SemaphoreSlim _turns = new(options.Concurrency);
    private readonly NamedTurns _alone = new();

    /// <summary>
    /// Runs a load in one transaction with its row in <c>load_runs</c>, unless its occurrence has succeeded before. A run that fails leaves the target as it was
    /// and a row that says why. It goes on when its caller goes away: it ends by itself, by the load's <c>timeout</c>, or when the app stops.
    /// </summary>
    /// <param name="request">What to run.</param>
    /// <param name="maxWait">How long to wait for another run of the load to end; an event waits no longer for its turn among all loads either.</param>
    /// <returns>The run, or the earlier one that succeeded.</returns>
    /// <exception cref="LoadException">It did not succeed, or another run of the load did not end in time.</exception>
    public async Task<LoadRun> RunAsync(LoadRequest request, TimeSpan maxWait)
    {
        try
        {
            return await WaitAndRunAsync(request, maxWait);
        }
        catch (OperationCanceledException e) when (app.ApplicationStopping.IsCancellationRequested)
        {
            throw LoadException.Stopping(e); // While it waited for its turn.
        }
    }

    private async Task<LoadRun> WaitAndRunAsync(LoadRequest request, TimeSpan maxWait)
    {
        var waiting = Stopwatch.StartNew();
        // Files may be appended side by side, each once; whatever updates or swaps rows runs alone.
        var alone = request is not { Trigger: "event", Load.Mode: LoadMode.Append };
        var name = alone ? LoadLease.NameOf(request.Load) : $"{request.Load.Name} {request.Occurrence}";
        using var turn = await _alone.EnterAsync(name, maxWait, app.ApplicationStopping) ?? throw LoadException.Busy(request.Load.Name);
        // Event Grid does not wait for long, and comes again by itself; a timer or a person has nobody else to do it.
        var left = maxWait - waiting.Elapsed;
        if (!await _turns.WaitAsync(request.Trigger != "event" ? Timeout.InfiniteTimeSpan : left > TimeSpan.Zero ? left : TimeSpan.Zero, app.ApplicationStopping))
            throw LoadException.Busy(request.Load.Name);
        try
        {
            return await RunInTurnAsync(request, alone, () => maxWait - waiting.Elapsed);
        }
        finally
        {
            _turns.Release();
        }
    }

    public void Dispose()
    {
        _turns.Dispose();
        _alone.Dispose();
    }

    /// <summary>Records that a load did not run because one before it did not succeed.</summary>
    public Task SkipAsync(LoadRequest request, string reason) => RecordFailureAsync(request, "skipped", Now(), reason);

    private async Task<LoadRun> RunInTurnAsync(LoadRequest request, bool alone, Func<TimeSpan> maxWait)
    {
        using var measured = telemetry.StartLoad(request.Load.Name, request.Trigger, audit.Of(request.Caller, "load", request.Load.Template, request.Values));
        var started = Now();
        try
        {
            var run = await writer.RunAsync(LoadLedger.Tables(request.Load.Target),
                () => alone ? RunAloneAsync(request, started, maxWait) : RunOnceAsync(request, null, started), LoadException.IsConflict, app.ApplicationStopping);
            measured.Succeed(run.Rows ?? 0);
            return run;
        }
        catch (Exception e) when (Explain(e) is { } failure)
        {
            measured.Fail(e);
            // A key used for something else keeps the row that it has.
            if (failure.Problem is not { Status: 409 } and not { Title: "Key used already" })
            {
                logger.LogError("Load {Load} failed: {Error}", request.Load.Name, failure.Message);
                await RecordFailureAsync(request, "failed", started, failure.Message);
            }
            throw failure;
        }
    }

    private async Task<LoadRun> RunAloneAsync(LoadRequest request, DateTimeOffset started, Func<TimeSpan> maxWait)
    {
        var (run, lease) = await TakeLeaseAsync(request, maxWait);
        if (lease is null)
            return run!;
        await using (lease)
        {
            lease.Hold();
            try
            {
                return await RunOnceAsync(request, lease, started);
            }
            finally
            {
                if (!lease.HasEnded)
                    await AfterwardsAsync("lease of", request, (connection, cancellationToken) => lease.EndAsync(connection, cancellationToken));
            }
        }
    }

    private async Task<(LoadRun? Run, LoadLease? Lease)> TakeLeaseAsync(LoadRequest request, Func<TimeSpan> maxWait)
    {
        while (true)
        {
            LoadRun? run = null;
            LoadLease? lease = null;
            var taking = false;
            await dataSources.Write.RunAsync(CleanupTimeout, async (connection, cancellationToken) =>
            {
                run = await ledger.FindSucceededAsync(connection, request, cancellationToken);
                taking = run is null;
                if (taking)
                    lease = await LoadLease.TryTakeAsync(dataSources, connection, request, options.LeaseDuration, logger, cancellationToken);
            }, e => !taking && MotherDuckError.IsTransientFailure(e), app.ApplicationStopping); // A lease that was taken without our knowledge would be in our own way.
            if (run is not null || lease is not null)
                return (run, lease);
            if (maxWait() <= TimeSpan.Zero)
                throw LoadException.Busy(request.Load.Name);
            await Task.Delay(Random.Shared.Next(500, 1000), app.ApplicationStopping);
        }
    }

    private async Task<LoadRun> RunOnceAsync(LoadRequest request, LoadLease? lease, DateTimeOffset started)
    {
        LoadRun run;
        var before = false;
        try
        {
            run = await dataSources.Write.TransactionAsync(request.Load.Timeout, async (connection, cancellationToken) =>
            {
                var known = await ledger.FindSucceededAsync(connection, request, cancellationToken);
                before = known is not null;
                return known ?? await LoadAsync(connection, request, lease, started, cancellationToken);
            }, app.ApplicationStopping);
        }
        catch (TimeoutException e)
        {
            throw LoadException.TimedOut(request.Load, e);
        }
        if (before)
            logger.LogInformation("Load {Load}: occurrence {Occurrence} was loaded before", request.Load.Name, request.Occurrence);
        else
            logger.LogInformation("Load {Load} done: {Rows} rows in {Seconds:0.0} s", request.Load.Name, run.Rows, (Now() - started).TotalSeconds);
        if (!before && lease is not null)
            lease.HasEnded = true;
        return run;
    }

    private async Task<LoadRun> LoadAsync(NpgsqlConnection connection, LoadRequest request, LoadLease? lease, DateTimeOffset started, CancellationToken cancellationToken)
    {
        logger.LogInformation("Load {Load} started ({Trigger}, occurrence {Occurrence})", request.Load.Name, request.Trigger, request.Occurrence);
        var rows = await new LoadTransaction(connection, request, Report, cancellationToken).RunAsync();
        if (lease is not null)
            await lease.EndAsync(connection, cancellationToken);
        var run = Run(request, "succeeded", started, null) with { Rows = rows };
        await ledger.RecordAsync(connection, request, run, cancellationToken);
        return run;

        void Report(string phase)
        {
            lease?.Report(phase);
            logger.LogInformation("Load {Load}: {Phase} ({Seconds:0.0} s)", request.Load.Name, phase, (Now() - started).TotalSeconds);
        }
    }

    private Task RecordFailureAsync(LoadRequest request, string status, DateTimeOffset started, string reason) =>
        AfterwardsAsync($"{status} run of", request, (connection, cancellationToken) =>
            ledger.RecordAsync(connection, request, Run(request, status, started, reason), cancellationToken));

    // What is left to do when a run has ended badly. It must not hide why, so its own failure is only logged.
    private async Task AfterwardsAsync(string what, LoadRequest request, Func<NpgsqlConnection, CancellationToken, Task> work)
    {
        try
        {
            await writer.RunAsync(LoadLedger.Tables(request.Load.Target), async () =>
            {
                await dataSources.Write.RunAsync(CleanupTimeout, work, MotherDuckError.IsTransientFailure, CancellationToken.None);
                return true;
            }, MotherDuckError.IsConflict, CancellationToken.None);
        }
        catch (Exception e) when (e is LoadException or OperationCanceledException || MotherDuckError.From(e) is not null)
        {
            logger.LogWarning("The {What} load {Load} could not be recorded: {Error}", what, request.Load.Name, MotherDuckError.From(e)?.Message ?? e.Message);
        }
    }

    // To the microsecond, as the database keeps it: what is answered now and what is read later are the same.
    private DateTimeOffset Now()
    {
        var now = time.GetUtcNow();
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
    }

    private LoadRun Run(LoadRequest request, string status, DateTimeOffset started, string? error) =>
        new(request.Load.Name, request.Occurrence, request.Trigger, request.Source(), status, null, request.Bytes, started, Now(), error);

    private static LoadException? Explain(Exception exception) => exception switch
    {
        LoadException known => known,
        OperationCanceledException => LoadException.Stopping(exception),
        _ => MotherDuckError.From(exception) is { } error ? LoadException.From(error, exception) : null,
    };
}
