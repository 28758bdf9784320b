using System.Text.Json;
using MdFunctions.Endpoint.Policy.Rules;
using MdFunctions.Endpoint.Remote.Sources;

namespace MdFunctions.Endpoint.Remote;

/// <summary>What remote reads need to know.</summary>
/// <param name="Directory">The cache folder, the only one that statements can read.</param>
/// <param name="MaxDownload">The largest file to read, in bytes.</param>
/// <param name="AzureConnectionString">For <c>az://</c> and <c>azure://</c>, or null.</param>
/// <param name="Log">Takes a line for each file that was read.</param>
internal sealed record RemoteFilesOptions(string Directory, long MaxDownload, string? AzureConnectionString, Action<string> Log);

/// <summary>Evaluates a constant expression in DuckDB: the first column of the rows of a SELECT, as text.</summary>
/// <exception cref="EndpointException">DuckDB's error.</exception>
internal delegate IReadOnlyList<string?> Evaluate(string sql);

/// <summary>
/// Remote files. DuckDB's httpfs extension cannot be assumed to be there, so the endpoint fetches what a statement names into a cache
/// folder, and lets the statement read it from there. Statements that run at the same time share a download. It stays for a moment after
/// the last of them, as a load asks for the columns of a file before it reads the rows; who comes then reads it if the ETag says that it
/// is still the same.
/// </summary>
internal sealed class RemoteFiles(RemoteFilesOptions options) : IAsyncDisposable
{
    private static readonly TimeSpan Keep = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, Download> _downloads = [];
    private readonly AzureBlobs _azure = new(options.AzureConnectionString);

    /// <summary>Downloads what a statement reads, or shares a download that is there.</summary>
    /// <param name="sql">The statement.</param>
    /// <param name="reads">The places in it that name remote files.</param>
    /// <param name="evaluate">Evaluates a constant expression that gives URLs.</param>
    /// <param name="cancellation">Stops the waiting; a download that others wait for goes on.</param>
    /// <exception cref="EndpointException">A file cannot be read, or the statement was cancelled.</exception>
    public async Task<RemoteLease> AcquireAsync(string sql, IReadOnlyList<RemoteRead> reads, Evaluate evaluate, CancellationToken cancellation)
    {
        if (reads.Count == 0) return RemoteLease.None;
        var lease = new RemoteLease(ReleaseAsync);
        try
        {
            foreach (var read in reads) await AcquireAsync(lease, Resolved(sql, read, evaluate), cancellation);
            return lease;
        }
        catch (Exception error)
        {
            await lease.DisposeAsync();
            if (error is OperationCanceledException && cancellation.IsCancellationRequested) throw EndpointException.Interrupted();
            throw;
        }
    }

