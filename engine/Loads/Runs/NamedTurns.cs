using System.Threading.RateLimiting;

namespace MdFunctions.Engine.Loads;

/// <summary>Lets one at a time in under each name.</summary>
internal sealed class NamedTurns : IDisposable
{
    private readonly PartitionedRateLimiter<string> _turns = PartitionedRateLimiter.Create<string, string>(name =>
        RateLimitPartition.GetConcurrencyLimiter(name, _ => new ConcurrencyLimiterOptions { PermitLimit = 1, QueueLimit = int.MaxValue }));

    /// <summary>Waits until nobody else is in; disposing what is returned lets the next one in.</summary>
    /// <returns>Null if somebody was in for longer than <paramref name="maxWait"/>.</returns>
    public async Task<IDisposable?> EnterAsync(string name, TimeSpan maxWait, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var turn = _turns.AttemptAcquire(name);
        if (turn.IsAcquired)
            return turn;
        if (maxWait <= TimeSpan.Zero)
            return null;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(maxWait);
        try
        {
            return await _turns.AcquireAsync(name, 1, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    public void Dispose() => _turns.Dispose();
}
