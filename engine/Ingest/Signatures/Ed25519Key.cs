using System.Buffers;
using System.Buffers.Text;
using NSec.Cryptography;

namespace MdFunctions.Engine.Ingest;

/// <summary>
/// A sender's public key, as Standard Webhooks writes it: <c>whpk_</c> and base64. What it verifies nobody but the sender can sign, whoever reads the secret here. .NET has no Ed25519;
/// NSec is libsodium, and is loaded where such a key is used only.
/// </summary>
internal sealed class Ed25519Key
{
    /// <summary>The bytes of a signature.</summary>
    public const int SignatureBytes = 64;

    private readonly PublicKey _key;

    private Ed25519Key(PublicKey key) => _key = key;

    /// <summary>Whether a secret says that it is a public key.</summary>
    public static bool IsOne(ReadOnlySpan<byte> secret) => secret.StartsWith("whpk_"u8);

    /// <summary>Reads a key; null if it is none.</summary>
    public static Ed25519Key? Read(ReadOnlySpan<byte> secret)
    {
        var bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(secret.Length)];
        return Base64.DecodeFromUtf8(secret["whpk_".Length..], bytes, out _, out var length) == OperationStatus.Done
            && PublicKey.TryImport(SignatureAlgorithm.Ed25519, bytes.AsSpan(0, length), KeyBlobFormat.RawPublicKey, out var key) ? new(key!) : null;
    }

    /// <summary>Whether a signature of these bytes is the sender's.</summary>
    public bool Verifies(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> signature) => SignatureAlgorithm.Ed25519.Verify(_key, bytes, signature);
}
