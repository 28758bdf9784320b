using Microsoft.Extensions.Logging;
using Npgsql;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>
/// A pool of long-lived connections to MotherDuck, and the one way to use them: with a time limit, and with one more try where a connection broke. As many work at
/// once as there are connections; a bounded number waits, and the others are turned away.
/// </summary>
public sealed class MotherDuckDataSource : IAsyncDisposable
{
    // How long after its limit a statement has to end by itself: Npgsql asks MotherDuck to cancel it, and waits a second for that.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1.5);

    private readonly ConnectionPool _pool;
    private readonly ILogger _logger;

    /// <summary>Sets the pool up; nothing connects yet.</summary>
    /// <param name="options">Where to, and how.</param>
    /// <param name="token">What to log in with.</param>
    /// <param name="writes">True for the pool of loads and ingests.</param>
    /// <param name="loggers">Npgsql logs through it.</param>
    internal MotherDuckDataSource(MotherDuckOptions options, AccessToken token, bool writes, ILoggerFactory loggers) =>
        (Token, _pool, _logger) = (token, new(options, token, writes, loggers), loggers.CreateLogger<MotherDuckDataSource>());

    /// <summary>What this pool logs in with.</summary>
    internal AccessToken Token { get; }

    /// <summary>How many requests wait for a connection.</summary>
    internal int Waiting => _pool.Waiting;

    /// <inheritdoc cref="Turns.HasRoom"/>
    internal event Action? HasRoom
    {
        add => _pool.HasRoom += value;
        remove => _pool.HasRoom -= value;
    }

    /// <summary>What the pool's connections are doing now.</summary>
    internal PoolState State => _pool.State;

    /// <inheritdoc cref="ConnectionPool.Refuses"/>
    internal bool Refuses(string caller, string work, TimeSpan limit) => _pool.Refuses(caller, work, limit);

    /// <inheritdoc cref="ConnectionPool.ComeAgain"/>
    internal TimeSpan ComeAgain(string caller) => _pool.ComeAgain(caller);

