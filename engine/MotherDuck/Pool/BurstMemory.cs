namespace MdFunctions.Engine.MotherDuck;

/// <summary>
/// Gives memory back after a burst. The runtime collects garbage only when something is allocated: what a burst leaves would stay for as long as hardly anybody calls.
/// </summary>
/// <param name="isIdle">Whether nobody uses or waits for a connection now; a collection then keeps nobody waiting.</param>
/// <param name="time">Times it.</param>
internal sealed class BurstMemory(Func<bool> isIdle, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(20);
    private readonly Lock _gate = new();
    private ITimer? _timer;

    /// <summary>Somebody was turned away, so there is a burst.</summary>
    public void Note()
    {
        // One timer for all of a burst: while it lasts, the app is not idle.
        if (_timer is not null)
            return;
        lock (_gate)
            _timer ??= time.CreateTimer(static self => ((BurstMemory)self!).Collect(), this, Quiet, Quiet);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _timer?.Dispose();
            _timer = null;
        }
    }

    private void Collect()
    {
        if (!isIdle())
            return; // It looks again.
        Dispose(); // The next burst begins anew.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
