using System.Globalization;
using System.IO.Compression;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Queries;

/// <summary>
/// Sends an answer as the response's body, compressed where that pays. What must be said in a header is known at the first chunk or is said in a
/// trailer.
/// </summary>
public sealed class ResponseSink(HttpContext http, QueryTemplate query, ResultFormat format) : ResultSink
{
    /// <summary>The header, or trailer, that holds the row limit an answer was cut at.</summary>
    public const string TruncatedHeader = "Result-Truncated";

    private Stream? _compressed;
    private bool _started;
    private bool _truncated;

    /// <inheritdoc/>
    public override void Dispose()
    {
        // After a failure there is no proper end to write; a whole answer has ended its compression already.
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override void Completing(bool truncated)
    {
        _truncated = truncated;
        if (!truncated)
            return;
        var limit = query.MaxRows.ToString(CultureInfo.InvariantCulture);
        if (!_started)
            http.Response.Headers[TruncatedHeader] = limit;
        else if (http.Response.SupportsTrailers())
            http.Response.AppendTrailer(TruncatedHeader, limit);
    }

    /// <inheritdoc/>
    protected override async ValueTask WriteAsync(ReadOnlyMemory<byte> chunk, bool last, CancellationToken cancellationToken)
    {
        if (!_started)
            Start(chunk.Length, last);
        if (_compressed is null)
        {
            await http.Response.BodyWriter.WriteAsync(chunk, cancellationToken);
            return;
        }
        await _compressed.WriteAsync(chunk, cancellationToken);
        await _compressed.FlushAsync(cancellationToken);
        if (last)
            await _compressed.DisposeAsync();
    }

    private void Start(int length, bool last)
    {
        _started = true;
        var response = http.Response;
        ResponseHeaders.Write(http, query, format);
        if (query.MaxRows > 0 && !last && response.SupportsTrailers())
            response.DeclareTrailer(TruncatedHeader);
        if (last && length < ContentCoding.WorthIt)
        {
            response.ContentLength = length;
            return;
        }
        if (ContentCoding.Of(http.Request) is { } coding)
        {
            response.Headers.ContentEncoding = coding.Name;
            _compressed = coding.Compress(response.Body, CompressionLevel.Fastest);
        }
    }
}
