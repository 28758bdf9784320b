namespace MdFunctions.Engine.Loads;

/// <summary>
/// The blobs that a load takes: what their URLs begin with and, behind a <c>*</c>, end with. The scheme is the one that <c>$url</c> gets: <c>https</c> for blobs
/// that anyone may read, <c>az</c> for those that MotherDuck reads with a secret of type AZURE.
/// </summary>
internal sealed class BlobPrefix(string written, bool azure, string origin, BlobUrl beginning, string suffix)
{
    /// <summary>Reads a prefix.</summary>
    /// <returns>Null if it is not one: no host or container, or with a query string, a user, or a glob other than one <c>*</c> behind the last slash.</returns>
    public static BlobPrefix? Parse(string text)
    {
        var azure = text.StartsWith("az://", StringComparison.Ordinal);
        var star = text.IndexOf('*', StringComparison.Ordinal);
        var (beginning, suffix) = star < 0 ? (text, "") : (text[..star], text[(star + 1)..]);
        if (suffix.AsSpan().IndexOfAny("*/?#[]{}\\") >= 0 || Parse(beginning, azure) is not { Path.Length: > 1 } url || azure && !url.Origin.Contains('.', StringComparison.Ordinal))
            return null;
        return new(text, azure, new Uri(azure ? "https" + beginning[2..] : beginning).GetLeftPart(UriPartial.Authority), url, suffix);
    }

    /// <summary>Whether a blob is one of these.</summary>
    public bool Takes(BlobUrl blob) => blob.Origin == beginning.Origin
        && blob.Path.Length >= beginning.Path.Length + suffix.Length
        && blob.Path.StartsWith(beginning.Path, StringComparison.Ordinal)
        && blob.Path.EndsWith(suffix, StringComparison.Ordinal);

    /// <summary>The URL that MotherDuck reads one of these blobs at.</summary>
    /// <returns>Null if there is none: the path behind az:// is the blob's name itself, with nothing encoded, and a question mark in it would be a glob.</returns>
    public string? Url(BlobUrl blob) =>
        !azure ? origin + BlobUrl.Encode(blob.Path)
        : blob.Path.Contains('?', StringComparison.Ordinal) ? null
        : "az" + origin["https".Length..] + blob.Path;

    /// <summary>Reads a URL as a caller may give it: as <c>$url</c> is, or as https.</summary>
    /// <returns>The URL that MotherDuck reads; null if it is not one of these blobs.</returns>
    public string? Accept(string text) => Parse(text, azure && text.StartsWith("az://", StringComparison.Ordinal)) is { } blob && Takes(blob) ? Url(blob) : null;

    private static BlobUrl? Parse(string text, bool azure) => azure ? BlobUrl.FromAzure(text) : BlobUrl.FromHttp(text);

    /// <summary>The prefix as it was written.</summary>
    public override string ToString() => written;
}