    private async Task AcquireAsync(RemoteLease lease, RemoteRead read, CancellationToken cancellation)
    {
        var sources = new List<RemoteSource>();
        foreach (var url in read.Urls)
        {
            if (url.StartsWith("http", StringComparison.OrdinalIgnoreCase)) sources.Add(new HttpSource(url));
            else sources.AddRange(await _azure.ExpandAsync(url, cancellation));
        }
        if (read.Form == RemoteForm.Single && sources.Count > 1) throw new EndpointException($"IO Error: '{read.Urls[0]}' names more than one file");

        var fetched = new RemoteFile[sources.Count];
        await Parallel.ForAsync(0, sources.Count, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellation }, async (i, stop) =>
        {
            var download = await FetchAsync(sources[i], stop);
            lease.Hold(download);
            fetched[i] = new(download.Url, download.Path);
        });
        lease.Add(read, fetched);
    }

    /// <summary>The read with the URLs that its expression gives.</summary>
    private static RemoteRead Resolved(string sql, RemoteRead read, Evaluate evaluate)
    {
        if (read.Form != RemoteForm.Expression) return read;
        string? json;
        try
        {
            json = evaluate($"SELECT CAST(to_json({sql[read.Start..read.End]}) AS VARCHAR)").FirstOrDefault();
        }
        catch (EndpointException error) when (error.Message.StartsWith("Binder Error: Referenced", StringComparison.Ordinal))
        {
            throw FileCall.DependsOnRows(read.Reader);
        }
        var (form, urls) = Urls(json, read.Reader);
        foreach (var url in urls) RemoteUrl.Check(url, read.Reader);
        return read with { Form = form, Urls = urls };
    }

    private static (RemoteForm Form, List<string> Urls) Urls(string? json, string reader)
    {
        using var value = JsonDocument.Parse(json ?? "null");
        var list = value.RootElement.ValueKind == JsonValueKind.Array;
        var items = list ? [.. value.RootElement.EnumerateArray()] : new[] { value.RootElement };
        if (Array.Exists(items, item => item.ValueKind != JsonValueKind.String))
            throw new EndpointException($"Binder Error: {reader}() takes the URL of a remote file, or a list of them, and the expression gives {Shown(value.RootElement)}");
        return (list ? RemoteForm.List : RemoteForm.Argument, [.. items.Select(item => item.GetString()!)]);
    }

    private static string Shown(JsonElement value) => value.ValueKind == JsonValueKind.Null ? "NULL" : value.GetRawText() is { Length: > 100 } text ? text[..100] + "..." : value.GetRawText();

    /// <summary>One file: the download that another statement has under way or in use, if it is still the same file, or a new one.</summary>
    private async Task<Download> FetchAsync(RemoteSource source, CancellationToken cancellation)
    {
        if (Join(source.Url) is { } known)
        {
            var underWay = !known.Ready.IsCompleted;
            try
            {
                await known.Ready.WaitAsync(cancellation);
                if (underWay || await known.IsUnchangedAsync(source, cancellation)) return known;
            }
            catch
            {
                await ReleaseAsync(known);
                throw;
            }
            Forget(known);
            await ReleaseAsync(known);
        }
        var download = Begin(source);
        try
        {
            await download.Ready.WaitAsync(cancellation);
            return download;
        }
        catch
        {
            await ReleaseAsync(download);
            throw;
        }
    }

    private Download? Join(string url)
    {
        lock (_downloads)
        {
            if (!_downloads.TryGetValue(url, out var known) || known.Ready.IsFaulted || known.Ready.IsCanceled) return null;
            known.Users++;
            known.Removal?.Change(Timeout.Infinite, Timeout.Infinite);
            return known;
        }
    }

    private Download Begin(RemoteSource source)
    {
        var download = new Download(source, Path.Combine(options.Directory, Guid.NewGuid().ToString("N"))) { Users = 1 };
        lock (_downloads) _downloads[source.Url] = download;
        download.Start(options.MaxDownload, options.Log);
        return download;
    }

    private async Task ReleaseAsync(Download download)
    {
        lock (_downloads)
        {
            if (--download.Users > 0) return;
            var current = _downloads.TryGetValue(download.Url, out var known) && known == download;
            if (current && download.Ready.IsCompletedSuccessfully && download.ETag is not null)
            {
                download.Removal ??= new(_ => _ = RemoveUnusedAsync(download));
                download.Removal.Change(Keep, Timeout.InfiniteTimeSpan);
                return;
            }
            if (current) _downloads.Remove(download.Url);
        }
        await download.RemoveAsync();
    }

    private async Task RemoveUnusedAsync(Download download)
    {
        lock (_downloads)
        {
            if (download.Users > 0) return;
            if (_downloads.TryGetValue(download.Url, out var known) && known == download) _downloads.Remove(download.Url);
        }
        await download.RemoveAsync();
    }

    private void Forget(Download download)
    {
        lock (_downloads)
        {
            if (_downloads.TryGetValue(download.Url, out var known) && known == download) _downloads.Remove(download.Url);
        }
    }

    /// <summary>Removes what is in the cache.</summary>
    public async ValueTask DisposeAsync()
    {
        Download[] left;
        lock (_downloads)
        {
            left = [.. _downloads.Values];
            _downloads.Clear();
        }
        foreach (var download in left) await download.RemoveAsync();
    }
}
