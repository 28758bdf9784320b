using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Docs;

/// <summary>
/// The page: one HTML file, embedded, with its own style and script and nothing from elsewhere. It holds no data of the app, so that it needs no key; what it
/// shows it asks the API for.
/// </summary>
internal sealed partial class DocsPage
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private readonly StaticAnswer _answer;
    private readonly string _policy;

    private DocsPage(string html, SignIn? signIn)
    {
        SignIn = signIn;
        if (signIn is not null)
            html = html.Replace("<title>", $"<meta name=\"sign-in\" content=\"{HtmlEncoder.Default.Encode(JsonSerializer.Serialize(signIn, Json))}\">\n<title>", StringComparison.Ordinal);
        // The issuer gives the token to the page itself.
        var issuer = signIn?.Token is { } token ? $" {new Uri(token).GetLeftPart(UriPartial.Authority)}" : "";
        _answer = new("text/html; charset=utf-8", Encoding.UTF8.GetBytes(html));
        // Only this style and this script run: nothing that data could smuggle in.
        _policy = $"default-src 'none'; connect-src 'self'{issuer}; img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
            + $"script-src {Hash(Script().Match(html))}; style-src {Hash(Style().Match(html))}";
    }

    /// <summary>What it knows of the issuer; null where it signs nobody in.</summary>
    public SignIn? SignIn { get; }

    /// <summary>Reads the page from the assembly.</summary>
    public static DocsPage Read(SignIn? signIn)
    {
        using var reader = new StreamReader(typeof(DocsPage).Assembly.GetManifestResourceStream("docs.html")!);
        return new(reader.ReadToEnd(), signIn);
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
