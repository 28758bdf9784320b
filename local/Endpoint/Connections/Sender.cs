using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Connections;

/// <summary>
/// A thread that encrypts and sends a piece of a large result while its session writes the next one. One piece is under way at most, so a client
/// that does not keep up holds its session up all the same.
/// </summary>
/// <param name="send">Sends the first so many bytes of a buffer, and returns when it has, or when the client has gone.</param>
internal sealed class Sender(Action<byte[], int> send) : IDisposable
{
    private const int StackBytes = 512 * 1024;

    private readonly object _gate = new();
    private Thread? _thread;
    private byte[] _piece = [];
    private int _length;
    private bool _hasEnded;

    /// <summary>Takes what is written as soon as the piece before it is sent.</summary>
    public void Take(Output output)
    {
        lock (_gate)
        {
            WaitWithinGate();
            var next = _piece.Length > 0 && Output.IsKept(_piece) ? _piece : new byte[Output.Usual];
            _length = output.Length;
            _piece = output.Exchange(next);
            if (_thread is null)
            {
                _thread = new Thread(Run, StackBytes) { IsBackground = true, Name = "endpoint sender" };
                _thread.Start();
            }
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Returns when nothing is under way.</summary>
    public void Wait()
    {
        lock (_gate)
            WaitWithinGate();
    }

    /// <summary>Ends the thread. Its connection is closed by now, so that a piece under way holds it no longer.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _hasEnded = true;
            Monitor.PulseAll(_gate);
        }
        _thread?.Join();
    }

    private void WaitWithinGate()
    {
        while (_length > 0)
            Monitor.Wait(_gate);
    }

    private void Run()
    {
        while (true)
        {
            lock (_gate)
            {
                while (_length == 0 && !_hasEnded)
                    Monitor.Wait(_gate);
                if (_hasEnded)
                    return;
            }
            send(_piece, _length);
            lock (_gate)
            {
                _length = 0;
                Monitor.PulseAll(_gate);
            }
        }
    }
}
