using System.IO.Compression;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Queries;

/// <summary>Sends an answer as the response's body while it is being written, compressed where that pays.</summary>
internal sealed class ResponseSink(HttpContext http, QueryTemplate query, ResultFormat format) : ResultSink
{
    private Stream? _compressed;
    private bool _started;

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
        if (last)
            await _compressed.DisposeAsync();
        else
            await _compressed.FlushAsync(cancellationToken);
    }

    private void Start(int length, bool last)
    {
        _started = true;
        Answer.WriteHeaders(http, query, format);
        if ((last ? ContentCoding.Of(http.Request, length) : ContentCoding.Of(http.Request)) is { } coding)
        {
            http.Response.Headers.ContentEncoding = coding.Name;
            _compressed = coding.Compress(http.Response.Body, CompressionLevel.Fastest);
        }
        else if (last)
        {
            http.Response.ContentLength = length;
        }
    }
}
