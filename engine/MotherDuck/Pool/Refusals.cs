using System.Threading.RateLimiting;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>
/// Requests that too many wait before. They are told so at a rate: nearly all that a refusal costs is the worker's and the host's part, and callers who come again at once, whatever they are
/// told, would take the processor from those who are served. Whoever still waits to be told when the queue has become short is let in after all.
/// </summary>
internal sealed class Refusals : IDisposable
{
    private const int MaxWaiting = 5000; // What is more is told at once.
    private const int LetInAtOnce = 2; // For each turn that ends: a queue that became empty fills again, and those who come do not find it full.

    private readonly MotherDuckDataSource _pool;
    private readonly Lazy<RateLimiter>? _pace;
    private readonly Lock _gate = new();
    private readonly LinkedList<TaskCompletionSource> _waiting = [];
    private volatile int _count;

    /// <summary>Begins to look after a pool's queue.</summary>
    /// <param name="pool">Whose queue it is.</param>
    /// <param name="rate">How many are told a second; 0 for all at once.</param>
    public Refusals(MotherDuckDataSource pool, int rate)
    {
        _pool = pool;
        if (rate == 0)
            return;
        var step = Math.Max(1, rate / 20);
        _pace = new(() => new TokenBucketRateLimiter(new TokenBucketRateLimiterOptions
        {
            TokenLimit = Math.Max(1, rate / 2),
            TokensPerPeriod = step,
            ReplenishmentPeriod = TimeSpan.FromSeconds(step / (double)rate),
            QueueLimit = MaxWaiting,
        }));
        pool.HasRoom += LetIn;
    }

    /// <summary>Waits until somebody is to be told, or may ask again.</summary>
    /// <returns>True if he is to be told that too many wait; false if that may be over.</returns>
    public async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        if (_pace is null)
            return true;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var told = _pace.Value.AcquireAsync(1, end.Token);
        if (told.IsCompletedSuccessfully)
            return true;
        var letIn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        LinkedListNode<TaskCompletionSource> place;
        lock (_gate)
        {
            place = _waiting.AddLast(letIn);
            _count = _waiting.Count;
        }
        var first = await Task.WhenAny(told.AsTask(), letIn.Task);
        if (first == letIn.Task)
        {
            await end.CancelAsync();
            cancellationToken.ThrowIfCancellationRequested();
            return false;
        }
        lock (_gate)
        {
            if (place.List is not null)
                _waiting.Remove(place);
            _count = _waiting.Count;
        }
        await first;
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _pool.HasRoom -= LetIn;
        if (_pace is { IsValueCreated: true })
            _pace.Value.Dispose();
    }

    private void LetIn()
    {
        if (_count == 0)
            return;
        lock (_gate)
        {
            for (var i = 0; i < LetInAtOnce && _waiting.First is { } next; i++)
            {
                _waiting.RemoveFirst();
                next.Value.TrySetResult();
            }
            _count = _waiting.Count;
        }
    }
}
