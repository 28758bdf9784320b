namespace MdFunctions.Endpoint.Remote;

/// <summary>What remote reads need to know.</summary>
internal sealed record RemoteFilesOptions(string Directory, long MaxDownload, string? AzureConnectionString, Action<string> Log);

/// <summary>Evaluates a constant expression in DuckDB: the first column of the rows of a SELECT, as text.</summary>
/// <exception cref="EndpointException">DuckDB's error.</exception>
internal delegate IReadOnlyList<string?> Evaluate(string sql);

internal sealed class RemoteFiles(RemoteFilesOptions options) : IAsyncDisposable
{
    /// <summary>Downloads what a statement reads, or shares a download that is there.</summary>
    public Task<RemoteLease> AcquireAsync(string sql, IReadOnlyList<RemoteRead> reads, Evaluate evaluate, CancellationToken cancellation) => throw new NotImplementedException();

    public ValueTask DisposeAsync() => throw new NotImplementedException(options.Directory);
}
