using System.Text;
using MdFunctions.Engine.Ingest;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Tests.Ingest;

/// <summary>Checks a signature without an app around it.</summary>
internal static class SignedRequest
{
    /// <summary>Why a request is refused; null if it is not.</summary>
    public static Refusal? Refusal(
        Signature signature, HeaderDictionary headers, string body, string[] secrets, DateTimeOffset now, string contentType = "application/json", string path = "/", string query = "")
    {
        var request = new DefaultHttpContext().Request;
        foreach (var (name, value) in headers)
            request.Headers[name] = value;
        (request.Method, request.ContentType, request.Path, request.QueryString) = ("POST", contentType, path, new(query));
        using var check = signature.Begin(request, [.. secrets.Select(Encoding.UTF8.GetBytes)], now, out var refusal);
        if (check is null)
            return refusal;
        // In pieces, as it arrives.
        var bytes = Encoding.UTF8.GetBytes(body);
        foreach (var piece in bytes.Chunk(7))
            check.Append(piece);
        return check.Finish(bytes);
    }
}
