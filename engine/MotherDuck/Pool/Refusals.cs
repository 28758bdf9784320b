using System.Threading.RateLimiting;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>
/// Requests that come while too many wait already. They are turned away at a rate: nearly all that a refusal costs is the worker's and the host's part, and callers who come again at once,
/// whatever they are told, would take the processor from those who are served. A request that still waits for its refusal when the queue has become short is let in after all.
/// </summary>
internal sealed class Refusals : IDisposable
{
    private const int MaxWaiting = 5000; // One more is turned away at once.
    private const int LetInAtOnce = 2; // For each turn that ends: an empty queue fills again, and those who are let in do not find it full.

    private readonly MotherDuckDataSource _pool;
    private readonly Lazy<RateLimiter>? _pace;
    private readonly Lock _gate = new();
    private readonly LinkedList<TaskCompletionSource> _waiting = [];

    /// <summary>Begins to look after a pool's queue.</summary>
    /// <param name="pool">Whose queue it is.</param>
    /// <param name="rate">How many requests are turned away a second; 0 for no limit.</param>
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

    /// <summary>Waits until a request is to be turned away, or has another chance.</summary>
    /// <returns>True if its turn to be refused has come; false if the queue has become short.</returns>
    public async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        if (_pace is null)
            return true;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var refusal = _pace.Value.AcquireAsync(1, end.Token);
        if (refusal.IsCompletedSuccessfully)
            return true;
        var letIn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        LinkedListNode<TaskCompletionSource> place;
        lock (_gate)
            place = _waiting.AddLast(letIn);
        var first = await Task.WhenAny(refusal.AsTask(), letIn.Task);
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
        lock (_gate)
        {
            for (var i = 0; i < LetInAtOnce && _waiting.First is { } next; i++)
            {
                _waiting.RemoveFirst();
                next.Value.TrySetResult();
            }
        }
    }
}
