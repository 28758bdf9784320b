using System.Security.Cryptography;
using System.Text;
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

    private DocsPage(string html)
    {
        _answer = new("text/html; charset=utf-8", Encoding.UTF8.GetBytes(html));
        // Only this style and this script run: nothing that data could smuggle in.
        _policy = "default-src 'none'; connect-src 'self'; img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
            + $"script-src {Hash(Script().Match(html))}; style-src {Hash(Style().Match(html))}";
    }

    /// <summary>Reads the page from the assembly.</summary>
    public static DocsPage Read()
    {
        using var reader = new StreamReader(typeof(DocsPage).Assembly.GetManifestResourceStream("docs.html")!);
        return new(reader.ReadToEnd());
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
