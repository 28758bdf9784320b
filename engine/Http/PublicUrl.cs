using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Http;

/// <summary>
/// Where callers find the app, for links in answers. The setting <c>PublicUrl</c> says it; else the request does: <c>X-Forwarded-Proto</c>,
/// <c>X-Forwarded-Host</c> and <c>X-Forwarded-Prefix</c> of a proxy before the request's own host. A caller can write what it likes into those headers,
/// so an answer with such links is for that caller alone.
/// </summary>
internal sealed partial class PublicUrl(Settings settings)
{
    private readonly string? _setting = Read(settings);

    /// <summary>The URL that all paths start from, without a slash at its end.</summary>
    public string Of(HttpRequest request)
    {
        if (_setting is not null)
            return _setting;
        var proto = Forwarded(request, "X-Forwarded-Proto");
        var scheme = proto is "http" or "https" ? proto : request.Scheme;
        var host = Forwarded(request, "X-Forwarded-Host") is { } named && Host().IsMatch(named) ? named : request.Host.Value ?? "";
        var prefix = Forwarded(request, "X-Forwarded-Prefix") is { } path && Path().IsMatch(path) ? path.TrimEnd('/') : "";
        // A host that is none leaves links that are right from wherever the answer came.
        return Host().IsMatch(host) ? $"{scheme}://{host}{prefix}" : prefix;
    }

    /// <summary>Keeps an answer whose links come from the request's headers out of everybody else's sight.</summary>
    public void Protect(HttpResponse response)
    {
        if (_setting is null)
            response.Headers.CacheControl = "no-store";
    }

    // The first of several proxies is the one that the caller spoke to.
    private static string? Forwarded(HttpRequest request, string name) =>
        request.Headers.TryGetValue(name, out var values) ? values.ToString().Split(',')[0].Trim() : null;

    private static string? Read(Settings settings)
    {
        if (settings.Text("PublicUrl") is not { } text)
            return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url is { Query: "", Fragment: "", UserInfo: "" })
            return url.ToString().TrimEnd('/');
        settings.Fault("PublicUrl", $"expected the URL that callers use, such as https://api.example.com, not '{text}'");
        return null;
    }

    [GeneratedRegex(@"^([A-Za-z0-9]([A-Za-z0-9.-]{0,253})|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?$")]
    private static partial Regex Host();

    [GeneratedRegex("^(/[A-Za-z0-9._~-]+)+/?$")]
    private static partial Regex Path();
}
