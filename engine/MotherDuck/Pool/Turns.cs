using System.Diagnostics;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>
/// Who may use a connection. The next turn is for the caller who has the fewest, and among equals for the one whose last turn is the longest ago. A query whose answers wait for their
/// readers does not get the last quarter of the turns: what is over quickly goes on beside it.
/// </summary>
/// <param name="count">How many there are.</param>
/// <param name="queueLimit">How many may wait.</param>
/// <remarks>The framework's limiters know neither shares of callers nor what a turn waits for.</remarks>
internal sealed class Turns(int count, int queueLimit)
{
    private const int MaxAway = 1000; // Callers.
    private static readonly TimeSpan MaxComeAgain = TimeSpan.FromMinutes(1);

    private readonly int _kept = count > 1 ? Math.Max(1, count / 4) : 0;
    private readonly Lock _gate = new();
    private readonly List<Turn> _held = [];
    private readonly LinkedList<Turn> _queue = [];
    private readonly Dictionary<string, int> _holding = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _waiting = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _away = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _served = new(StringComparer.Ordinal); // Of callers that hold or wait.
    private long _turn;
    private double _secondsPerTurn;
    private long _lastLeft;

    /// <summary>Raised when a turn is over and the queue is less than half full, or nobody waits in it: nobody has to be turned away any more.</summary>
    public event Action? HasRoom;

    /// <summary>How many are taken, and how many wait.</summary>
    public (int Held, int Waiting) State
    {
        get
        {
            lock (_gate)
                return (_held.Count, _queue.Count);
        }
    }

