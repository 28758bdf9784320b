namespace MdFunctions.Endpoint.Native;

/// <summary>
/// The threads that help statements which run for long. DuckDB's own would be woken for every statement, and most are over before another
/// thread has begun: to wake one costs more than it helps. So DuckDB gets no threads of its own; a statement runs on its session's, and on
/// these too once DuckDB has been at it for a while. Not where most of the time goes into the rows: a thread that waits for what another one
/// computes is busy with waiting.
/// </summary>
internal sealed class SpareThreads : IDisposable
{
    private const int StackBytes = 4 * 1024 * 1024;

    private readonly Engine _engine;
    private readonly ManualResetEventSlim _isNeeded = new();
    private volatile bool _isDisposed;
    private int _hasStarted;

    public SpareThreads(Engine engine) => _engine = engine;

    /// <summary>How many threads a statement may have: its session's own, and the spare ones.</summary>
    public static int PerStatement { get; } = Math.Max(1, Environment.ProcessorCount);

    /// <summary>Says whether there are statements that need help.</summary>
    public void Help(bool isNeeded)
    {
        if (!isNeeded)
        {
            _isNeeded.Reset();
            return;
        }
        if (Interlocked.Exchange(ref _hasStarted, 1) == 0)
        {
            for (var i = 1; i < PerStatement; i++)
                new Thread(Run, StackBytes) { IsBackground = true, Name = "endpoint spare" }.Start();
        }
        _isNeeded.Set();
    }

    public void Dispose()
    {
        _isDisposed = true;
        _isNeeded.Set();
    }

    private void Run()
    {
        while (true)
        {
            _isNeeded.Wait();
            if (_isDisposed)
                return;
            try
            {
                _engine.Work();
            }
            catch (ObjectDisposedException)
            {
                return;
            }
        }
    }
}
