using System.Text.Json;

namespace MdFunctions.Engine.Loads;

/// <summary>An event of Azure Event Grid, in its own schema or as a CloudEvent.</summary>
/// <param name="Type">What happened, such as <c>Microsoft.Storage.BlobCreated</c>.</param>
/// <param name="Url">The blob; null for an event of another kind.</param>
/// <param name="ETag">The blob's version.</param>
/// <param name="Bytes">The blob's size, where it is told.</param>
/// <param name="ValidationCode">What must be sent back to prove that this endpoint wants events; null for a real event.</param>
internal sealed record StorageEvent(string Type, string? Url, string? ETag, long? Bytes, string? ValidationCode)
{
    /// <summary>Reads an event.</summary>
    /// <returns>Null if it is neither schema's, or says of a blob that it was created but not which.</returns>
    public static StorageEvent? Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty("data", out var data) || data.ValueKind != JsonValueKind.Object)
            return null;
        var cloud = Text(json, "specversion") is not null;
        if (Text(json, cloud ? "type" : "eventType") is not { } type || (cloud && Text(json, "specversion") != "1.0"))
            return null;
        var validationCode = type == "Microsoft.EventGrid.SubscriptionValidationEvent" ? Text(data, "validationCode") : null;
        // A file that was just created in a hierarchical namespace is empty; another event follows when it is written.
        if (type != "Microsoft.Storage.BlobCreated" || Text(data, "api") == "CreateFile")
            return new(type, null, null, null, validationCode);
        long? bytes = data.TryGetProperty("contentLength", out var length) && length.ValueKind == JsonValueKind.Number && length.TryGetInt64(out var number) ? number : null;
        return Text(data, "url") is { } url && Text(data, "eTag")?.Trim('"') is { Length: > 0 } etag && BlobPrefix.Canonical(url) is { } canonical
            ? new(type, canonical, etag, bytes, null)
            : null;
    }

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
