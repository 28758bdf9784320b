namespace MdFunctions.Engine.Queries;

/// <summary>
/// The memory in which answers may wait for their readers, all together, so that their connections are free for others meanwhile. One answer gets a sixteenth of
/// it at most. The limit is the setting <c>Queries:BufferBytes</c>, 64 MiB by default.
/// </summary>
internal sealed class AnswerBuffer(QueryOptions options)
{
    private readonly int _share = options.BufferBytes / 16;
    private long _used;

    /// <summary>How many bytes are in use.</summary>
    public long Used => Interlocked.Read(ref _used);

    /// <summary>Takes memory if there is some left.</summary>
    /// <param name="bytes">How much more.</param>
    /// <param name="held">How much this answer holds already.</param>
    public bool TryTake(int bytes, long held)
    {
        if (held + bytes > _share)
            return false;
        if (Interlocked.Add(ref _used, bytes) <= options.BufferBytes)
            return true;
        Return(bytes);
        return false;
    }

    /// <summary>Gives memory back.</summary>
    public void Return(long bytes) => Interlocked.Add(ref _used, -bytes);
}
