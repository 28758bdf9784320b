using System.Text;
using System.Text.RegularExpressions;

namespace MdFunctions.Engine.Loads;

/// <summary>One blob, however its URL is spelt.</summary>
/// <param name="Origin">Scheme and host. Azure's <c>dfs.</c> and <c>blob.</c> hosts are two doors to one place: it is the second.</param>
/// <param name="Path">Container and name as they are, with nothing encoded, after a slash.</param>
internal sealed partial record BlobUrl(string Origin, string Path)
{
    /// <summary>Reads an http or https URL, whose path is encoded.</summary>
    /// <returns>Null if it is none, or has a query string, a fragment, a user, a glob or a control character, which would make it more than one blob's address.</returns>
    public static BlobUrl? FromHttp(string text) =>
        text.AsSpan().IndexOfAny('?', '#') < 0 && Split(text) is var (origin, path) ? Make(origin, Decode(path)) : null;

    /// <summary>Reads an <c>az://</c> URL, whose path is the blob's name itself.</summary>
    /// <returns>Null if it is none.</returns>
    public static BlobUrl? FromAzure(string text) =>
        text.StartsWith("az://", StringComparison.Ordinal) && Split("https" + text[2..]) is var (origin, path) ? Make(origin, path) : null;

    /// <summary>
    /// Reads the URL of a storage event. Storage does not encode it throughout: <c>#</c> and <c>?</c> arrive as they are. The event's subject holds the name
    /// as it is, and tells whether a percent sign belongs to it.
    /// </summary>
    /// <param name="text">The event's <c>data.url</c>.</param>
    /// <param name="subject">The event's subject, <c>/blobServices/default/containers/CONTAINER/blobs/NAME</c>; null where it has none.</param>
    /// <returns>Null if it is not the URL of one blob.</returns>
    public static BlobUrl? FromEvent(string text, string? subject)
    {
        if (Split(text) is not var (origin, path))
            return null;
        var name = subject is not null && Subject().Match(subject) is { Success: true } match ? $"/{match.Groups["container"].Value}/{match.Groups["name"].Value}" : null;
        // In the emulator the account's name is the first part of the path.
        return Make(origin, name is not null && path.EndsWith(name, StringComparison.Ordinal) ? path : Decode(path));
    }

    /// <summary>A path as a URL has it.</summary>
    public static string Encode(string path)
    {
        var text = new StringBuilder(path.Length);
        foreach (var b in Encoding.UTF8.GetBytes(path))
        {
            if (char.IsAsciiLetterOrDigit((char)b) || "-._~/!$&'()*+,;=:@".Contains((char)b, StringComparison.Ordinal))
                text.Append((char)b);
            else
                text.Append('%').Append(b.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
        }
        return text.ToString();
    }

    /// <summary>The blob's URL in the one spelling that is remembered.</summary>
    public override string ToString() => Origin + Encode(Path);

    private static BlobUrl? Make(string origin, string? path) =>
        path is null || path.Any(c => c is '*' or '[' or ']' or '{' or '}' or '\\' || char.IsControl(c)) || path.Split('/').Any(part => part is "." or "..")
            ? null
            : new(Dfs().Replace(origin, "$1.blob."), path);

    private static (string Origin, string Path)? Split(string text)
    {
        var match = Parts().Match(text);
        return match.Success && Uri.TryCreate(match.Groups["origin"].Value, UriKind.Absolute, out var uri) && uri.UserInfo.Length == 0
            ? (uri.GetLeftPart(UriPartial.Authority), match.Groups["path"].Value)
            : null;
    }

    // A percent sign without two hexadecimal digits stands for itself. Null if what is encoded is not UTF-8.
    private static string? Decode(string path)
    {
        try
        {
            return Encoded().Replace(path, run => Strict.GetString(Convert.FromHexString(run.Value.Replace("%", "", StringComparison.Ordinal))));
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    [GeneratedRegex("^(?<origin>https?://[^/?#@\\\\]+)(?<path>/.*)?\\z", RegexOptions.IgnoreCase | RegexOptions.Singleline)]
    private static partial Regex Parts();

    [GeneratedRegex("(?:%[0-9A-Fa-f]{2})+")]
    private static partial Regex Encoded();

    [GeneratedRegex(@"^(https?://[^./:]+(?:\.z[0-9]+)?)\.dfs\.(?=.*\.)")]
    private static partial Regex Dfs();

    [GeneratedRegex("/containers/(?<container>[^/]+)/blobs/(?<name>.+)\\z", RegexOptions.Singleline)]
    private static partial Regex Subject();
}
