namespace MdFunctions.Engine.Queries;

/// <summary>Collects an answer in a stream, up to a number of bytes.</summary>
internal sealed class StreamSink(Stream stream, long maxBytes) : ResultSink
{
    /// <summary>How many bytes there are so far.</summary>
    public long Length { get; private set; }

    /// <summary>Whether the answer was cut at its row limit; known once it is complete.</summary>
    public bool Truncated { get; private set; }

    protected override void Completing(bool truncated) => Truncated = truncated;

    /// <exception cref="ResultTooLargeException">The answer has more bytes than allowed.</exception>
    protected override async ValueTask WriteAsync(ReadOnlyMemory<byte> chunk, bool last, CancellationToken cancellationToken)
    {
        Length += chunk.Length;
        if (Length > maxBytes)
            throw new ResultTooLargeException();
        try
        {
            await stream.WriteAsync(chunk, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException("An answer could not be kept on this machine's disk until its end is known.", e); // Not MotherDuck's fault.
        }
    }
}

/// <summary>An answer is larger than what collects it can take.</summary>
internal sealed class ResultTooLargeException() : Exception("The answer is larger than what can be kept.");
