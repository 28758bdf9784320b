using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Docs;

/// <summary>
/// The page: one HTML file, embedded, with its own style and script and nothing from elsewhere. It holds no data of the app, so that it needs no key; what it
/// shows it asks the API for.
/// </summary>
internal sealed partial class DocsPage
{
    private readonly StaticAnswer _answer;
    private readonly string _policy;

    private DocsPage(string html, string connects)
    {
        _answer = new("text/html; charset=utf-8", Encoding.UTF8.GetBytes(html));
        // Only this style and this script run: nothing that data could smuggle in.
        _policy = $"default-src 'none'; connect-src 'self'{connects}; img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
            + $"script-src {Hash(Script().Match(html))}; style-src {Hash(Style().Match(html))}";
    }

    /// <summary>Reads the page from the assembly.</summary>
    /// <param name="signIn">How it gets a token; null where the app asks for none.</param>
    public static DocsPage Read(SignIn? signIn = null)
    {
        using var reader = new StreamReader(typeof(DocsPage).Assembly.GetManifestResourceStream("docs.html")!);
        var html = reader.ReadToEnd();
        if (signIn is null)
            return new(html, "");
        var meta = $"<meta name=\"auth\" content=\"{HtmlEncoder.Default.Encode(JsonSerializer.Serialize(signIn, JsonSerializerOptions.Web))}\">\n</head>";
        return new(html.Replace("</head>", meta, StringComparison.Ordinal), signIn.Token is { } token ? $" {new Uri(token).GetLeftPart(UriPartial.Authority)}" : "");
    }

    /// <summary>Answers the page.</summary>
    public IResult Answer(HttpRequest request)
    {
        var headers = request.HttpContext.Response.Headers;
        headers.ContentSecurityPolicy = _policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-cache";
        return _answer;
    }

    private static string Hash(Match element) => $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(element.Groups[1].Value)))}'";

    [GeneratedRegex("<script>(.*?)</script>", RegexOptions.Singleline)]
    private static partial Regex Script();

    [GeneratedRegex("<style>(.*?)</style>", RegexOptions.Singleline)]
    private static partial Regex Style();
}

/// <summary>How the page gets a token: authorization code with PKCE.</summary>
/// <param name="Authorize">Where people sign in; null where the page is told of no client.</param>
/// <param name="Token">Where a code becomes a token.</param>
/// <param name="ClientId">The client that the page is.</param>
/// <param name="Scope">What it asks for.</param>
internal sealed record SignIn(string? Authorize, string? Token, string? ClientId, string Scope);
