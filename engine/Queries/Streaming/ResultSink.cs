using System.Buffers;

namespace MdFunctions.Engine.Queries;

/// <summary>
/// Where an answer's bytes go: writers fill a chunk, and the chunk is handed on when it is full enough or when nothing more comes for a while.
/// </summary>
internal abstract class ResultSink : IBufferWriter<byte>, IDisposable
{
    private const int FullEnough = 32 * 1024;
    private const int Window = 4 * 1024;
    private byte[] _chunk = ArrayPool<byte>.Shared.Rent(2 * FullEnough);
    private int _length;

    /// <summary>Whether the chunk should be handed on before more is written.</summary>
    public bool IsFull => _length >= FullEnough;

    public void Advance(int count) => _length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        // A writer like Utf8JsonWriter tells what it has written only when the memory it was given is full: with all of the chunk, it would outgrow any.
        var size = Math.Max(sizeHint, Window);
        Reserve(size);
        return _chunk.AsMemory(_length, size);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        var size = Math.Max(sizeHint, Window);
        Reserve(size);
        return _chunk.AsSpan(_length, size);
    }

    /// <summary>Hands the chunk on; waits while the receiver does not take more.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (_length == 0)
            return;
        await WriteAsync(_chunk.AsMemory(0, _length), last: false, cancellationToken);
        _length = 0;
    }

    /// <summary>Hands the last chunk on and ends the answer; it may have been cut at its row limit.</summary>
    public async ValueTask CompleteAsync(bool truncated, CancellationToken cancellationToken)
    {
        Completing(truncated);
        await WriteAsync(_chunk.AsMemory(0, _length), last: true, cancellationToken);
        _length = 0;
    }

    /// <summary>Gives the chunk's memory back.</summary>
    public virtual void Dispose()
    {
        GC.SuppressFinalize(this);
        ArrayPool<byte>.Shared.Return(_chunk);
        _chunk = [];
    }

    /// <summary>Told before the last chunk is written.</summary>
    protected virtual void Completing(bool truncated)
    {
    }

    /// <summary>Takes a chunk; its memory is used again afterwards.</summary>
    protected abstract ValueTask WriteAsync(ReadOnlyMemory<byte> chunk, bool last, CancellationToken cancellationToken);

    /// <summary>Gives the chunk's memory, which is then the receiver's to return to the pool; another takes its place.</summary>
    protected byte[] TakeChunk()
    {
        var chunk = _chunk;
        _chunk = ArrayPool<byte>.Shared.Rent(2 * FullEnough);
        return chunk;
    }

    private void Reserve(int size)
    {
        if (_chunk.Length - _length >= size)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(2 * _chunk.Length, _length + size));
        _chunk.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_chunk);
        _chunk = larger;
    }
}
