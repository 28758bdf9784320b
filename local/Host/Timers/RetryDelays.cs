using MdFunctions.Local.Host.Rpc;

namespace MdFunctions.Local.Host.Timers;

/// <summary>How long the Functions host waits before each retry.</summary>
/// <param name="options">The function's retry attribute.</param>
internal sealed class RetryDelays(RpcRetryOptions options)
{
    private const double Jitter = 0.2;
    private TimeSpan _current;
    private int _exponent;

    /// <summary>
    /// The delay before the next retry. The exponential ones are the minimum first, then the minimum and 1, 2, 4, ... times it, each of those 20 % more or less: for 30 s
    /// some 30, 60, 90, 150.
    /// </summary>
    public TimeSpan Next()
    {
        if (options.RetryStrategy == RpcRetryOptions.Types.RetryStrategy.FixedDelay)
            return options.DelayInterval.ToTimeSpan();
        var (minimum, maximum) = (options.MinimumInterval.ToTimeSpan(), options.MaximumInterval.ToTimeSpan());
        if (_current == maximum)
            return maximum;
        var delay = minimum;
        if (_exponent > 0)
            delay += minimum * Math.Pow(2, _exponent - 1) * (1 - Jitter + (2 * Jitter * Random.Shared.NextDouble()));
        if (delay < maximum)
            _exponent++;
        else
            delay = maximum;
        return _current = delay;
    }
}
