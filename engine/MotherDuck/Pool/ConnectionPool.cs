using System.Collections.Concurrent;
using System.Data;
using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>
/// Connections to MotherDuck, a place for each. A place is an Npgsql data source of one connection, as Npgsql closes all idle connections of a data source
/// when one of them breaks, and cannot close one alone.
/// </summary>
internal sealed class ConnectionPool : IAsyncDisposable
{
    // A connection that rested for longer is asked whether it still answers before it gets work that must not be sent twice.
    private static readonly TimeSpan RestsFor = TimeSpan.FromMilliseconds(100);
    private static readonly ConditionalWeakTable<NpgsqlConnection, Place> Places = [];

    private readonly MotherDuckOptions _options;
    private readonly AccessToken _token;
    private readonly ILoggerFactory _loggers;
    private readonly bool _writes;
    private readonly string _name;
    private readonly int _size;
    private readonly Turns _turns;
    private readonly ConcurrentStack<Place> _free = [];
    private long _closeOpenedBefore = long.MinValue;

    /// <summary>Sets the places up; nothing connects yet.</summary>
    /// <param name="options">Where to, and how.</param>
    /// <param name="token">What to log in with.</param>
    /// <param name="writes">True for loads and ingests.</param>
    /// <param name="loggers">Npgsql logs through it.</param>
    public ConnectionPool(MotherDuckOptions options, AccessToken token, bool writes, ILoggerFactory loggers)
    {
        StatementErrors.KeepConnections();
        (_options, _token, _writes, _loggers) = (options, token, writes, loggers);
        (_name, _size) = writes ? ($"{options.SessionName}-write", options.MaxWritePoolSize) : ($"{options.SessionName}-read", options.MaxPoolSize);
        _turns = new(_size, writes ? int.MaxValue : options.QueueLimit);
        for (var number = _size; number > 0; number--)
            _free.Push(new Place(this, $"{_name}-{number}"));
    }

    /// <summary>What the connections are doing now.</summary>
    public PoolState State
    {
        get
        {
            var (held, waiting) = _turns.State;
            return new(held, PoolState.CountIdle($"{_name}-"), waiting, _size);
        }
    }

    /// <summary>How many requests wait for a place.</summary>
    public int Waiting => _turns.State.Waiting;

    /// <inheritdoc cref="Turns.HasRoom"/>
    public event Action? HasRoom
    {
        add => _turns.HasRoom += value;
        remove => _turns.HasRoom -= value;
    }

    /// <summary>Whether somebody's work would be turned away, before anything is done for it.</summary>
    public bool Refuses(string caller, string work, TimeSpan limit) => _turns.Refuses(caller, work, MaxWait(limit));

    /// <summary>When somebody who is turned away should come again: by the queue's pace, and not all at the same time.</summary>
    public TimeSpan ComeAgain(string caller)
    {
        var wait = Math.Max(1, _turns.ComeAgain(caller).TotalSeconds);
        return TimeSpan.FromSeconds(wait + (Random.Shared.NextDouble() * Math.Max(2, wait / 4)));
    }

