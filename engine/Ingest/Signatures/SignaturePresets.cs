namespace MdFunctions.Engine.Ingest;

/// <summary>How a sender signs with HMAC, as its documents have it.</summary>
/// <param name="Header">The header that holds the signature, or several of them.</param>
internal sealed record HmacScheme(string Header)
{
    /// <summary>The hash: <c>sha256</c>, <c>sha1</c> or <c>sha512</c>.</summary>
    public string Algorithm { get; init; } = "sha256";

    /// <summary>How the signature is written: <c>hex</c> or <c>base64</c>.</summary>
    public string Encoding { get; init; } = "hex";

    /// <summary>How the secret is written: <c>text</c>, <c>base64</c> (<c>whsec_</c> before it is left out) or <c>hex</c>.</summary>
    public string Key { get; init; } = "text";

    /// <summary>What stands before the signature.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>What stands before an Ed25519 signature in base64; null where the sender has none.</summary>
    public string? PublicKeyPrefix { get; init; }

    /// <summary>What stands between several signatures or fields of the header; null if the header holds one signature and nothing else.</summary>
    public string? Separator { get; init; }

    /// <summary>What is signed: text with <c>{body}</c> or <c>{form}</c>, and <c>{timestamp}</c>, <c>{url}</c>, <c>{header.NAME}</c>.</summary>
    public string Signed { get; init; } = "{body}";

    /// <summary>Where the timestamp stands: <c>header.NAME</c>, or <c>field.NAME</c>, the part <c>NAME=...</c> of the signature's header; null for none.</summary>
    public string? Timestamp { get; init; }

    /// <summary>The header that names a delivery; null where there is none that is signed.</summary>
    public string? Id { get; init; }
}

/// <summary>The schemes that have names. A sender's documents and test vectors are in the tests.</summary>
internal static class SignaturePresets
{
    /// <summary>By name; where there are several, the first of whose headers one is there counts.</summary>
    public static readonly IReadOnlyDictionary<string, HmacScheme[]> All = new Dictionary<string, HmacScheme[]>(StringComparer.Ordinal)
    {
        ["github"] = [new("X-Hub-Signature-256") { Prefix = "sha256=" }],
        ["meta"] = [new("X-Hub-Signature-256") { Prefix = "sha256=" }],
        ["shopify"] = [new("X-Shopify-Hmac-Sha256") { Encoding = "base64" }],
        ["slack"] = [new("X-Slack-Signature") { Prefix = "v0=", Signed = "v0:{timestamp}:{body}", Timestamp = "header.X-Slack-Request-Timestamp" }],
        ["standard-webhooks"] = [StandardWebhooks("webhook"), StandardWebhooks("svix")],
        ["stripe"] = [new("Stripe-Signature") { Prefix = "v1=", Separator = ",", Signed = "{timestamp}.{body}", Timestamp = "field.t" }],
        ["svix"] = [StandardWebhooks("svix")],
        ["twilio"] = [new("X-Twilio-Signature") { Algorithm = "sha1", Encoding = "base64", Signed = "{url}{form}" }],
    };

    private static HmacScheme StandardWebhooks(string names) => new($"{names}-signature")
    {
        Encoding = "base64",
        Key = "base64",
        Prefix = "v1,",
        PublicKeyPrefix = "v1a,",
        Separator = " ",
        Signed = $"{{header.{names}-id}}.{{timestamp}}.{{body}}",
        Timestamp = $"header.{names}-timestamp",
        Id = $"{names}-id",
    };
}
