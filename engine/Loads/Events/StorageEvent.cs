using System.Text.Json;
using System.Text.RegularExpressions;

namespace MdFunctions.Engine.Loads;

/// <summary>An event of Azure Event Grid, in its own schema or as a CloudEvent.</summary>
/// <param name="Type">What happened, such as <c>Microsoft.Storage.BlobCreated</c>.</param>
/// <param name="Blob">The blob that is there now; null for an event of another kind.</param>
/// <param name="Version">What tells this version of the blob from others: its ETag.</param>
/// <param name="Bytes">The blob's size, where it is told.</param>
internal sealed partial record StorageEvent(string Type, BlobUrl? Blob, string? Version, long? Bytes)
{
    /// <summary>What must be sent back to prove that this endpoint wants events; null for a real event.</summary>
    public string? ValidationCode { get; private init; }

    /// <summary>Why the blob is not a file to load, as for a folder or one that is still to be written; null if it is one.</summary>
    public string? NoFile { get; private init; }

    /// <summary>Reads an event; one from a dead-letter store has some members more.</summary>
    /// <returns>Null if it is neither schema's, or says of a blob that it was created but not which.</returns>
    public static StorageEvent? Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty("data", out var data) || data.ValueKind != JsonValueKind.Object)
            return null;
        var cloud = Text(json, "specversion") is not null;
        if (Text(json, cloud ? "type" : "eventType") is not { } type || (cloud && Text(json, "specversion") != "1.0"))
            return null;
        var isRenamed = type == "Microsoft.Storage.BlobRenamed";
        if (!isRenamed && type != "Microsoft.Storage.BlobCreated")
            return new(type, null, null, null) { ValidationCode = type == "Microsoft.EventGrid.SubscriptionValidationEvent" ? Text(data, "validationCode") : null };
        long? bytes = data.TryGetProperty("contentLength", out var length) && length.ValueKind == JsonValueKind.Number && length.TryGetInt64(out var number) ? number : null;
        // A renamed blob keeps its ETag, but its event need not tell it.
        var version = Text(data, "eTag")?.Trim('"') is { Length: > 0 } etag ? etag
            : isRenamed && (Text(data, "sequencer") ?? Text(json, "id")) is { } sequencer ? $"renamed {sequencer}" : null;
        var url = (isRenamed ? Text(data, "destinationUrl") : null) ?? Text(data, "url");
        return url is not null && version is not null && BlobUrl.FromEvent(url, Text(json, "subject")) is { } blob
            ? new(type, blob, version, bytes) { NoFile = WhyNoFile(data, blob.Path, bytes) }
            : null;
    }

    private static string? WhyNoFile(JsonElement data, string path, long? bytes)
    {
        if (path.EndsWith('/') || Text(data, "contentType") == "httpd/unix-directory" || Text(data, "api") == "CreateDirectory")
            return "it is a folder";
        // Whoever writes a file piece by piece makes it first, empty, and another event follows when it is there.
        if (bytes == 0 || Text(data, "api") is "CreateFile" or "SftpCreate")
            return "it is empty";
        return Marker().IsMatch(path) ? "it is a mark that a job left, not data" : null;
    }

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    // What Hadoop, Spark and Databricks write beside their files.
    [GeneratedRegex(@"/(_SUCCESS|_(committed|started)_[0-9]+|_metadata|_common_metadata|_temporary/.*|\.[^/]*\.crc)\z")]
    private static partial Regex Marker();
}
