using System.Threading.RateLimiting;
using MdFunctions.Engine.Http;
using MdFunctions.Engine.MotherDuck;

namespace MdFunctions.Engine.Queries;

/// <summary>Lets as many queries run at once as the pool has connections, keeps a bounded number waiting, and sends the others away at once.</summary>
internal sealed class QueryGate(MotherDuckOptions motherDuck, QueryOptions options) : IAsyncDisposable
{
    private readonly ConcurrencyLimiter _limiter = new(new ConcurrencyLimiterOptions
    {
        PermitLimit = motherDuck.MaxPoolSize,
        QueueLimit = options.QueueLimit,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    });

    /// <summary>Waits for a turn; disposing what is returned ends it.</summary>
    /// <exception cref="ProblemException">503: too many are waiting already.</exception>
    public async ValueTask<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        var lease = await _limiter.AcquireAsync(1, cancellationToken);
        if (lease.IsAcquired)
            return lease;
        lease.Dispose();
        throw new ProblemException(new Problem(503, "Busy", "Too many queries are waiting already. Try again shortly.") { RetryAfter = TimeSpan.FromSeconds(1) });
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _limiter.DisposeAsync();
}
