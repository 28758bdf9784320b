namespace MdFunctions.Engine.Loads;

/// <summary>Lets one at a time in under each name.</summary>
internal sealed class NamedTurns
{
    private readonly Dictionary<string, Turn> _turns = new(StringComparer.Ordinal);

    /// <summary>Waits until nobody else is in; disposing what is returned lets the next one in.</summary>
    /// <returns>Null if somebody was in for longer than <paramref name="patience"/>.</returns>
    public async Task<IDisposable?> EnterAsync(string name, TimeSpan patience, CancellationToken cancellationToken)
    {
        Turn? turn;
        lock (_turns)
        {
            if (!_turns.TryGetValue(name, out turn))
                _turns[name] = turn = new Turn(this, name);
            turn.Users++;
        }
        var entered = false;
        try
        {
            entered = await turn.Gate.WaitAsync(patience < TimeSpan.Zero ? TimeSpan.Zero : patience, cancellationToken);
            return entered ? turn : null;
        }
        finally
        {
            if (!entered)
                Leave(turn);
        }
    }

    private void Leave(Turn turn)
    {
        lock (_turns)
        {
            if (--turn.Users == 0)
                _turns.Remove(turn.Name);
        }
    }

    private sealed class Turn(NamedTurns owner, string name) : IDisposable
    {
        public SemaphoreSlim Gate { get; } = new(1);

        public string Name => name;

        public int Users { get; set; }

        public void Dispose()
        {
            Gate.Release();
            owner.Leave(this);
        }
    }
}
