using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Http;

/// <summary>The web sites whose pages may call the app: its own, and those of the setting <c>Cors:Origins</c>.</summary>
/// <param name="url">Where the app itself is.</param>
/// <param name="origins">The others, such as <c>https://www.example.com</c>; <c>*</c> stands for all.</param>
internal sealed class AllowedOrigins(PublicUrl url, IReadOnlyCollection<string> origins)
{
    /// <summary>Reads the setting: origins with commas between them.</summary>
    public static AllowedOrigins Read(Settings settings, PublicUrl url)
    {
        var origins = Split(settings.Text("Cors:Origins"));
        foreach (var origin in origins.Where(origin => origin != "*" && !(Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.GetLeftPart(UriPartial.Authority).Equals(origin, StringComparison.OrdinalIgnoreCase))))
            settings.Fault("Cors:Origins", $"expected origins such as https://www.example.com with commas between them, or *, not '{origin}'");
        return new(url, origins);
    }

    /// <summary>The origins in the setting's text.</summary>
    public static string[] Split(string? setting) => [.. (setting ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(origin => origin.TrimEnd('/'))];

    /// <summary>Whether a request comes from no page, from a page of the app's own, or from one that is allowed.</summary>
    public bool Allows(HttpRequest request) =>
        request.Headers.Origin.ToString() is var origin
        && (origin.Length == 0 || origins.Contains("*") || origins.Contains(origin, StringComparer.OrdinalIgnoreCase)
            || (Uri.TryCreate(url.Of(request), UriKind.Absolute, out var own) && own.GetLeftPart(UriPartial.Authority).Equals(origin, StringComparison.OrdinalIgnoreCase)));
}
