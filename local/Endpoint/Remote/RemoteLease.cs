using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Remote;

/// <summary>The cached files that a statement reads. Dispose it when the statement is done with them.</summary>
internal sealed class RemoteLease : IAsyncDisposable
{
    /// <summary>Of a statement that reads no remote file.</summary>
    public static RemoteLease None { get; } = new([], []);

    internal RemoteLease(IReadOnlyList<RemoteFile> files, IReadOnlyList<TextEdit> edits) => (Files, Edits) = (files, edits);

    public IReadOnlyList<RemoteFile> Files { get; }

    /// <summary>The changes that make the statement read the cached files.</summary>
    public IReadOnlyList<TextEdit> Edits { get; }

    /// <summary>A text of DuckDB's (an error, a value of a filename column) with the URLs that the client wrote, not the cached files' names.</summary>
    public string WithUrls(string text)
    {
        foreach (var file in Files) text = text.Replace(file.Path, file.Url, StringComparison.Ordinal);
        return text;
    }

    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
