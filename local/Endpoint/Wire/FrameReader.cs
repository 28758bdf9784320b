using System.Buffers.Binary;

namespace MdFunctions.Endpoint.Wire;

/// <summary>Cuts the stream of bytes into messages; bytes may arrive split or joined anywhere.</summary>
internal sealed class FrameReader(int maxMessage)
{
    private const int Initial = 8 * 1024;
    private const int MaxStartup = 10_000;

    private byte[] _buffer = new byte[Initial];
    private int _start;
    private int _end;

    /// <summary>Bytes that have arrived and are not read yet.</summary>
    public int Waiting => _end - _start;

    /// <summary>Room for bytes that arrive; <see cref="Arrived"/> says how many did.</summary>
    public Memory<byte> Room()
    {
        if (_start == _end)
        {
            _start = _end = 0;
            if (_buffer.Length > 16 * Initial)
                _buffer = new byte[Initial];
        }
        if (_buffer.Length - _end < Initial / 2)
            MakeRoom();
        return _buffer.AsMemory(_end);
    }

    public void Arrived(int count) => _end += count;

    /// <summary>The next message if all of it is here. Its body is valid until more bytes arrive.</summary>
    /// <param name="isStartup">A start-up message has no type byte.</param>
    /// <param name="type">Its type; NUL for a start-up message.</param>
    /// <param name="body">Its body.</param>
    /// <exception cref="EndpointException">Its length is none that a message can have.</exception>
    public bool TryNext(bool isStartup, out char type, out ReadOnlyMemory<byte> body)
    {
        type = '\0';
        body = default;
        var header = isStartup ? 4 : 5;
        if (Waiting < header)
            return false;
        var length = BinaryPrimitives.ReadInt32BigEndian(_buffer.AsSpan(_start + header - 4));
        var limit = isStartup ? Math.Min(maxMessage, MaxStartup) : maxMessage;
        if (length < 4)
            throw EndpointException.Fatal($"invalid message length {length}", SqlState.ProtocolViolation);
        if (length > limit)
            throw EndpointException.Fatal($"a message of {length} bytes is larger than the limit of {limit} bytes", SqlState.ProtocolViolation);
        var whole = header - 4 + length;
        if (Waiting < whole)
        {
            Expect(whole);
            return false;
        }
        type = isStartup ? '\0' : (char)_buffer[_start];
        body = _buffer.AsMemory(_start + header, length - 4);
        _start += whole;
        return true;
    }

    // A large message is read into a buffer that grows with what has arrived, not with what its length promises.
    private void Expect(int whole)
    {
        if (_start > 0 && _start + whole > _buffer.Length)
            Compact(_buffer);
    }

    private void MakeRoom()
    {
        var room = _buffer.Length - Waiting < Initial / 2 ? new byte[Math.Max(_buffer.Length * 2, Initial)] : _buffer;
        Compact(room);
    }

    private void Compact(byte[] target)
    {
        Buffer.BlockCopy(_buffer, _start, target, 0, Waiting);
        (_end, _start) = (Waiting, 0);
        _buffer = target;
    }
}
