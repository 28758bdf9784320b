using System.Diagnostics;
using MdFunctions.Endpoint.Native;

namespace MdFunctions.Endpoint.Sessions;

/// <summary>Lets other threads interrupt the statement that a session runs, and nothing but that statement.</summary>
internal sealed class Interruption(Connection connection) : IDisposable
{
    private const int RepeatMilliseconds = 10;

    private readonly Lock _gate = new();
    private CancellationTokenSource? _source;
    private Timer? _repeat;
    private Timer? _timeout;
    private long _since;
    private long _computed;
    private long _computingSince;
    private bool _isRunning;
    private volatile bool _isRequested;
    private bool _isDisposed;

    /// <summary>Whether the running statement is to end.</summary>
    public bool IsRequested => _isRequested;

    /// <summary>Whether a statement runs.</summary>
    public bool IsRunning
    {
        get
        {
            lock (_gate)
                return _isRunning;
        }
    }

    /// <summary>How long the statement has been running; zero where none is.</summary>
    public TimeSpan Running
    {
        get
        {
            lock (_gate)
                return _isRunning ? Stopwatch.GetElapsedTime(_since) : TimeSpan.Zero;
        }
    }

    /// <summary>Whether DuckDB has worked on the running statement for so long, and for more than half of its time: the rest goes by while its rows are written and sent.</summary>
    public bool Computes(TimeSpan longer)
    {
        lock (_gate)
        {
            if (!_isRunning)
                return false;
            var since = Volatile.Read(ref _computingSince);
            var now = Stopwatch.GetTimestamp();
            var computed = Volatile.Read(ref _computed) + (since == 0 ? 0 : now - since);
            return Stopwatch.GetElapsedTime(0, computed) > longer && computed * 2 > now - _since;
        }
    }

    /// <summary>The statement's own thread says whether DuckDB works on it from now on, as it does at first, or its rows are written.</summary>
    public void Compute(bool isComputing)
    {
        var now = Stopwatch.GetTimestamp();
        if (isComputing == (_computingSince != 0))
            return;
        if (!isComputing)
            Volatile.Write(ref _computed, _computed + now - _computingSince);
        Volatile.Write(ref _computingSince, isComputing ? now : 0);
    }

    /// <summary>Is cancelled when the running statement is to end: for waits outside of DuckDB.</summary>
    public CancellationToken Token
    {
        get
        {
            lock (_gate)
            {
                _source ??= new CancellationTokenSource();
                if (_isRequested)
                    _source.Cancel();
                return _source.Token;
            }
        }
    }

    /// <summary>A statement begins, to be interrupted after its time.</summary>
    public void Enter(TimeSpan? timeout)
    {
        lock (_gate)
        {
            _isRunning = true;
            _since = Stopwatch.GetTimestamp();
            (_computed, _computingSince) = (0, _since);
            if (timeout is { } time)
                _timeout = new Timer(_ => Request(), null, time, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>The statement is over: nobody can interrupt it any more. Tells whether somebody did.</summary>
    public bool Leave()
    {
        lock (_gate)
        {
            var wasRequested = _isRequested;
            _isRunning = _isRequested = false;
            _repeat?.Dispose();
            _timeout?.Dispose();
            _source?.Dispose();
            (_repeat, _timeout, _source) = (null, null, null);
            return wasRequested;
        }
    }

    /// <summary>Asks for the running statement's end. Without one there is nothing to do.</summary>
    public void Request()
    {
        CancellationTokenSource? source;
        lock (_gate)
        {
            if (!_isRunning || _isRequested || _isDisposed)
                return;
            _isRequested = true;
            source = _source;
            connection.Interrupt();
            // The statement may not have reached DuckDB yet, where an interrupt would be forgotten.
            _repeat = new Timer(_ => Repeat(), null, RepeatMilliseconds, RepeatMilliseconds);
        }
        try
        {
            source?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The statement was over first.
        }
    }

    public void Dispose()
    {
        Leave();
        lock (_gate)
            _isDisposed = true;
    }

    private void Repeat()
    {
        lock (_gate)
        {
            if (_isRunning && _isRequested && !_isDisposed)
                connection.Interrupt();
        }
    }
}
