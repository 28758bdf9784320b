using System.Text.Json;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>A MotherDuck access token, with what is known of it. It is a class and not a record so that nothing prints its value.</summary>
internal sealed class Token
{
    /// <summary>Reads the claims of a token; one that is no JWT (the local endpoint's) has none.</summary>
    public Token(string value, string? version, DateTimeOffset? secretExpires, DateTimeOffset fetchedAt)
    {
        (Value, Version, SecretExpires, FetchedAt) = (value, version, secretExpires, fetchedAt);
        if (Claims(value) is not { } claims)
            return;
        Region = Text(claims, "mdRegion");
        IsReadScaling = Text(claims, "tokenType")?.Contains("scaling", StringComparison.OrdinalIgnoreCase) == true;
        if (claims.TryGetProperty("exp", out var exp) && exp.ValueKind == JsonValueKind.Number && exp.TryGetInt64(out var seconds) && seconds is > 0 and < 253_402_300_800)
            TokenExpires = DateTimeOffset.FromUnixTimeSeconds(seconds);
    }

    /// <summary>What MotherDuck takes as the password.</summary>
    internal string Value { get; }

    /// <summary>The version of the Key Vault secret; null if it came from a setting.</summary>
    public string? Version { get; }

    /// <summary>When it was read.</summary>
    public DateTimeOffset FetchedAt { get; }

    /// <summary>The expiry date of the Key Vault secret; null if it has none.</summary>
    public DateTimeOffset? SecretExpires { get; }

    /// <summary>The token's own end, its claim <c>exp</c>; null if it has none.</summary>
    public DateTimeOffset? TokenExpires { get; }

    /// <summary>The earlier of the two ends; null if there is none.</summary>
    public DateTimeOffset? Expires => TokenExpires is null || SecretExpires < TokenExpires ? SecretExpires : TokenExpires;

    /// <summary>The region whose endpoint takes it, such as <c>aws-us-east-1</c>: the claim <c>mdRegion</c>.</summary>
    public string? Region { get; }

    /// <summary>Whether it is a read-scaling token, which cannot write: the claim <c>tokenType</c>.</summary>
    public bool IsReadScaling { get; }

    /// <summary>Never the value.</summary>
    public override string ToString() => "[token]";

    // The signature is MotherDuck's to check; here the claims only explain a refusal.
    private static JsonElement? Claims(string token)
    {
        if (token.Split('.') is not [_, var payload, _])
            return null;
        try
        {
            var json = JsonSerializer.Deserialize<JsonElement>(System.Buffers.Text.Base64Url.DecodeFromChars(payload));
            return json.ValueKind == JsonValueKind.Object ? json : null;
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            return null;
        }
    }

    private static string? Text(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
