using System.IO.Compression;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace MdFunctions.Engine.Queries;

/// <summary>A way to compress an answer.</summary>
/// <param name="Name">What <c>Accept-Encoding</c> calls it.</param>
/// <param name="Compress">Wraps the stream that takes the compressed bytes; leaves it open.</param>
internal sealed record ContentCoding(string Name, Func<Stream, CompressionLevel, Stream> Compress)
{
    /// <summary>Below this many bytes an answer is sent as it is.</summary>
    public const int MinimumBytesToCompress = 1024;

    /// <summary>All codings, in the order of preference.</summary>
    public static readonly IReadOnlyList<ContentCoding> All =
    [
        new("br", (stream, level) => new BrotliStream(stream, level, leaveOpen: true)),
        new("gzip", (stream, level) => new GZipStream(stream, level, leaveOpen: true)),
    ];

    /// <summary>The coding for a body of a known length; null to send it as it is.</summary>
    public static ContentCoding? Of(HttpRequest request, long length) => length < MinimumBytesToCompress ? null : Of(request);

    /// <summary>The coding a request accepts and likes best; null for none.</summary>
    public static ContentCoding? Of(HttpRequest request)
    {
        if (!StringWithQualityHeaderValue.TryParseList(request.Headers.AcceptEncoding, out var accepted))
            return null;
        return ResultFormat.Best(All, coding => (accepted.FirstOrDefault(value => value.Value.Equals(coding.Name, StringComparison.OrdinalIgnoreCase))
            ?? accepted.FirstOrDefault(value => value.Value == "*")) is { } match ? match.Quality ?? 1 : 0);
    }
}
