namespace MdFunctions.Engine.Loads;

/// <summary>
/// The beginning of the URLs of the blobs that a load takes. Its scheme is the one that <c>$url</c> gets: <c>https</c> for blobs that anyone may read,
/// <c>az</c> for those that MotherDuck reads with a secret of type AZURE.
/// </summary>
internal sealed class BlobPrefix
{
    private readonly string _text;
    private readonly bool _azure;

    private BlobPrefix(string text, bool azure) => (_text, _azure) = (text, azure);

    /// <summary>Reads a prefix.</summary>
    /// <returns>Null if it is not one: no host or container, or with a query string, a glob or a user in it.</returns>
    public static BlobPrefix? Parse(string text)
    {
        var azure = text.StartsWith("az://", StringComparison.Ordinal);
        return Canonical(azure ? "https" + text[2..] : text) is { } url && new Uri(url) is { AbsolutePath.Length: > 1 } uri && (!azure || uri.Host.Contains('.', StringComparison.Ordinal))
            ? new(url, azure)
            : null;
    }

    /// <summary>A blob's URL in the one spelling that is compared and remembered.</summary>
    /// <returns>Null if it is not http or https, or has a query string, a fragment, a user, a glob or a control character, which would make it more than one blob's address.</returns>
    public static string? Canonical(string url) =>
        // Uri resolves dots, encoded ones too, so that no path climbs out of its prefix.
        Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http" && uri is { Query: "", Fragment: "", UserInfo: "" }
            && Uri.UnescapeDataString(uri.AbsolutePath) is var path && !path.Any(c => c is '*' or '?' or '[' or ']' or '{' or '}' or '\\' || char.IsControl(c))
            && !url.Contains('?', StringComparison.Ordinal) && !path.Split('/').Any(part => part is "." or "..")
            ? uri.AbsoluteUri
            : null;

    /// <summary>The URL that MotherDuck reads a blob at.</summary>
    /// <param name="canonical">What <see cref="Canonical"/> returned.</param>
    /// <returns>Null if the blob is not one of these.</returns>
    public string? Url(string canonical)
    {
        if (!canonical.StartsWith(_text, StringComparison.Ordinal))
            return null;
        // The path behind az:// is the blob's name itself, with nothing encoded.
        return _azure ? "az" + Uri.UnescapeDataString(canonical)["https".Length..] : canonical;
    }

    /// <summary>Reads a URL in either spelling, as a caller may give it.</summary>
    /// <returns>The URL that MotherDuck reads and the blob's canonical one; null if it is not one of these blobs.</returns>
    public string? Accept(string text) =>
        Canonical(_azure && text.StartsWith("az://", StringComparison.Ordinal) ? "https" + text[2..] : text) is { } canonical ? Url(canonical) : null;

    /// <summary>The prefix as it was written.</summary>
    public override string ToString() => _azure ? "az" + _text["https".Length..] : _text;
}
