using System.Data;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>A pool of long-lived connections to MotherDuck. Open one, dispose it soon.</summary>
public sealed class MotherDuckDataSource : IAsyncDisposable
{
    // How long after its limit a statement has to end by itself: Npgsql asks MotherDuck to cancel it, and waits a second for that.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1.5);

    private static readonly ConditionalWeakTable<NpgsqlConnection, MotherDuckDataSource> Pools = [];

    private readonly NpgsqlDataSource _dataSource;
    private readonly StateChangeEventHandler _onStateChange;
    private readonly MotherDuckOptions _options;
    private readonly ILogger _logger;
    private readonly bool _writes;
    private readonly string _name;
    private readonly int _size;
    // When a physical connection was opened. Npgsql shows no such object; the parameters that the server reported are one for each.
    private readonly ConditionalWeakTable<object, object> _openedAt = [];
    private long _distrustedBefore = long.MinValue;
    private int _waiting;

    /// <summary>Sets the pool up; nothing connects yet.</summary>
    /// <param name="options">Where to, and how.</param>
    /// <param name="token">What to log in with.</param>
    /// <param name="writes">True for the pool of loads and ingests.</param>
    /// <param name="loggerFactory">Npgsql logs through it.</param>
    internal MotherDuckDataSource(MotherDuckOptions options, AccessToken token, bool writes, ILoggerFactory loggerFactory)
    {
        (_options, Token, _writes, _logger) = (options, token, writes, loggerFactory.CreateLogger<MotherDuckDataSource>());
        (_name, _size) = ($"{options.SessionName}-{(writes ? "write" : "read")}", writes ? options.MaxWritePoolSize : options.MaxPoolSize);
        var builder = new NpgsqlDataSourceBuilder(options.ToConnectionString(_size)) { Name = _name };
        builder.UseLoggerFactory(loggerFactory);
        builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false)); // There is no pg_catalog to load them from.
        builder.ConfigureTracing(Tracing.Configure);
        // OpenAsync has read the token by the time this runs.
        builder.UsePasswordProvider(
            _ => throw new NotSupportedException("Connections are opened asynchronously."), (_, _) => new(token.Current!.Value));
        if (options.VerifyCertificate)
            builder.UseSslClientAuthenticationOptionsCallback(new CertificateCheck(options.Host, options.RootCertificates).Configure);
        builder.UsePhysicalConnectionInitializer(Remember, connection =>
        {
            Remember(connection);
            return Task.CompletedTask;
        });
        _dataSource = builder.Build();
        // What broke one connection is likely to have broken the others too. Npgsql empties its pool only when a read failed, not when nothing came.
        _onStateChange = (connection, _) =>
        {
            if (((NpgsqlConnection)connection).FullState == ConnectionState.Broken)
                Distrust();
        };
    }

    /// <summary>What this pool logs in with.</summary>
    internal AccessToken Token { get; }

    /// <summary>What the pool's connections are doing now.</summary>
    public PoolState State => PoolState.Read(_name, Volatile.Read(ref _waiting), _size);

    /// <summary>
    /// Takes a connection from the pool, or opens one; waits while all are in use. When MotherDuck refuses the token, it is read again and tried once more.
    /// </summary>
    /// <exception cref="MotherDuckException">There is no token, MotherDuck refuses it, or it cannot be reached in time.</exception>
    /// <exception cref="NpgsqlException">MotherDuck cannot be reached, or no connection came free in time.</exception>
    public async ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            var token = await Token.GetAsync(cancellationToken);
            for (var first = true; ; first = false)
            {
                if (_writes && token.IsReadScaling)
                    throw Refused("a read-scaling token cannot write", $"Loads and ingests need a read-write token; the token of {Token.Name} is a read-scaling token.");
                try
                {
                    return await ConnectAsync(cancellationToken);
                }
                catch (PostgresException e) when (MotherDuckError.IsLoginRefused(e))
                {
                    if (!first || await Token.ReplaceAsync(token, cancellationToken) is not { } newer)
                        throw Refused("the access token was refused", $"{Token.Explain(token)} It said: {MotherDuckError.OneLine(e.MessageText)}", e);
                    token = newer;
                }
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>
    /// Runs work with connections of this pool under a time limit that holds even where the network swallows everything: Npgsql answers a cancellation only
    /// when it has told MotherDuck of it, on a connection that may hang as well. What does not end then is left to itself.
    /// </summary>
    /// <param name="limit">How long it may take in all.</param>
    /// <param name="work">What to do. Its token is cancelled when the limit is over.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <exception cref="TimeoutException">The limit was over.</exception>
    public async Task WithinAsync(TimeSpan limit, Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        // Not disposed: what is left to itself still has its token.
        var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stop.CancelAfter(limit);
        var running = work(stop.Token);
        try
        {
            await running.WaitAsync(limit + Grace);
            stop.Dispose();
        }
        catch (Exception e) when (!running.IsCompleted || stop.IsCancellationRequested)
        {
            if (!running.IsCompleted)
            {
                _ = running.ContinueWith(task => task.Exception, TaskScheduler.Default);
                Distrust();
                _logger.LogWarning("MotherDuck answers neither a statement nor its cancellation; the connection is given up");
            }
            cancellationToken.ThrowIfCancellationRequested();
            throw new TimeoutException($"the limit of {Duration.Write(limit)} is over", e);
        }
    }

    /// <summary>Runs work on a connection <see cref="WithinAsync">within a time limit</see>, and once more on another connection when the first broke.</summary>
    /// <param name="limit">How long it may take in all.</param>
    /// <param name="work">What to do.</param>
    /// <param name="mayRetry">Whether it may run again: for what only reads, and has told its caller nothing yet. Null for never.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <exception cref="TimeoutException">The limit was over.</exception>
    public Task RunAsync(
        TimeSpan limit, Func<NpgsqlConnection, CancellationToken, Task> work, Func<bool>? mayRetry, CancellationToken cancellationToken) =>
        WithinAsync(limit, async stop =>
        {
            for (var first = true; ; first = false)
            {
                try
                {
                    await using var connection = await OpenAsync(stop);
                    await work(connection, stop);
                    return;
                }
                catch (Exception e) when (first && MotherDuckError.From(e) is { IsTransient: true } error && mayRetry?.Invoke() == true && !stop.IsCancellationRequested)
                {
                    _logger.LogInformation("A connection broke ({Error}); trying once more on another", error.Message);
                }
            }
        }, cancellationToken);

    /// <summary>Runs work that only reads, <see cref="WithinAsync">within a time limit</see> and once more on another connection when the first broke.</summary>
    /// <param name="limit">How long it may take in all.</param>
    /// <param name="read">What to read. It may run twice.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <exception cref="TimeoutException">The limit was over.</exception>
    public async Task<T> ReadAsync<T>(TimeSpan limit, Func<NpgsqlConnection, CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        T result = default!;
        await RunAsync(limit, async (connection, stop) => result = await read(connection, stop), () => true, cancellationToken);
        return result;
    }

    /// <summary>
    /// Sees to it that a connection is closed when it is disposed, and not used again. Its neighbours in the pool are closed too, as there is no closing one
    /// alone. (<c>NpgsqlConnection.ClearPool</c> knows only pools that were not made by a data source, and does nothing to ours.)
    /// </summary>
    public static void Discard(NpgsqlConnection connection)
    {
        if (Pools.TryGetValue(connection, out var pool))
            pool.Distrust();
    }

    /// <summary>Closes all connections.</summary>
    public ValueTask DisposeAsync() => _dataSource.DisposeAsync();

    private async Task<NpgsqlConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        // Npgsql's own limit does not cover the TLS handshake; so ours comes a little later than its, whose errors say more.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_options.ConnectTimeout + TimeSpan.FromMilliseconds(500));
        try
        {
            while (true)
            {
                var connection = await _dataSource.OpenConnectionAsync(limit.Token);
                if (IsTrusted(connection))
                {
                    connection.StateChange += _onStateChange;
                    Pools.Add(connection, this);
                    return connection;
                }
                await connection.DisposeAsync(); // The pool was cleared after it was opened: this closes it.
            }
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw NotInTime(e);
        }
        catch (NpgsqlException e) when (MotherDuckError.From(e)?.Kind == MotherDuckErrorKind.Timeout)
        {
            throw NotInTime(e);
        }
    }

    // Clearing Npgsql's pool does not wait for a clearing under way, and until that ends an old connection can be taken out. A retry must not meet one.
    private void Distrust()
    {
        Volatile.Write(ref _distrustedBefore, Stopwatch.GetTimestamp());
        _dataSource.Clear();
    }

    private void Remember(NpgsqlConnection connection) => _openedAt.AddOrUpdate(connection.PostgresParameters, Stopwatch.GetTimestamp());

    private bool IsTrusted(NpgsqlConnection connection) =>
        !_openedAt.TryGetValue(connection.PostgresParameters, out var openedAt) || (long)openedAt > Volatile.Read(ref _distrustedBefore);

    private MotherDuckException NotInTime(Exception inner) => new(
        new(MotherDuckErrorKind.Unreachable, "no connection in time", $"No connection to {_options.Host} in {Duration.Write(_options.ConnectTimeout)} (MotherDuck:ConnectTimeout)."),
        inner);

    private static MotherDuckException Refused(string reason, string message, Exception? inner = null) =>
        new(new(MotherDuckErrorKind.LoginRefused, reason, message), inner);
}
