using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Ingest;

/// <summary>The secret itself in a header, in the query string or in the body. Only TLS protects it: prefer a scheme that signs where the sender has one.</summary>
/// <param name="Scheme">The scheme's name.</param>
/// <param name="Secret">The secret's name.</param>
/// <param name="Place">Where it stands. In a body that has several of it, such as an array, each has to be right.</param>
internal sealed record SharedSecret(string Scheme, string Secret, Place Place) : Signature(Scheme, Secret)
{
    public override IReadOnlyList<(string, string)> Headers => Place.Kind == "header" ? [(Place.Name, "The secret")] : [];

    public override SignatureCheck? Begin(HttpRequest request, IReadOnlyList<byte[]> secrets, DateTimeOffset now, out Refusal? refusal)
    {
        refusal = null;
        if (Place.Kind == "body")
            return new Check(body => Compare(Place.Values(body.Span), secrets));
        refusal = Compare(Place.Value(request) is { } value ? [value] : [], secrets);
        return refusal is null ? new Check(_ => null) : null;
    }

    /// <summary>Whether all of some texts are one of the secrets.</summary>
    private Refusal? Compare(IReadOnlyList<string?> given, IReadOnlyList<byte[]> secrets)
    {
        if (given.Count == 0 || given.Contains(null))
            return Place.Kind == "header" ? Refusal.Missing(Place.Name) : new("field-missing", $"{Place} is missing, or there twice");
        var valid = true;
        foreach (var text in given)
            valid &= IsOneOf(text!, secrets);
        return valid ? null : Refusal.NoMatch(secrets.Count);
    }

    /// <summary>Whether a text is one of the secrets.</summary>
    public static bool IsOneOf(string text, IReadOnlyList<byte[]> secrets)
    {
        // Hashes have one length, so not even the secret's length shows.
        var given = SHA256.HashData(Encoding.UTF8.GetBytes(text));
        var valid = false;
        foreach (var secret in secrets)
            valid |= CryptographicOperations.FixedTimeEquals(SHA256.HashData(secret), given);
        return valid;
    }

    private sealed class Check(Func<ReadOnlyMemory<byte>, Refusal?> finish) : SignatureCheck
    {
        public override void Append(ReadOnlySpan<byte> bytes)
        {
        }

        public override Refusal? Finish(ReadOnlyMemory<byte> body) => finish(body);
    }
}