    /// <summary>Waits for a free place, for as long as a connection may take.</summary>
    /// <param name="turn">Ends when it is disposed.</param>
    /// <param name="limit">The work's own limit.</param>
    /// <param name="stop">Ends the wait early: the work's own limit is over.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <exception cref="MotherDuckException">All places stayed in use, or too many wait already.</exception>
    public async ValueTask EnterAsync(Turn turn, TimeSpan limit, CancellationToken stop, CancellationToken cancellationToken)
    {
        if (!_turns.TryEnter(turn, _writes ? TimeSpan.MaxValue : MaxWait(limit)))
            throw Busy($"too many requests wait for the {_size} connections of {_name} already", turn);
        if (turn.HasCome)
            return;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop, cancellationToken);
        end.CancelAfter(_options.ConnectTimeout);
        try
        {
            if (!await turn.Ready.Task.WaitAsync(end.Token))
                throw Busy($"others who have fewer requests wait for the {_size} connections of {_name}", turn);
        }
        catch (OperationCanceledException e)
        {
            _turns.GiveUp(turn);
            cancellationToken.ThrowIfCancellationRequested();
            throw Busy($"none of the {_size} connections of {_name} came free in time", turn, e);
        }
    }

    /// <summary>
    /// Opens the connection of a free place, for one who has entered. Its work ends when it is closed. When MotherDuck refuses the token, it is read again and
    /// tried once more.
    /// </summary>
    /// <param name="stop">Ends it early: the work's own limit is over.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <exception cref="MotherDuckException">There is no token, MotherDuck refuses it, or it cannot be reached in time.</exception>
    /// <exception cref="NpgsqlException">MotherDuck cannot be reached.</exception>
    public async Task<NpgsqlConnection> OpenAsync(CancellationToken stop, CancellationToken cancellationToken)
    {
        // Npgsql's own limit does not cover the TLS handshake; so ours comes a little later than its, whose errors say more.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop, cancellationToken);
        limit.CancelAfter(_options.ConnectTimeout + TimeSpan.FromMilliseconds(500));
        if (!_free.TryPop(out var place))
            throw new InvalidOperationException("More connections are opened than turns were given.");
        try
        {
            var connection = await OpenAsync(place, limit.Token);
            Places.Add(connection, place);
            connection.StateChange += (_, _) => Leave(connection, place);
            return connection;
        }
        catch (Exception e)
        {
            _free.Push(place);
            if (cancellationToken.IsCancellationRequested)
                throw e as OperationCanceledException ?? new OperationCanceledException(e.Message, e, cancellationToken); // Npgsql may call it an error of its own.
            if (e is OperationCanceledException || MotherDuckError.From(e)?.Kind == MotherDuckErrorKind.Timeout)
                throw Unreachable("no connection in time", _token.Current is null ? $"The access token of {_token.Name} was not read in time." : $"No connection to {_options.Host} in time (MotherDuck:ConnectTimeout is {Duration.Write(_options.ConnectTimeout)}).", e);
            if (e is SocketException or IOException) // What has no name, for example.
                throw Unreachable("no connection", MotherDuckError.OneLine(e.Message), e);
            throw;
        }
    }

    /// <summary>Gives a connection up whose work does not end: its place is free for a new one, and it closes by itself when it can.</summary>
    public void Abandon(NpgsqlConnection connection)
    {
        CloseOldConnections();
        if (!Places.TryGetValue(connection, out var place) || !Places.Remove(connection))
            return;
        place.Renew();
        _free.Push(place);
    }

    /// <summary>Sees to it that no connection is used again that is open now: MotherDuck could not be reached on one of them.</summary>
    public void CloseOldConnections()
    {
        Volatile.Write(ref _closeOpenedBefore, Stopwatch.GetTimestamp());
        foreach (var place in _free) // Those in use are closed before they are used again.
            CloseOld(place);
    }

    /// <summary>Sees to it that a connection is closed when its work is done, and not used again.</summary>
    public static void Discard(NpgsqlConnection connection)
    {
        if (Places.TryGetValue(connection, out var place))
            place.Source.Clear();
    }

    /// <summary>
    /// Cancels what Npgsql does. It asks MotherDuck to stop on the thread that cancels, which a silent network holds for as long as a connection may take: so it is
    /// not one of the thread pool's.
    /// </summary>
    public static Task CancelAsync(CancellationTokenSource source) =>
        Task.Factory.StartNew(source.Cancel, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Closes all connections.</summary>
    public async ValueTask DisposeAsync()
    {
        while (_free.TryPop(out var place))
            await place.Source.DisposeAsync();
    }

    private void CloseOld(Place place)
    {
        if (place.OpenedAt <= Volatile.Read(ref _closeOpenedBefore))
            place.Source.Clear();
    }

    private void Leave(NpgsqlConnection connection, Place place)
    {
        // It was closed, or it broke: there is no other event then.
        if (connection.FullState.HasFlag(ConnectionState.Open) || !Places.Remove(connection))
            return;
        place.LeftAt = Stopwatch.GetTimestamp();
        _free.Push(place);
    }

    private async Task<NpgsqlConnection> OpenAsync(Place place, CancellationToken cancellationToken)
    {
        var token = await _token.GetAsync(cancellationToken);
        for (var first = true; ;)
        {
            if (_writes && token.IsReadScaling)
                throw Refused("a read-scaling token cannot write", $"Loads and ingests need a read-write token; the token of {_token.Name} is a read-scaling token.");
            CloseOld(place);
            try
            {
                var connection = await place.Source.OpenConnectionAsync(cancellationToken);
                if (!_writes || !place.HasRested(RestsFor) || await AnswersAsync(connection, place, cancellationToken))
                    return connection;
            }
            catch (PostgresException e) when (MotherDuckError.IsLoginRefused(e))
            {
                if (!first || await _token.ReplaceAsync(token, cancellationToken) is not { } newer)
                    throw Refused("the access token was refused", $"{_token.Explain(token)} It said: {MotherDuckError.OneLine(e.MessageText)}", e);
                (token, first) = (newer, false);
            }
        }
    }

    private async Task<bool> AnswersAsync(NpgsqlConnection connection, Place place, CancellationToken cancellationToken)
    {
        var stop = new CancellationTokenSource();
        var asking = connection.ScalarAsync("SELECT 1", stop.Token);
        try
        {
            await asking.WaitAsync(_options.ConnectTimeout / 5, cancellationToken);
            return true;
        }
        catch (Exception e) when (e is OperationCanceledException || MotherDuckError.From(e) is not null)
        {
            CloseOldConnections();
            if (!asking.IsCompleted)
            {
                place.Renew();
                _ = CancelAsync(stop);
            }
            _ = asking.ContinueWith(_ => connection.Dispose(), TaskScheduler.Default);
            cancellationToken.ThrowIfCancellationRequested();
            return false;
        }
    }

    private TimeSpan MaxWait(TimeSpan limit) => limit < _options.ConnectTimeout ? limit : _options.ConnectTimeout;

    private MotherDuckException Busy(string message, Turn turn, Exception? inner = null) =>
        new(new(MotherDuckErrorKind.PoolExhausted, "all connections are in use", message) { RetryAfter = ComeAgain(turn.Caller) }, inner);

    private static MotherDuckException Unreachable(string reason, string message, Exception inner) =>
        new(new(MotherDuckErrorKind.Unreachable, reason, message), inner);

    private static MotherDuckException Refused(string reason, string message, Exception? inner = null) =>
        new(new(MotherDuckErrorKind.LoginRefused, reason, message), inner);

    /// <summary>Where one connection is, or can be.</summary>
    private sealed class Place
    {
        private readonly ConnectionPool _pool;
        private readonly string _name;

        public Place(ConnectionPool pool, string name)
        {
            (_pool, _name) = (pool, name);
            Source = Build();
        }

        /// <summary>Opens it.</summary>
        public NpgsqlDataSource Source { get; private set; }

        /// <summary>When it was opened.</summary>
        public long OpenedAt { get; private set; } = long.MinValue;

        /// <summary>When its last work ended.</summary>
        public long LeftAt { get; set; }

        /// <summary>Whether it has been open without work for some time.</summary>
        public bool HasRested(TimeSpan time) => Stopwatch.GetElapsedTime(Math.Max(OpenedAt, LeftAt)) >= time;

        /// <summary>Starts anew; the connection that there is closes when its work ends.</summary>
        public void Renew()
        {
            _ = Source.DisposeAsync().AsTask();
            Source = Build();
        }

        private NpgsqlDataSource Build()
        {
            var (options, token) = (_pool._options, _pool._token);
            var builder = new NpgsqlDataSourceBuilder(options.ToConnectionString()) { Name = _name };
            builder.UseLoggerFactory(_pool._loggers);
            builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false)); // There is no pg_catalog to load them from.
            builder.ConfigureTracing(Tracing.Configure);
            // OpenAsync has read the token by the time this runs.
            builder.UsePasswordProvider(
                _ => throw new NotSupportedException("Connections are opened asynchronously."), (_, _) => new(token.Current!.Value));
            if (options.VerifyCertificate)
                builder.UseSslClientAuthenticationOptionsCallback(new CertificateCheck(options.Host, options.RootCertificates).Configure);
            builder.UsePhysicalConnectionInitializer(_ => OpenedAt = Stopwatch.GetTimestamp(), _ =>
            {
                OpenedAt = Stopwatch.GetTimestamp();
                return Task.CompletedTask;
            });
            return builder.Build();
        }
    }
}
