using Azure;
using Azure.Storage.Blobs;

namespace MdFunctions.Endpoint.Remote.Sources;

/// <summary>
/// <c>az://container/path</c> and <c>azure://account.blob.core.windows.net/container/path</c>, by a connection string from the
/// endpoint's settings. The parts of a path may hold globs.
/// </summary>
internal sealed class AzureBlobs(string? connectionString)
{
    private BlobServiceClient? _service;

    /// <summary>The blobs that a URL names.</summary>
    /// <exception cref="EndpointException">There are none, or they cannot be listed.</exception>
    public async Task<IReadOnlyList<RemoteSource>> ExpandAsync(string url, CancellationToken cancellation)
    {
        var place = BlobPlace.Parse(url);
        var service = Service(url);
        var account = place.Account?.Split('.')[0];
        if (account is not null && account != service.AccountName)
            throw new EndpointException($"IO Error: '{url}' is in the account '{account}', but the connection string of the local endpoint is for '{service.AccountName}'");
        var container = service.GetBlobContainerClient(place.Container);
        if (!Glob.IsGlob(place.Path)) return [new BlobSource(url, container.GetBlobClient(place.Path), null)];

        var found = await ListAsync(url, container, place.Path, cancellation);
        if (found.Count == 0) throw new EndpointException($"IO Error: No files found that match the pattern \"{url}\"");
        found.Sort((a, b) => string.CompareOrdinal(a.Url, b.Url));
        return found;
    }

    private static async Task<List<RemoteSource>> ListAsync(string url, BlobContainerClient container, string path, CancellationToken cancellation)
    {
        var (pattern, before, found) = (Glob.Pattern(path), url[..^path.Length], new List<RemoteSource>());
        try
        {
            await foreach (var blob in container.GetBlobsAsync(new() { Prefix = Glob.Prefix(path) }, cancellation))
                if (pattern.IsMatch(blob.Name)) found.Add(new BlobSource(before + blob.Name, container.GetBlobClient(blob.Name), blob.Properties.ETag));
        }
        catch (Exception error) when (error is RequestFailedException or AggregateException)
        {
            throw BlobSource.Failure(url, error);
        }
        return found;
    }

    private BlobServiceClient Service(string url)
    {
        if (_service is not null) return _service;
        if (string.IsNullOrEmpty(connectionString))
            throw new EndpointException($"IO Error: '{url}' needs an Azure connection string: start the local endpoint with AZURE_STORAGE_CONNECTION_STRING set, or with --azure-connection-string");
        var options = new BlobClientOptions();
        options.Retry.MaxRetries = 1;
        options.Retry.NetworkTimeout = TimeSpan.FromSeconds(30);
        try
        {
            return _service = new(connectionString, options);
        }
        catch (Exception error) when (error is FormatException or ArgumentException or InvalidOperationException)
        {
            // What it says may quote the key.
            throw new EndpointException("IO Error: the Azure connection string of the local endpoint cannot be read");
        }
    }
}

/// <summary>What an Azure URL names.</summary>
internal sealed record BlobPlace(string? Account, string Container, string Path)
{
    public static BlobPlace Parse(string url)
    {
        var parts = url[(url.IndexOf("://", StringComparison.Ordinal) + 3)..].Split('/').AsSpan();
        string? account = null;
        var container = parts[0];
        if (url.StartsWith("abfs", StringComparison.OrdinalIgnoreCase) && container.Split('@') is [var name, var host]) (container, account) = (name, host);
        else if (container.Contains('.') && parts.Length > 1)
        {
            (account, container) = (container, parts[1]);
            parts = parts[1..];
        }
        var path = string.Join('/', parts[1..]);
        if (container == "" || path == "") throw new EndpointException($"IO Error: '{url}' must name a container and a path in it");
        return new(account, container, path);
    }
}
