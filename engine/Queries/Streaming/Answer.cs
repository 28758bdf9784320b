using System.Globalization;
using System.IO.Compression;
using MdFunctions.Engine.Access;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace MdFunctions.Engine.Queries;

/// <summary>What all answers of queries have in common, streamed, spooled or cached.</summary>
internal static class Answer
{
    /// <summary>The header that holds the row limit an answer was cut at.</summary>
    public const string TruncatedHeader = "Result-Truncated";

    /// <summary>Sets status, type and caching.</summary>
    public static void WriteHeaders(HttpContext http, QueryTemplate query, ResultFormat format)
    {
        var response = http.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = format.ContentType;
        response.Headers.Vary = Caller.IsNamed(http) ? "Accept, Accept-Encoding, Authorization" : "Accept, Accept-Encoding";
        if (format.FileName(http.Request, query) is { } fileName)
        {
            var disposition = new ContentDispositionHeaderValue("attachment");
            disposition.SetHttpFileName(fileName);
            response.Headers.ContentDisposition = disposition.ToString();
        }
        // Answers may be for one caller only; what is shared is kept in this process.
        response.Headers.CacheControl = query.Cache is { } cache
            ? $"private, max-age={((long)cache.TotalSeconds).ToString(CultureInfo.InvariantCulture)}"
            : "no-store";
    }

    /// <summary>Marks an answer that is cut at its row limit. A header, as neither Kestrel nor the Functions host has trailers in HTTP/1.1.</summary>
    public static void MarkTruncated(HttpContext http, QueryTemplate query) =>
        http.Response.Headers[TruncatedHeader] = query.MaxRows.ToString(CultureInfo.InvariantCulture);

    /// <summary>Sends a body that is there whole, compressed where there is a coding.</summary>
    public static async Task SendAsync(HttpContext http, ContentCoding? coding, long length, Func<Stream, Task> copyTo)
    {
        var response = http.Response;
        if (coding is null)
        {
            response.ContentLength = length;
            if (!HttpMethods.IsHead(http.Request.Method))
                await copyTo(response.Body);
            return;
        }
        response.Headers.ContentEncoding = coding.Name;
        if (HttpMethods.IsHead(http.Request.Method))
            return;
        await using var compressed = coding.Compress(response.Body, CompressionLevel.Fastest);
        await copyTo(compressed);
    }
}
