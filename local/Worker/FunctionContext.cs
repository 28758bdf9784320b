namespace Microsoft.Azure.Functions.Worker;

/// <summary>One invocation of a function, as the worker's own class of this name tells it.</summary>
public sealed class FunctionContext(string invocationId, CancellationToken cancellationToken)
{
    /// <summary>Unique to the invocation; its retries keep it.</summary>
    public string InvocationId { get; } = invocationId;

    /// <summary>Cancelled when the host stops or the caller of an HTTP function goes away.</summary>
    public CancellationToken CancellationToken { get; } = cancellationToken;

    /// <summary>Which retry this is; null for a function without retries.</summary>
    public RetryContext? RetryContext { get; init; }
}

/// <summary>Which retry of an invocation this is.</summary>
/// <param name="RetryCount">0 for the first call.</param>
public sealed record RetryContext(int RetryCount);
