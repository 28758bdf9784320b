using MdFunctions.Engine.Templates;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Ingest;

/// <summary>Why a delivery was refused, for the log: never a secret, never a value of the request.</summary>
/// <param name="Check">The check that failed, as metrics name it: <c>header-missing</c>, <c>signature-malformed</c>, <c>timestamp</c>, <c>no-match</c>.</param>
/// <param name="Detail">The same in words.</param>
internal sealed record Refusal(string Check, string Detail)
{
    /// <summary>A header that the scheme needs is not there, or is there more than once.</summary>
    public static Refusal Missing(string header) => new("header-missing", $"the header {header} is missing, empty or there twice");

    /// <summary>The signature is of another secret or of other bytes.</summary>
    public static Refusal NoMatch(int secrets) => secrets == 1 ? OneDoesNot : NoneDoes;

    // Made before, so that a wrong signature takes no longer than a right one.
    private static readonly Refusal OneDoesNot = new("no-match", "the secret does not match");
    private static readonly Refusal NoneDoes = new("no-match", "neither the secret nor the one before it matches");
}

/// <summary>How a sender proves that it knows the secret. Comparisons take the same time whatever differs.</summary>
/// <param name="Scheme">The scheme's name in front matter.</param>
/// <param name="Secret">The secret's name.</param>
internal abstract record Signature(string Scheme, string Secret)
{
    private static readonly string[] Schemes = [.. SignaturePresets.All.Keys, "graph", "hmac", "header", "field"];

    /// <summary>The headers that the scheme reads, each with what it holds, for documents. Where there are several sets, the first.</summary>
    public abstract IReadOnlyList<(string Name, string Holds)> Headers { get; }

    /// <summary>The headers that name a delivery where the scheme has one, the first that is there counts; else none.</summary>
    public virtual IReadOnlyList<string> IdHeaders => [];

    /// <summary>Begins to check a request.</summary>
    /// <param name="request">The request; its body is not read.</param>
    /// <param name="secrets">The secrets that are valid.</param>
    /// <param name="now">The time.</param>
    /// <param name="refusal">Why the headers alone leave no room for a valid signature, which spares reading the body.</param>
    /// <returns>Takes the body; null if there is a refusal.</returns>
    /// <exception cref="SecretException">No secret is of the form that the scheme wants.</exception>
    public abstract SignatureCheck? Begin(HttpRequest request, IReadOnlyList<byte[]> secrets, DateTimeOffset now, out Refusal? refusal);

    /// <summary>Reads <c>signature</c> from front matter; faults go to the file. There is no ingest without one.</summary>
    public static Signature? Read(FrontMatter frontMatter, string? publicUrl)
    {
        if (frontMatter.Map("signature") is not { } map)
        {
            frontMatter.Fault("signature", "'signature' is missing; expected such as { scheme: github, secret: NAME }: anyone could write into the table without one");
            return null;
        }
        var scheme = map.Choice("scheme", Schemes);
        if (scheme is null)
            map.Fault("scheme", $"'scheme' is missing or unknown; expected one of {string.Join(", ", Schemes)}");
        var secret = SecretName(map, "secret");
        var keys = new HmacKeys(map);
        var header = map.Text("header");
        var field = map.Text("field");
        map.RejectUnknown("a signature");
        if (header is not null && scheme is not ("hmac" or "header" or null))
            map.Fault("header", $"the scheme {scheme} has its own headers; 'header' belongs to the schemes hmac and header");
        if (field is not null && scheme is not ("field" or null))
            map.Fault("field", $"the scheme {scheme} reads no field; 'field' belongs to the scheme field");
        keys.FaultWhatDoesNotBelong(scheme);
        switch (scheme)
        {
            case "hmac":
                return keys.Read(secret, header, publicUrl);
            case "field" or "graph":
                var place = scheme == "graph" ? "body.value.clientState" : field ?? "";
                return new SharedSecret(scheme, secret, Place.Read(map, "field", place, "body.clientState or query.token"));
            case "header":
                if (!IsHeader(header))
                    map.Fault("header", "'header' is not a header's name; expected the one that carries the secret, such as X-Api-Key");
                return new SharedSecret(scheme, secret, new Place("header", header ?? ""));
            case null:
                return null;
            default:
                return keys.Preset(scheme, secret, publicUrl);
        }
    }

    /// <summary>Reads a secret's name; what is none goes to the file's faults.</summary>
    public static string SecretName(FrontMatter map, string key)
    {
        var secret = map.Text(key);
        // Key Vault takes no other names.
        if (secret is null || secret.Length is 0 or > 118 || secret.Any(c => !char.IsAsciiLetterOrDigit(c) && c != '-'))
            map.Fault(key, $"'{key}' is not a secret's name; expected letters, digits and -, such as GitHubWebhook");
        return secret ?? "";
    }

    /// <summary>Whether a text can be a header's name.</summary>
    public static bool IsHeader(string? name) => name is { Length: > 0 } && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}

/// <summary>A check of one request under way.</summary>
internal abstract class SignatureCheck : IDisposable
{
    /// <summary>Takes the next bytes of the body as they arrive: as they were sent, packed where they are.</summary>
    public abstract void Append(ReadOnlySpan<byte> bytes);

    /// <summary>Ends the check.</summary>
    /// <param name="body">The whole body.</param>
    /// <returns>Null if one of the secrets signed it.</returns>
    /// <exception cref="SecretException">No secret signed it, and one of them is malformed.</exception>
    public abstract Refusal? Finish(ReadOnlyMemory<byte> body);

    public virtual void Dispose()
    {
    }
}
