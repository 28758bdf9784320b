using MdFunctions.Endpoint.Remote.Sources;

namespace MdFunctions.Endpoint.Remote;

/// <summary>A file that is, or will be, in the cache, and how many statements use it. <see cref="RemoteFiles"/> guards its state.</summary>
internal sealed class Download(RemoteSource source, string folder)
{
    /// <summary>The download belongs to all who wait for it: it is stopped when the last of them goes.</summary>
    private readonly CancellationTokenSource _stop = new();
    private bool _removed;

    public string Url => source.Url;

    /// <summary>A folder of the file's own.</summary>
    public string Folder => folder;

    public string Path { get; } = System.IO.Path.Combine(folder, CachePath.Of(source.Url));

    public int Users { get; set; }

    /// <summary>What counts down until a file that nobody uses is removed.</summary>
    public Timer? Removal { get; set; }

    public string? ETag { get; private set; }

    /// <summary>Ends when all of it is there.</summary>
    public Task Ready { get; private set; } = Task.CompletedTask;

    public void Start(long maxBytes, Action<string> log)
    {
        Ready = Task.Run(() => StoreAsync(maxBytes, log));
        // Whoever waits sees its fault; where nobody waits any more, nobody needs to.
        _ = Ready.ContinueWith(done => _ = done.Exception, TaskContinuationOptions.OnlyOnFaulted);
    }

    private async Task StoreAsync(long maxBytes, Action<string> log)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
        var (content, length, etag) = await source.OpenAsync(_stop.Token);
        await using var _ = content;
        if (length > maxBytes) throw TooLarge(length.Value, maxBytes);
        ETag = etag;
        var received = await CopyAsync(content, length, maxBytes);
        log($"read {RemoteUrl.Masked(Url)}: {received} bytes in {clock.ElapsedMilliseconds} ms");
    }

    private async Task<long> CopyAsync(Stream content, long? length, long maxBytes)
    {
        var received = 0L;
        var buffer = new byte[128 * 1024];
        await using var file = new FileStream(Path, FileMode.Create, FileAccess.Write, FileShare.Read, 1, useAsync: false);
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        try
        {
            while (true)
            {
                idle.CancelAfter(TimeSpan.FromSeconds(60));
                var count = await content.ReadAsync(buffer, idle.Token);
                if (count == 0) break;
                received += count;
                if (received > maxBytes) throw TooLarge(received, maxBytes);
                file.Write(buffer, 0, count);
            }
        }
        catch (Exception error) when (error is IOException or HttpRequestException or OperationCanceledException or Azure.RequestFailedException)
        {
            throw Cut(received, length);
        }
        return length is null || received == length ? received : throw Cut(received, length);
    }

    private EndpointException Cut(long received, long? length) => new(
        $"IO Error: The connection was cut while reading '{Url}': {received} of {length?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "an unknown number of"} bytes arrived");

    private EndpointException TooLarge(long size, long most) => new(
        $"IO Error: '{Url}' has {size} bytes or more: the local endpoint reads files of up to {most} bytes (--max-download)");

    public Task<bool> IsUnchangedAsync(RemoteSource now, CancellationToken cancellation) =>
        ETag is null ? Task.FromResult(false) : now.IsUnchangedAsync(ETag, cancellation);

    /// <summary>Stops what is still under way and removes the file.</summary>
    public async Task RemoveAsync()
    {
        if (Interlocked.Exchange(ref _removed, true)) return;
        if (Removal is not null) await Removal.DisposeAsync();
        await _stop.CancelAsync();
        await Ready.ContinueWith(_ => { }, TaskScheduler.Default);
        _stop.Dispose();
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // The endpoint's folder is gone already.
        }
    }
}
