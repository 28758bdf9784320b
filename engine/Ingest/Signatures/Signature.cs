using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MdFunctions.Engine.Templates;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Ingest;

/// <summary>How a sender proves that it knows the secret. Comparisons take the same time whatever differs.</summary>
/// <param name="Secret">The secret's name.</param>
internal abstract record Signature(string Secret)
{
    /// <summary>How far a timestamp may be from now, either way.</summary>
    public static readonly TimeSpan ReplayWindow = TimeSpan.FromMinutes(5);

    /// <summary>Whether the headers alone leave room for a valid signature: a no spares reading the body.</summary>
    public abstract bool IsPlausible(IHeaderDictionary headers, IReadOnlyList<byte[]> secrets, DateTimeOffset now);

    /// <summary>Whether one of the secrets signed these bytes, which are the body as it was sent: packed, where it is.</summary>
    public abstract bool IsValid(IHeaderDictionary headers, ReadOnlySpan<byte> body, IReadOnlyList<byte[]> secrets);

    /// <summary>Reads <c>signature</c> from front matter; faults go to the file. There is no ingest without one.</summary>
    public static Signature? Read(FrontMatter frontMatter)
    {
        if (frontMatter.Map("signature") is not { } map)
        {
            frontMatter.Fault("signature", "'signature' is missing; expected such as { scheme: github, secret: NAME }: anyone could write into the table without one");
            return null;
        }
        var scheme = map.Choice("scheme", "github", "standard-webhooks", "header");
        var secret = map.Text("secret");
        var header = map.Text("header");
        if (scheme is null)
            map.Fault("scheme", "'scheme' is missing or unknown; expected github, standard-webhooks or header");
        // Key Vault takes no other names.
        if (secret is null || secret.Length is 0 or > 118 || secret.Any(c => !char.IsAsciiLetterOrDigit(c) && c != '-'))
            map.Fault("secret", "'secret' is not a secret's name; expected letters, digits and -, such as GitHubWebhook");
        if (scheme == "header" && (header is null || header.Length == 0 || header.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))))
            map.Fault("header", "'header' is not a header's name; expected the one that carries the secret, such as X-Api-Key");
        if (scheme is not (null or "header") && header is not null)
            map.Fault("header", $"the scheme {scheme} has its own headers; 'header' belongs to the scheme header");
        map.RejectUnknown("a signature");
        return scheme switch
        {
            "github" => new GitHubSignature(secret ?? ""),
            "standard-webhooks" => new StandardWebhooksSignature(secret ?? ""),
            _ => new SharedSecret(secret ?? "", header ?? ""),
        };
    }

    /// <summary>A header's value; null unless it is there exactly once.</summary>
    private protected static string? One(IHeaderDictionary headers, string name) =>
        headers.TryGetValue(name, out var values) && values is [{ Length: > 0 } value] ? value : null;
}

/// <summary>GitHub's: <c>X-Hub-Signature-256: sha256=HEX</c>, the HMAC-SHA256 of the body.</summary>
/// <param name="Secret">The secret's name.</param>
internal sealed record GitHubSignature(string Secret) : Signature(Secret)
{
    /// <inheritdoc/>
    public override bool IsPlausible(IHeaderDictionary headers, IReadOnlyList<byte[]> secrets, DateTimeOffset now) => Given(headers) is not null;

    /// <inheritdoc/>
    public override bool IsValid(IHeaderDictionary headers, ReadOnlySpan<byte> body, IReadOnlyList<byte[]> secrets)
    {
        if (Given(headers) is not { } given)
            return false;
        var valid = false;
        foreach (var secret in secrets)
            valid |= CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(secret, body), given);
        return valid;
    }

    private static byte[]? Given(IHeaderDictionary headers)
    {
        if (One(headers, "X-Hub-Signature-256") is not ['s', 'h', 'a', '2', '5', '6', '=', .. { Length: 64 } hex])
            return null;
        var given = new byte[32];
        return Convert.FromHexString(hex, given, out _, out _) == System.Buffers.OperationStatus.Done ? given : null;
    }
}

/// <summary>
/// The Standard Webhooks specification's: <c>webhook-signature: v1,BASE64</c> (several of them, spaces between), the HMAC-SHA256 of
/// <c>webhook-id.webhook-timestamp.body</c> under the bytes that the secret's <c>whsec_BASE64</c> stands for.
/// </summary>
/// <param name="Secret">The secret's name.</param>
internal sealed record StandardWebhooksSignature(string Secret) : Signature(Secret)
{
    /// <inheritdoc/>
    public override bool IsPlausible(IHeaderDictionary headers, IReadOnlyList<byte[]> secrets, DateTimeOffset now) =>
        One(headers, "webhook-id") is not null && One(headers, "webhook-signature") is not null
        && long.TryParse(One(headers, "webhook-timestamp"), NumberStyles.None, CultureInfo.InvariantCulture, out var timestamp)
        && Math.Abs((decimal)timestamp - now.ToUnixTimeSeconds()) <= (decimal)ReplayWindow.TotalSeconds;

    /// <inheritdoc/>
    public override bool IsValid(IHeaderDictionary headers, ReadOnlySpan<byte> body, IReadOnlyList<byte[]> secrets)
    {
        var signed = Encoding.UTF8.GetBytes($"{One(headers, "webhook-id")}.{One(headers, "webhook-timestamp")}.");
        var (valid, malformed) = (false, false);
        Span<byte> bytes = stackalloc byte[64];
        foreach (var secret in secrets)
        {
            if (Key(secret) is not { } key)
            {
                malformed = true;
                continue;
            }
            using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
            hmac.AppendData(signed);
            hmac.AppendData(body);
            var expected = hmac.GetHashAndReset();
            foreach (var signature in (One(headers, "webhook-signature") ?? "").Split(' '))
            {
                if (signature.StartsWith("v1,", StringComparison.Ordinal) && Convert.TryFromBase64String(signature[3..], bytes, out var length))
                    valid |= CryptographicOperations.FixedTimeEquals(expected, bytes[..length]);
            }
        }
        // One that is malformed spoils nothing that the other signed; what neither did may come again when it is mended.
        return valid || !malformed ? valid : throw new SecretException("it, or the one before it, is not whsec_ and base64, as the scheme standard-webhooks has it");
    }

    private static byte[]? Key(byte[] secret)
    {
        var text = secret.AsSpan();
        if (text.StartsWith("whsec_"u8))
            text = text[6..];
        var key = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        return Base64.DecodeFromUtf8(text, key, out _, out var length) == System.Buffers.OperationStatus.Done && length > 0
            ? key[..length]
            : null;
    }
}

/// <summary>The secret itself in a header. Only TLS protects it: prefer a scheme that signs where the sender has one.</summary>
/// <param name="Secret">The secret's name.</param>
/// <param name="Header">The header's name.</param>
internal sealed record SharedSecret(string Secret, string Header) : Signature(Secret)
{
    /// <inheritdoc/>
    public override bool IsPlausible(IHeaderDictionary headers, IReadOnlyList<byte[]> secrets, DateTimeOffset now) => IsValid(headers, [], secrets);

    /// <inheritdoc/>
    public override bool IsValid(IHeaderDictionary headers, ReadOnlySpan<byte> body, IReadOnlyList<byte[]> secrets)
    {
        // Hashes have one length, so not even the secret's length shows.
        var given = SHA256.HashData(Encoding.UTF8.GetBytes(One(headers, Header) ?? ""));
        var valid = false;
        foreach (var secret in secrets)
            valid |= CryptographicOperations.FixedTimeEquals(SHA256.HashData(secret), given);
        return valid;
    }
}
