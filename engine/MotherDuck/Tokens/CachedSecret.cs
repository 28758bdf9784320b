namespace MdFunctions.Engine.MotherDuck;

/// <summary>A secret that is read now and then, and kept meanwhile.</summary>
/// <param name="read">Reads it. A <see cref="KeyVaultException"/> that says it is gone ends what is kept; after other failures it stays.</param>
/// <param name="time">The clock.</param>
internal sealed class CachedSecret<T>(Func<CancellationToken, Task<T>> read, TimeProvider time) where T : class
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private Task<T>? _reading;
    private volatile T? _current;

    /// <summary>What was read last; null before the first time, and when it is gone.</summary>
    public T? Current => _current;

    /// <summary>Why it could not be read the last time; null if it could.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>When reading it ended last, well or not.</summary>
    public DateTimeOffset ReadAt { get; private set; } = DateTimeOffset.MinValue;

    /// <summary>Reads it now. It is one call for all who wait; none of them can cancel it for the others, and nobody has to wait for it.</summary>
    public Task<T> ReadAsync()
    {
        lock (_lock)
        {
            if (_reading is null)
            {
                _reading = ReadOnceAsync();
                _ = _reading.ContinueWith(task => task.Exception, TaskScheduler.Default);
            }
            return _reading;
        }
    }

    private async Task<T> ReadOnceAsync()
    {
        await Task.Yield();
        try
        {
            using var limit = new CancellationTokenSource(Limit, time);
            var value = await read(limit.Token);
            (_current, Failure) = (value, null);
            return value;
        }
        catch (Exception e)
        {
            Failure = e;
            if (e is KeyVaultException { IsGone: true })
                _current = null;
            throw;
        }
        finally
        {
            ReadAt = time.GetUtcNow();
            lock (_lock)
                _reading = null;
        }
    }
}