    /// <summary>
    /// Runs work on a connection. Its time limit holds even where the network swallows everything: what does not end when it is cancelled is left to itself, and
    /// another connection takes its place.
    /// </summary>
    /// <param name="limit">How long it may take in all, with the wait for a connection.</param>
    /// <param name="work">What to do. Its token is cancelled when the limit is over. It closes its readers and lets the connection open.</param>
    /// <param name="canRetry">Asked when it failed: whether it may run again, on another connection if this one broke. For a broken connection it does so once.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <param name="turn">Whose work it is; by default nobody's in particular.</param>
    /// <exception cref="TimeoutException">The limit was over while it ran.</exception>
    /// <exception cref="NpgsqlException">MotherDuck refused a statement, or the connection broke.</exception>
    internal async Task RunAsync(
        TimeSpan limit, Func<NpgsqlConnection, CancellationToken, Task> work, Func<Exception, bool> canRetry, CancellationToken cancellationToken, Turn? turn = null)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stop.CancelAfter(limit > TimeSpan.Zero ? limit : TimeSpan.Zero);
        turn ??= new Turn();
        await _pool.EnterAsync(turn, limit, stop.Token, cancellationToken);
        using var _ = turn;
        for (var broke = false; ;)
        {
            try
            {
                await RunOnceAsync(work, stop.Token, cancellationToken);
                return;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // What broke one connection is likely to have broken the others too.
                var breaks = MotherDuckError.IsTransientFailure(e);
                if (breaks)
                    _pool.CloseOldConnections();
                if ((broke && breaks) || stop.IsCancellationRequested || !canRetry(e))
                    throw;
                broke |= breaks;
                _logger.LogInformation("Trying once more: {Error}", MotherDuckError.From(e)?.Message ?? e.Message);
            }
            catch (OperationCanceledException e) when (stop.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"the limit of {Duration.Write(limit)} is over", e);
            }
        }
    }

    /// <summary>Runs work that only reads, within a time limit and once more on another connection when the first broke.</summary>
    /// <param name="limit">How long it may take in all, with the wait for a connection.</param>
    /// <param name="read">What to read. It may run twice.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <exception cref="TimeoutException">The limit was over while it ran.</exception>
    /// <exception cref="NpgsqlException">MotherDuck refused a statement, or the connection broke.</exception>
    public async Task<T> ReadAsync<T>(TimeSpan limit, Func<NpgsqlConnection, CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        T result = default!;
        await RunAsync(limit, async (connection, stop) => result = await read(connection, stop), MotherDuckError.IsTransientFailure, cancellationToken);
        return result;
    }

    /// <summary>
    /// Runs work in a transaction, within a time limit: commits it when the work returns, rolls it back when it throws. It runs once more
    /// where the connection broke before COMMIT was sent: nothing can have been stored.
    /// </summary>
    /// <param name="limit">How long it may take in all, with the wait for a connection.</param>
    /// <param name="work">What to do. It may run twice.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <exception cref="TimeoutException">The limit was over while it ran.</exception>
    /// <exception cref="NpgsqlException">MotherDuck refused a statement, or the connection broke.</exception>
    internal async Task<T> TransactionAsync<T>(TimeSpan limit, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        T result = default!;
        var commits = false;
        await RunAsync(limit, async (connection, stop) => result = await connection.InTransactionAsync(async () =>
        {
            var done = await work(connection, stop);
            commits = true;
            return done;
        }, stop), e => !commits && MotherDuckError.IsTransientFailure(e), cancellationToken);
        return result;
    }

    /// <summary>Opens a connection without a limit of its own, for what is not one piece of work; closing it makes room for others.</summary>
    internal async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var turn = new Turn();
        await _pool.EnterAsync(turn, TimeSpan.MaxValue, cancellationToken, cancellationToken);
        try
        {
            var connection = await _pool.OpenAsync(cancellationToken, cancellationToken);
            connection.StateChange += (_, _) =>
            {
                if (!connection.FullState.HasFlag(System.Data.ConnectionState.Open))
                    turn.Dispose();
            };
            return connection;
        }
        catch
        {
            turn.Dispose();
            throw;
        }
    }

    /// <summary>Closes all connections.</summary>
    public ValueTask DisposeAsync() => _pool.DisposeAsync();

    private async Task RunOnceAsync(Func<NpgsqlConnection, CancellationToken, Task> work, CancellationToken stop, CancellationToken cancellationToken)
    {
        var connection = await _pool.OpenAsync(stop, cancellationToken);
        // What Npgsql is given is cancelled on a thread of its own.
        var cancel = new CancellationTokenSource();
        var givenUp = new TaskCompletionSource();
        using var stopping = stop.UnsafeRegister(_ => GiveUp(), null);
        var running = work(connection, cancel.Token);
        if (await Task.WhenAny(running, givenUp.Task) == running)
        {
            try
            {
                await running;
            }
            catch (PostgresException e) when (!stop.IsCancellationRequested)
            {
                if (!StatementErrors.IsHarmless(e))
                    ConnectionPool.Discard(connection);
                throw;
            }
            catch (Exception e) when (stop.IsCancellationRequested && MotherDuckError.From(e) is not null)
            {
                throw new OperationCanceledException(e.Message, e, stop);
            }
            finally
            {
                await connection.DisposeAsync();
            }
            return;
        }
        _pool.Abandon(connection);
        _ = running.ContinueWith(_ => connection.Dispose(), TaskScheduler.Default);
        _logger.LogWarning("MotherDuck answers neither a statement nor its cancellation; the connection is given up");
        throw new OperationCanceledException(stop);

        async void GiveUp()
        {
            _ = ConnectionPool.CancelAsync(cancel);
            await Task.Delay(Grace);
            givenUp.TrySetResult();
        }
    }
}
