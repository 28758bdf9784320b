using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Http;

/// <summary>Request bodies that are small by contract and read whole.</summary>
internal static class RequestBody
{
    /// <summary>Reads a body to its end, and no further than its limit.</summary>
    /// <param name="request">The request.</param>
    /// <param name="maxBytes">The most bytes it may have.</param>
    /// <param name="what">What the body holds, for the error: <c>Parameters</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ProblemException">413: it is larger.</exception>
    public static async Task<byte[]> ReadAsync(HttpRequest request, int maxBytes, string what, CancellationToken cancellationToken)
    {
        var tooLarge = new ProblemException(new Problem(413, "Body too large", $"{what} may take at most {maxBytes} bytes."));
        if (request.ContentLength > maxBytes)
            throw tooLarge;
        using var buffer = new MemoryStream();
        var chunk = new byte[16 * 1024];
        for (int read; (read = await request.Body.ReadAsync(chunk, cancellationToken)) > 0;)
        {
            buffer.Write(chunk, 0, read);
            if (buffer.Length > maxBytes)
                throw tooLarge;
        }
        return buffer.ToArray();
    }
}
