namespace MdFunctions.Engine.MotherDuck;

/// <summary>
/// Gives memory back after a burst. The runtime collects garbage only when something is allocated: what a burst leaves would stay for as long as hardly anybody calls.
/// </summary>
/// <param name="isIdle">Whether nobody uses or waits for a connection now; a collection then keeps nobody waiting.</param>
/// <param name="time">Times it.</param>
internal sealed class BurstMemory(Func<bool> isIdle, TimeProvider time) : IDisposable
{
    // By then the Functions host has closed what it had open for the burst.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(10);
    private readonly Lock _gate = new();
    private ITimer? _timer;
    private long _last;

    /// <summary>Somebody was turned away, so there is a burst.</summary>
    public void Note()
    {
        Volatile.Write(ref _last, time.GetTimestamp());
        if (_timer is not null)
            return;
        lock (_gate)
            _timer ??= time.CreateTimer(static self => ((BurstMemory)self!).Look(), this, Step, Step);
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

    private void Look()
    {
        if (time.GetElapsedTime(Volatile.Read(ref _last)) < Quiet || !isIdle())
            return;
        Dispose(); // The next burst begins anew.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
