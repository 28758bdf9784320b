using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Http;

/// <summary>Tells callers apart, so that none takes the turns of all others.</summary>
internal static class RequestOrigin
{
    /// <summary>The function key that a request carries, by header or query string; empty for none.</summary>
    public static string Key(HttpRequest request) => request.Headers["x-functions-key"].ToString() is { Length: > 0 } header ? header : request.Query["code"].ToString();

    /// <summary>The function key of a request with the address it comes from. The last hop wrote the address at the end of its header; what stands before it anybody can send.</summary>
    public static string Of(HttpRequest request)
    {
        var key = Key(request);
        var hops = request.Headers["X-Forwarded-For"].ToString();
        var address = hops.AsSpan(hops.LastIndexOf(',') + 1).Trim();
        // 203.0.113.7:51234 or [2001:db8::1]:51234: each connection has a port of its own.
        var port = address.LastIndexOf(':');
        if (port > 0 && (address[port - 1] == ']' || address.IndexOf(':') == port))
            address = address[..port];
        return key.Length == 0 ? address.ToString() : $"{key}\n{address}";
    }
}
