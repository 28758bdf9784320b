using MdFunctions.Engine.Http;

namespace MdFunctions.Engine.Ingest;

/// <summary>
/// The memory that bodies may hold together while they arrive and wait for their turn, so that a flood of webhooks is answered with 503 instead of
/// ending the process. The limit is the setting <c>Ingest:MaxBufferedBytes</c>, 128 MiB by default and 64 MiB at least.
/// </summary>
internal sealed class IngestBuffer(int limit)
{
    // A request costs memory even where its body is small.
    private const int PerRequest = 8 * 1024;
    private long _used;

    /// <summary>The most bytes that bodies hold together.</summary>
    public int Limit => limit;

    /// <summary>Reads the limit; faults go to <paramref name="settings"/>.</summary>
    public static IngestBuffer Read(Settings settings) => new(settings.Integer("Ingest:MaxBufferedBytes", 128 * 1024 * 1024, 64 * 1024 * 1024, int.MaxValue));

    /// <summary>Reads a stream to its end.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="maxBytes">The most bytes it may have.</param>
    /// <param name="seen">Gets the bytes as they arrive.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The bytes; dispose them when they are done with.</returns>
    /// <exception cref="ProblemException">413, or 503 while other bodies fill the buffer.</exception>
    public async Task<Held> ReadAsync(Stream stream, int maxBytes, Action<ReadOnlySpan<byte>> seen, CancellationToken cancellationToken)
    {
        var held = new Held(this);
        try
        {
            held.Take(PerRequest);
            var chunk = new byte[PerRequest];
            for (int read; (read = await stream.ReadAsync(chunk, cancellationToken)) > 0;)
            {
                if (held.Length + read > maxBytes)
                    throw TooLarge(maxBytes);
                seen(chunk.AsSpan(0, read));
                held.Append(chunk.AsSpan(0, read));
            }
            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>413.</summary>
    public static ProblemException TooLarge(int maxBytes) =>
        new(new Problem(413, "Body too large", $"A body may take at most {maxBytes} bytes, as sent and unpacked."));

    /// <summary>A body in memory.</summary>
    public sealed class Held(IngestBuffer owner) : IDisposable
    {
        private byte[] _bytes = [];
        private long _taken;

        /// <summary>How many bytes there are.</summary>
        public int Length { get; private set; }

        /// <summary>The bytes.</summary>
        public ReadOnlyMemory<byte> Bytes => _bytes.AsMemory(0, Length);

        /// <summary>The bytes, to be read from the start.</summary>
        public Stream Open() => new MemoryStream(_bytes, 0, Length, writable: false);

        internal void Append(ReadOnlySpan<byte> bytes)
        {
            if (Length + bytes.Length > _bytes.Length)
            {
                var capacity = Math.Max(_bytes.Length * 2, Length + bytes.Length);
                Take(capacity - _bytes.Length);
                Array.Resize(ref _bytes, capacity);
            }
            bytes.CopyTo(_bytes.AsSpan(Length));
            Length += bytes.Length;
        }

        internal void Take(int bytes)
        {
            _taken += bytes;
            if (Interlocked.Add(ref owner._used, bytes) > owner.Limit)
                throw new ProblemException(new Problem(503, "Busy", "Too many deliveries are waiting. Try again shortly.") { RetryAfter = TimeSpan.FromSeconds(5) });
        }

        /// <summary>Frees the memory.</summary>
        public void Dispose()
        {
            Interlocked.Add(ref owner._used, -_taken);
            (_taken, _bytes, Length) = (0, [], 0);
        }
    }
}
