using Azure;
using Azure.Storage.Blobs;

namespace MdFunctions.Endpoint.Remote.Sources;

/// <summary>A blob in Azure.</summary>
/// <param name="url">Its URL as the statement wrote it.</param>
/// <param name="blob">Where it is.</param>
/// <param name="listed">The version that a listing told of, or null where it was not listed.</param>
internal sealed class BlobSource(string url, BlobClient blob, ETag? listed) : RemoteSource(url)
{
    public override async Task<RemoteContent> OpenAsync(CancellationToken cancellation)
    {
        try
        {
            // A blob that was listed must still be the one that is read.
            var response = await blob.DownloadStreamingAsync(new() { Conditions = listed is null ? null : new() { IfMatch = listed } }, cancellation);
            return new(response.Value.Content, response.Value.Details.ContentLength, response.Value.Details.ETag.ToString());
        }
        catch (Exception error) when (error is RequestFailedException or AggregateException)
        {
            throw Failure(Url, error);
        }
    }

    public override async Task<bool> IsUnchangedAsync(string etag, CancellationToken cancellation)
    {
        if (listed is { } known) return known.ToString() == etag;
        try
        {
            return (await blob.GetPropertiesAsync(cancellationToken: cancellation)).Value.ETag.ToString() == etag;
        }
        catch (Exception error) when (error is RequestFailedException or AggregateException)
        {
            return false;
        }
    }

    /// <summary>What went wrong, in the words that a read over HTTP has for it.</summary>
    public static EndpointException Failure(string url, Exception error)
    {
        var failed = error as RequestFailedException ?? error.InnerException as RequestFailedException;
        return new(failed?.Status switch
        {
            404 => $"HTTP Error: Unable to connect to URL \"{url}\": 404 ({(failed.ErrorCode == "ContainerNotFound" ? "the container does not exist" : "the blob does not exist")}).",
            401 or 403 => $"HTTP Error: HTTP GET error on '{url}' (HTTP {failed.Status}): access is denied",
            412 => $"IO Error: '{url}' was changed while it was read",
            > 0 => $"HTTP Error: HTTP GET error on '{url}' (HTTP {failed.Status})",
            _ => $"IO Error: Could not establish connection error for HTTP GET to '{url}' ({failed?.InnerException?.GetType().Name ?? "unknown"})",
        });
    }
}
