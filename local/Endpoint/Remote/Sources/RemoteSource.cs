namespace MdFunctions.Endpoint.Remote.Sources;

/// <summary>A file as its server begins to send it.</summary>
/// <param name="Content">Its bytes.</param>
/// <param name="Length">How many there will be, or null where the server does not say.</param>
/// <param name="ETag">The version that they are of, or null.</param>
internal sealed record RemoteContent(Stream Content, long? Length, string? ETag);

/// <summary>Where a remote file comes from.</summary>
internal abstract class RemoteSource(string url)
{
    /// <summary>The URL as errors and filename columns tell it.</summary>
    public string Url { get; } = url;

    /// <exception cref="EndpointException">The file cannot be read: why.</exception>
    public abstract Task<RemoteContent> OpenAsync(CancellationToken cancellation);

    /// <summary>Whether the file is still of this version. Where that cannot be told, it is not.</summary>
    public abstract Task<bool> IsUnchangedAsync(string etag, CancellationToken cancellation);
}
