using System.Buffers.Binary;
using System.IO.Compression;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace MdFunctions.Engine.Http;

/// <summary>Request bodies that are small by contract and read whole.</summary>
internal static class RequestBody
{
    /// <summary>How long a body may take to arrive.</summary>
    public static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(30);

    /// <summary>Reads a body to its end, and no further than its limit; unpacks one that is sent with <c>Content-Encoding: gzip</c>.</summary>
    /// <param name="request">The request.</param>
    /// <param name="maxBytes">The most bytes it may have, as sent and unpacked.</param>
    /// <param name="what">What the body holds, for the error: <c>Parameters</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ProblemException">400: it did not arrive whole. 408: not in time. 413: it is larger. 415: it is packed otherwise.</exception>
    public static async Task<byte[]> ReadAsync(HttpRequest request, int maxBytes, string what, CancellationToken cancellationToken)
    {
        if (request.ContentLength > maxBytes)
            throw TooLarge(what, maxBytes);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(MaxTime);
        try
        {
            switch (request.Headers.ContentEncoding.ToString().ToLowerInvariant())
            {
                case "" or "identity":
                    return await ReadAsync(request.Body, maxBytes, what, limit.Token);
                case "gzip":
                    // Read before it is unpacked: what cannot be read is not the same as what cannot be unpacked.
                    return await UnpackAsync(await ReadAsync(request.Body, maxBytes, what, limit.Token), maxBytes, what, limit.Token);
                default:
                    request.HttpContext.Response.Headers.AcceptEncoding = "gzip";
                    throw new ProblemException(new Problem(415, "Unsupported content encoding", "Expected Content-Encoding: gzip, or none."));
            }
        }
        catch (BadHttpRequestException e)
        {
            throw e.StatusCode == 413 ? TooLarge(what, maxBytes) : new ProblemException(new Problem(e.StatusCode, e.StatusCode == 408 ? "Request timeout" : "Bad request", "The body did not arrive whole."));
        }
        catch (IOException)
        {
            throw new ProblemException(Problem.BadRequest("The body did not arrive whole."));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ProblemException(new Problem(408, "Request timeout", $"The body did not arrive within {Duration.Write(MaxTime)}."));
        }
    }

    /// <summary>Whether a request says that its body is JSON in UTF-8.</summary>
    public static bool IsJson(HttpRequest request) => MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && IsJson(type) && IsUtf8(type);

    /// <summary>Whether a media type is JSON, or something written in it: <c>application/cloudevents+json</c>.</summary>
    public static bool IsJson(MediaTypeHeaderValue type) =>
        type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase) || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a media type says that its text is UTF-8, or nothing about it.</summary>
    public static bool IsUtf8(MediaTypeHeaderValue type) =>
        HeaderUtilities.RemoveQuotes(type.Charset) is var charset && (charset.Length == 0 || charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase));

    /// <summary>Parses a body.</summary>
    /// <param name="body">Its bytes; a byte order mark before it is taken.</param>
    /// <param name="mayRepeat">Whether an object in it may have a name twice.</param>
    /// <exception cref="ProblemException">400: it is not JSON, or ambiguous.</exception>
    public static JsonDocument ParseJson(ReadOnlyMemory<byte> body, bool mayRepeat = false)
    {
        body = StrictJson.WithoutMark(body);
        return StrictJson.Fault(body.Span, mayRepeat) is { } fault
            ? throw new ProblemException(Problem.BadRequest($"The body {fault}."))
            : JsonDocument.Parse(body, StrictJson.Options);
    }

    private static async Task<byte[]> UnpackAsync(byte[] packed, int maxBytes, string what, CancellationToken cancellationToken)
    {
        try
        {
            await using var gzip = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress);
            var body = await ReadAsync(gzip, maxBytes, what, cancellationToken);
            // GZipStream takes a cut stream for a short one. The last four bytes say how long it should have been.
            return packed.Length >= 18 && BinaryPrimitives.ReadUInt32LittleEndian(packed.AsSpan()[^4..]) == body.Length ? body : throw new InvalidDataException();
        }
        catch (InvalidDataException)
        {
            throw new ProblemException(Problem.BadRequest("The body is not one whole gzip stream, though its Content-Encoding says so."));
        }
    }

    private static async Task<byte[]> ReadAsync(Stream body, int maxBytes, string what, CancellationToken cancellationToken)
    {
        using var buffer = new MemoryStream();
        var chunk = new byte[16 * 1024];
        for (int read; (read = await body.ReadAsync(chunk, cancellationToken)) > 0;)
        {
            buffer.Write(chunk, 0, read);
            if (buffer.Length > maxBytes)
                throw TooLarge(what, maxBytes);
        }
        return buffer.ToArray();
    }

    private static ProblemException TooLarge(string what, int maxBytes) => new(new Problem(413, "Body too large", $"{what} may take at most {maxBytes} bytes."));
}
