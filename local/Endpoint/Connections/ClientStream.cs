using System.Net.Sockets;
using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Connections;

/// <summary>
/// A client's connection: messages in, bytes out. The session's own thread reads and writes it; only while a statement runs for
/// long does another read ahead for it, to learn whether the client is still there.
/// </summary>
internal sealed class ClientStream(Socket socket, SecureStream secure, int maxMessage) : IDisposable
{
    /// <summary>Above this many bytes waiting, input is no longer read ahead.</summary>
    private const int ReadAheadLimit = 1024 * 1024;

    private readonly FrameReader _reader = new(maxMessage);
    private readonly Lock _gate = new();
    private readonly Queue<byte[]> _ahead = new();
    private readonly SemaphoreSlim _arrived = new(0);
    private Sender? _sender;
    private int _aheadBytes;
    private bool _isReadingAhead;
    private bool _isReading;
    private volatile bool _hasEnded;

    /// <summary>Whether the client has gone, as far as we know.</summary>
    public bool HasEnded => _hasEnded;

    /// <summary>Waits for the next message. Its body is valid until the next one is asked for.</summary>
    /// <returns>False where the client has left.</returns>
    /// <exception cref="EndpointException">What arrived is no message.</exception>
    public bool Next(bool isStartup, out char type, out ReadOnlyMemory<byte> body)
    {
        while (!_reader.TryNext(isStartup, out type, out body))
        {
            if (!Fill())
                return false;
        }
        return true;
    }

    /// <summary>Sends bytes, and waits while the client does not keep up. To a client that has gone nothing is sent.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        _sender?.Wait();
        Send(bytes);
    }

    /// <summary>Sends what is written on another thread, and waits only while the piece before it is not sent yet.</summary>
    public void WriteAhead(Output output) => (_sender ??= new Sender((piece, length) => Send(piece.AsSpan(0, length)))).Take(output);

    private void Send(ReadOnlySpan<byte> bytes)
    {
        if (_hasEnded)
            return;
        try
        {
            secure.Stream.Write(bytes);
            secure.Pieces.Send();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or InvalidOperationException)
        {
            _hasEnded = true;
        }
    }

    /// <summary>Reads what the client sends meanwhile; calls <paramref name="ended"/> where it has gone.</summary>
    /// <param name="isBusy">Whether the session is still busy with its statement.</param>
    /// <param name="ended">Called once, on any thread.</param>
    public void ReadAhead(Func<bool> isBusy, Action ended)
    {
        lock (_gate)
        {
            // The statement may have ended since somebody looked. Two reads at once would fail, and the session would wait for good.
            if (_isReadingAhead || _isReading || _hasEnded || _aheadBytes > ReadAheadLimit)
                return;
            _isReadingAhead = true;
        }
        _ = ReadAheadAsync(isBusy, ended);
    }

    /// <summary>Says goodbye, and closes.</summary>
    public void Dispose()
    {
        try
        {
            if (!_hasEnded)
                secure.Stream.ShutdownAsync().Wait(100);
        }
        catch (AggregateException)
        {
        }
        socket.Dispose();
        _sender?.Dispose();
        secure.Dispose();
    }

    private async Task ReadAheadAsync(Func<bool> isBusy, Action ended)
    {
        var buffer = new byte[16 * 1024];
        for (var goOn = true; goOn;)
        {
            var count = await ReadAsync(buffer);
            lock (_gate)
            {
                if (count > 0)
                    _ahead.Enqueue(buffer[..count]);
                _aheadBytes += count;
                goOn = count > 0 && isBusy() && _aheadBytes <= ReadAheadLimit;
                _isReadingAhead = goOn;
                _hasEnded |= count == 0;
            }
            _arrived.Release();
            if (count == 0)
                ended();
        }
    }

    private async Task<int> ReadAsync(byte[] buffer)
    {
        try
        {
            return await secure.Stream.ReadAsync(buffer);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or InvalidOperationException)
        {
            return 0;
        }
    }

    private bool Fill()
    {
        while (true)
        {
            lock (_gate)
            {
                if (_ahead.TryDequeue(out var bytes))
                {
                    _aheadBytes -= bytes.Length;
                    Append(bytes);
                    return true;
                }
                if (_hasEnded)
                    return false;
                if (!_isReadingAhead)
                {
                    _isReading = true;
                    break;
                }
            }
            _arrived.Wait();
        }
        var hasRead = Read();
        lock (_gate)
            _isReading = false;
        return hasRead;
    }

    private bool Read()
    {
        try
        {
            var count = secure.Stream.Read(_reader.Room().Span);
            _reader.Arrived(count);
            _hasEnded = count == 0;
            return count > 0;
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or InvalidOperationException)
        {
            _hasEnded = true;
            return false;
        }
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var room = _reader.Room().Span;
            var count = Math.Min(room.Length, bytes.Length);
            bytes[..count].CopyTo(room);
            _reader.Arrived(count);
            bytes = bytes[count..];
        }
    }
}
