using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Queries;

/// <summary>The headers that every answer of a query has.</summary>
public static class ResponseHeaders
{
    /// <summary>Sets status, type and caching.</summary>
    public static void Write(HttpContext http, QueryTemplate query, ResultFormat format)
    {
        var response = http.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = format.ContentType;
        response.Headers.Vary = "Accept, Accept-Encoding";
        // Answers may be for one caller only; what is shared is kept in this process.
        response.Headers.CacheControl = query.Cache is { } cache
            ? $"private, max-age={((long)cache.TotalSeconds).ToString(CultureInfo.InvariantCulture)}"
            : "no-store";
    }
}
