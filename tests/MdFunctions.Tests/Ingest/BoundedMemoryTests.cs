using System.IO.Compression;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Ingest;

/// <summary>What hostile bodies cost: the process's own count of allocated bytes, with nothing else running.</summary>
[Collection("Alone")]
public sealed class BoundedMemoryTests
{
    private const int MaxBytes = 1_000_000;

    [Fact]
    public async Task A_gzip_bomb_is_refused_long_before_it_is_unpacked()
    {
        var (app, _) = await Webhook.AppAsync("a: INTEGER", more: $"maxBytes: {MaxBytes}");
        await using var __ = app;
        await app.StoreAsync("[]");
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            var spaces = new byte[1 << 20];
            spaces.AsSpan().Fill((byte)' ');
            for (var i = 0; i < 512; i++)
                gzip.Write(spaces);
        }
        Assert.InRange(packed.Length, 1, MaxBytes); // Half a gigabyte in half a megabyte.
        using var request = HostileBodyTests.Gzipped(packed.ToArray());
        var before = GC.GetTotalAllocatedBytes(precise: true);
        using var response = await app.Client.SendAsync(request);
        await response.ProblemAsync(413);
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 32 * MaxBytes);
    }

    [Fact]
    public async Task A_body_that_never_ends_is_refused_at_the_limit()
    {
        var (app, _) = await Webhook.AppAsync("a: INTEGER", more: $"maxBytes: {MaxBytes}");
        await using var __ = app;
        await app.StoreAsync("[]");
        using var request = Webhook.Request("[]"u8.ToArray());
        var endless = new Endless();
        request.Content = new StreamContent(endless) { Headers = { ContentType = new("application/json") } };
        request.Headers.TransferEncodingChunked = true;
        var before = GC.GetTotalAllocatedBytes(precise: true);
        try
        {
            using var response = await app.Client.SendAsync(request);
            await response.ProblemAsync(413);
        }
        catch (HttpRequestException)
        {
            // The app answered and closed the connection on a sender that kept on sending.
        }
        // The app answers at once; a sender that does not listen is cut off by the Functions host, at 100 MiB.
        Assert.InRange(endless.Sent, MaxBytes, 128L * MaxBytes);
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 32 * MaxBytes);
    }

    /// <summary>Spaces, up to a gigabyte of them.</summary>
    private sealed class Endless : Stream
    {
        public long Sent { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (Sent > 1L << 30)
                return 0;
            buffer.AsSpan(offset, count).Fill((byte)' ');
            Sent += count;
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
