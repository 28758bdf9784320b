namespace MdFunctions.Endpoint.Connections;

/// <summary>
/// Between TLS and the socket: TLS writes records of 16 KB, and a system call for each would cost more than what is in it. They are kept
/// until a piece is whole.
/// </summary>
internal sealed class PieceStream(Stream socket) : Stream
{
    private const int Largest = 256 * 1024;

    private byte[] _kept = new byte[1024];
    private int _count;

    /// <summary>Whether records are kept: a handshake's must not be.</summary>
    public bool IsKeeping { get; set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Sends what is kept.</summary>
    public void Send()
    {
        if (_count == 0)
            return;
        socket.Write(_kept, 0, _count);
        _count = 0;
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (!IsKeeping)
        {
            socket.Write(buffer);
            return;
        }
        if (_count + buffer.Length > Largest)
            Send();
        if (_count + buffer.Length > _kept.Length)
            Array.Resize(ref _kept, Math.Max(_kept.Length * 2, _count + buffer.Length));
        buffer.CopyTo(_kept.AsSpan(_count));
        _count += buffer.Length;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    // TLS writes asynchronously where it answers what it has read, which the session's thread may do at the same time: that is sent as it is.
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        => socket.WriteAsync(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => socket.WriteAsync(buffer, offset, count, cancellationToken);

    public override int Read(Span<byte> buffer) => socket.Read(buffer);

    public override int Read(byte[] buffer, int offset, int count) => socket.Read(buffer, offset, count);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        => socket.ReadAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => socket.ReadAsync(buffer, offset, count, cancellationToken);

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            socket.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>A TLS connection, and what it writes to.</summary>
internal sealed record SecureStream(System.Net.Security.SslStream Stream, PieceStream Pieces) : IDisposable
{
    public void Dispose() => Stream.Dispose();
}
