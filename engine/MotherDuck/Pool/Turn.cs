using System.Diagnostics;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>Somebody's work on a connection: it waits for its turn, has it, and gives it back when it is disposed.</summary>
/// <param name="caller">Whose work it is; all callers get the same share of the turns.</param>
/// <param name="work">What kind of work: the query's name.</param>
/// <param name="grace">How long its reader may take less than it must while others wait; zero for as long as it likes.</param>
/// <param name="floor">How many bytes a second its reader must take then.</param>
internal sealed class Turn(string caller = "", string work = "", TimeSpan grace = default, int floor = 0) : IDisposable
{
    private static readonly TaskCompletionSource<bool> None = new(); // Most turns come at once.

    private readonly Pace _usual = new(grace, floor);
    private readonly Pace _urgent = new(grace / 10, floor); // While all connections wait for readers.
    private volatile Turns? _turns;
    private long _unblocked;

    /// <summary>Whose work it is.</summary>
    public string Caller => caller;

    /// <summary>What kind of work it is.</summary>
    public string Work => work;

    /// <summary>Whether it may wait for its turn; else it is turned away where none is free.</summary>
    public bool CanWait { get; init; } = true;

    /// <summary>Whether it waits for its reader; guarded by <see cref="Turns"/>.</summary>
    public bool IsBlocked { get; set; }

    /// <summary>Whether it has come.</summary>
    public bool HasCome => _turns is not null;

    /// <summary>Completes with true when the turn has come, with false when there is no place in the queue any more.</summary>
    public TaskCompletionSource<bool> Ready { get; private set; } = None;

    /// <summary>It has to wait; guarded by <see cref="Turns"/>.</summary>
    public void Queue() => Ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Says whose turn it is.</summary>
    public void Belong(Turns turns) => _turns = turns;

    /// <summary>Waits for a reader. While others wait for a connection, it must not be slower than the floor.</summary>
    /// <param name="reading">Ends when there is room again.</param>
    /// <param name="taken">How many bytes the reader has taken so far.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="SlowReaderException">It is slower, and others need the connection.</exception>
    public async Task WaitForReaderAsync(Task reading, Func<long> taken, CancellationToken cancellationToken)
    {
        if (_turns is null || floor == 0)
        {
            await reading.WaitAsync(cancellationToken);
            return;
        }
        // The time in which the query was the slower one is not the reader's.
        var pause = _unblocked == 0 ? 0 : Stopwatch.GetTimestamp() - _unblocked;
        _usual.Resume(pause);
        _urgent.Resume(pause);
        _turns.Block(this);
        try
        {
            for (var look = grace / 100; await Task.WhenAny(reading, Task.Delay(look, cancellationToken)) != reading;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var (slow, stuck) = (_usual.IsSlow(taken()), _urgent.IsSlow(taken()));
                if ((slow || stuck) && _turns.MustLeave(this, slow))
                    throw new SlowReaderException();
            }
            await reading;
        }
        finally
        {
            _turns.Unblock(this);
            _unblocked = Stopwatch.GetTimestamp();
        }
    }

    /// <summary>Lets the next one have it.</summary>
    public void Dispose() => Interlocked.Exchange(ref _turns, null)?.Leave(this);

    // Whether a reader took less than it must within some time.
    private sealed class Pace(TimeSpan time, int floor)
    {
        private readonly double _bytes = floor * time.TotalSeconds;
        private long _since = Stopwatch.GetTimestamp();
        private long _mark;

        public void Resume(long pause) => _since += pause == 0 ? Stopwatch.GetTimestamp() - _since : pause;

        public bool IsSlow(long taken)
        {
            if (taken - _mark < _bytes)
                return Stopwatch.GetElapsedTime(_since) > time;
            (_mark, _since) = (taken, Stopwatch.GetTimestamp());
            return false;
        }
    }
}

/// <summary>A reader is so slow that others who wait get its connection.</summary>
internal sealed class SlowReaderException() : Exception("The reader was slower than Queries:SlowReaderBytes a second while others waited for its connection.");
