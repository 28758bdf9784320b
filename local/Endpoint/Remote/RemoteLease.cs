using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Remote;

/// <summary>The cached files that a statement reads. Dispose it when the statement is done with them.</summary>
internal sealed class RemoteLease : IAsyncDisposable
{
    private readonly Func<Download, Task>? _release;
    private readonly List<Download> _held = [];
    private readonly List<RemoteFile> _files = [];
    private readonly List<TextEdit> _edits = [];

    private RemoteLease() { }

    internal RemoteLease(Func<Download, Task> release) => _release = release;

    /// <summary>Of a statement that reads no remote file.</summary>
    public static RemoteLease None { get; } = new();

    public IReadOnlyList<RemoteFile> Files => _files;

    /// <summary>Disposes it and waits for that: a session's thread does nothing else meanwhile.</summary>
    public void Release()
    {
        if (this != None)
            DisposeAsync().AsTask().GetAwaiter().GetResult();
    }

    /// <summary>The changes that make the statement read the cached files.</summary>
    public IReadOnlyList<TextEdit> Edits => _edits;

    internal void Hold(Download download)
    {
        lock (_held) _held.Add(download);
    }

    internal void Add(RemoteRead read, IReadOnlyList<RemoteFile> files)
    {
        _files.AddRange(files);
        var literals = files.Select(file => SqlText.Literal(file.Path));
        var text = files.Count == 1 && read.Form != RemoteForm.List ? literals.Single() : $"[{string.Join(", ", literals)}]";
        if (read.Form == RemoteForm.Relation && files.Count > 1) text = $"{read.Reader}({text})";
        _edits.Add(new(read.Start, read.End, text));
    }

    /// <summary>A text of DuckDB's (an error, a value of a filename column) with the URLs that the client wrote, not the cached files' names.</summary>
    public string WithUrls(string text)
    {
        foreach (var file in _files) text = text.Replace(file.Path, file.Url, StringComparison.Ordinal);
        return text;
    }

    public async ValueTask DisposeAsync()
    {
        Download[] held;
        lock (_held)
        {
            held = [.. _held];
            _held.Clear();
        }
        foreach (var download in held) await _release!(download);
    }
}