    /// <summary>
    /// When one who is turned away should come again: behind those of the same caller who were turned away before, at half as much again as the pace of the last turns,
    /// as not all of them do come.
    /// </summary>
    public TimeSpan ComeAgain(string caller)
    {
        lock (_gate)
        {
            var now = Stopwatch.GetTimestamp();
            if (_away.Count >= MaxAway)
            {
                foreach (var (other, at) in _away)
                {
                    if (at <= now)
                        _away.Remove(other);
                }
            }
            var first = Math.Max(now + Ticks(Expected(caller)), _away.GetValueOrDefault(caller));
            var mine = Math.Min(first + Ticks(TimeSpan.FromSeconds(_secondsPerTurn * Math.Max(1, _waiting.Count) / 1.5)), now + Ticks(MaxComeAgain));
            if (_away.Count < MaxAway || _away.ContainsKey(caller))
                _away[caller] = mine;
            return Stopwatch.GetElapsedTime(now, mine);
        }

        static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);
    }

    /// <summary>Whether <see cref="TryEnter"/> would turn such a turn away, at no cost.</summary>
    public bool Refuses(string caller, string work, TimeSpan maxWait)
    {
        lock (_gate)
            return !CanHave(work) && (Expected(caller) > maxWait || (_queue.Count >= queueLimit && ToDrop(caller, work) is null));
    }

    /// <summary>Asks for a turn; <see cref="Turn.Ready"/> tells when it has come.</summary>
    /// <param name="turn">The turn.</param>
    /// <param name="maxWait">How long it can wait: if that will not do, there is no sense in waiting at all.</param>
    /// <returns>False if it is turned away.</returns>
    public bool TryEnter(Turn turn, TimeSpan maxWait)
    {
        lock (_gate)
        {
            if (CanHave(turn.Work))
            {
                Take(turn);
                return true;
            }
            if (!turn.CanWait || Expected(turn.Caller) > maxWait)
                return false;
            if (_queue.Count >= queueLimit)
            {
                if (ToDrop(turn.Caller, turn.Work) is not { } dropped)
                    return false;
                Remove(dropped);
                dropped.Value.Ready.TrySetResult(false);
            }
            turn.Queue();
            _queue.AddLast(turn);
            Count(_waiting, turn.Caller, 1);
            return true;
        }
    }

    /// <summary>Gives up waiting.</summary>
    public void GiveUp(Turn turn)
    {
        lock (_gate)
        {
            if (_queue.Find(turn) is { } node)
                Remove(node);
            else
                turn.Dispose(); // It has come meanwhile.
        }
    }

    /// <summary>A turn is over.</summary>
    public void Leave(Turn turn)
    {
        bool hasRoom;
        lock (_gate)
        {
            if (!_held.Remove(turn))
                return;
            Count(_holding, turn.Caller, -1);
            Forget(turn.Caller);
            var now = Stopwatch.GetTimestamp();
            if (_queue.Count > 0 && _lastLeft > 0)
                _secondsPerTurn += (Stopwatch.GetElapsedTime(_lastLeft, now).TotalSeconds - _secondsPerTurn) / 8;
            _lastLeft = _queue.Count > 0 ? now : 0;
            GiveOut();
            hasRoom = _queue.Count == 0 || _queue.Count < queueLimit / 2;
        }
        if (hasRoom)
            HasRoom?.Invoke();
    }

    /// <summary>A turn waits for its reader.</summary>
    public void Block(Turn turn)
    {
        lock (_gate)
            turn.IsBlocked = true;
    }

    /// <summary>A turn goes on.</summary>
    public void Unblock(Turn turn)
    {
        lock (_gate)
        {
            turn.IsBlocked = false;
            GiveOut();
        }
    }

    /// <summary>Whether a turn whose reader is slow has to end for the sake of those who wait.</summary>
    /// <param name="turn">The turn.</param>
    /// <param name="slow">True if it was slow for its whole grace; it must leave sooner where all turns wait for readers.</param>
    public bool MustLeave(Turn turn, bool slow)
    {
        lock (_gate)
        {
            if (_queue.Count == 0 || !(slow || (_held.Count == count && _held.TrueForAll(held => held.IsBlocked))))
                return false;
            // No longer in the way of others from now on: one at a time is enough where all are stuck.
            turn.IsBlocked = false;
            return true;
        }
    }

    private void GiveOut()
    {
        while (_held.Count < count && Next() is { } next)
        {
            Remove(next);
            Take(next.Value);
            next.Value.Ready.TrySetResult(true);
        }
    }

    private LinkedListNode<Turn>? Next()
    {
        LinkedListNode<Turn>? best = null;
        var fewest = (int.MaxValue, long.MaxValue);
        for (var node = _queue.First; node is not null; node = node.Next)
        {
            var share = (_holding.GetValueOrDefault(node.Value.Caller), _served.GetValueOrDefault(node.Value.Caller));
            if (share.CompareTo(fewest) < 0 && CanHave(node.Value.Work))
                (best, fewest) = (node, share);
            if (best is not null && (_waiting.Count == 1 || fewest is (0, 0)))
                break;
        }
        return best;
    }

    private bool CanHave(string work) => count - _held.Count is var free && free > 0 && (free > _kept || !IsStuck(work));

    private bool IsStuck(string work)
    {
        if (_kept == 0 || work.Length == 0)
            return false;
        foreach (var held in _held) // Asked for each one that waits: nothing is allocated.
        {
            if (held.IsBlocked && held.Work == work)
                return true;
        }
        return false;
    }

    // Who makes room: one that cannot have the next turn anyway, or the last of a caller who has more waiting than this one.
    private LinkedListNode<Turn>? ToDrop(string caller, string work)
    {
        var isStuck = IsStuck(work);
        var own = _waiting.GetValueOrDefault(caller) + 1;
        LinkedListNode<Turn>? found = null;
        for (var node = _queue.Last; node is not null; node = node.Previous)
        {
            if (!isStuck && IsStuck(node.Value.Work))
                return node;
            if (_waiting[node.Value.Caller] is var many && many > own)
                (found, own) = (node, many);
        }
        return found;
    }

    private TimeSpan Expected(string caller)
    {
        var ahead = Math.Min(_queue.Count, (long)(_waiting.GetValueOrDefault(caller) + 1) * _waiting.Count);
        return TimeSpan.FromSeconds(ahead * _secondsPerTurn);
    }

    private void Take(Turn turn)
    {
        turn.Belong(this);
        _held.Add(turn);
        Count(_holding, turn.Caller, 1);
        _served[turn.Caller] = ++_turn;
    }

    private void Remove(LinkedListNode<Turn> node)
    {
        Count(_waiting, node.Value.Caller, -1);
        _queue.Remove(node);
        Forget(node.Value.Caller);
    }

    private void Forget(string caller)
    {
        if (!_holding.ContainsKey(caller) && !_waiting.ContainsKey(caller))
            _served.Remove(caller);
    }

    private static void Count(Dictionary<string, int> counts, string caller, int change)
    {
        if (counts.GetValueOrDefault(caller) + change is > 0 and var count)
            counts[caller] = count;
        else
            counts.Remove(caller);
    }
}
