using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Ingest;

/// <summary>An HMAC of the body, and of what else the sender signs with it, in a header; with Standard Webhooks also an Ed25519 signature of the same, where the secret is a public key.</summary>
/// <param name="Scheme">The scheme's name.</param>
/// <param name="Secret">The secret's name.</param>
/// <param name="Schemes">How it signs; the first of whose headers one is there counts.</param>
/// <param name="Tolerance">How far the timestamp may be from now, either way.</param>
/// <param name="PublicUrl">What the sender's URL begins with; null where it is not signed.</param>
internal sealed record HmacSignature(string Scheme, string Secret, IReadOnlyList<HmacScheme> Schemes, TimeSpan Tolerance, string? PublicUrl) : Signature(Scheme, Secret)
{
    private readonly (HmacScheme Scheme, SignedText Signed, string[] Headers)[] _schemes = [.. Schemes.Select(scheme =>
    {
        var signed = SignedText.Parse(scheme.Signed)!;
        var timestamp = scheme.Timestamp?.StartsWith("header.", StringComparison.Ordinal) == true ? scheme.Timestamp["header.".Length..] : null;
        return (scheme, signed, (string[])[.. signed.Headers, .. timestamp is null ? [] : (string[])[timestamp], scheme.Header]);
    })];

    /// <summary>Whether the sender's URL is signed.</summary>
    public bool NeedsUrl => _schemes.Any(scheme => scheme.Signed.Has("url"));

    public override IReadOnlyList<(string, string)> Headers => [.. _schemes[0].Headers.Distinct(StringComparer.OrdinalIgnoreCase).Select(header => (header, Holds(header)))];

    public override IReadOnlyList<string> IdHeaders => [.. Schemes.Select(scheme => scheme.Id).OfType<string>()];

    public override SignatureCheck? Begin(HttpRequest request, IReadOnlyList<byte[]> secrets, DateTimeOffset now, out Refusal? refusal)
    {
        // Headers of two sets are never mixed: an id that is not signed could pass for one that is.
        var (scheme, signed, headers) = _schemes.FirstOrDefault(one => one.Headers.Any(request.Headers.ContainsKey), _schemes[0]);
        refusal = Array.Find(headers, header => One(request.Headers, header) is null) is { } missing ? Refusal.Missing(missing) : null;
        if (refusal is not null)
            return null;
        var fields = Fields(One(request.Headers, scheme.Header)!, scheme.Separator);
        var given = Given(fields, scheme.Prefix, scheme.Encoding, Bytes(scheme));
        var byKey = scheme.PublicKeyPrefix is { } prefix ? Given(fields, prefix, "base64", Ed25519Key.SignatureBytes) : [];
        var timestamp = Timestamp(request.Headers, scheme, fields);
        refusal = given.Length + byKey.Length == 0 ? new("signature-malformed", $"the header {scheme.Header} holds no {scheme.Prefix}{scheme.Encoding} of {Bytes(scheme)} bytes")
            : scheme.Timestamp is null ? null
            : Age(timestamp, now);
        return refusal is null ? new Check(scheme, signed, secrets, given, byKey, part => Value(part, request, timestamp), request) : null;
    }

    private static string? One(IHeaderDictionary headers, string name) => headers.TryGetValue(name, out var values) && values is [{ Length: > 0 } value] ? value : null;

    private static string[] Fields(string header, string? separator) => separator is null ? [header] : header.Split(separator, StringSplitOptions.TrimEntries);

    private static string? Timestamp(IHeaderDictionary headers, HmacScheme scheme, string[] fields) => scheme.Timestamp?.Split('.', 2) switch
    {
        null => null,
        ["header", var name] => One(headers, name),
        [_, var name] => Array.FindAll(fields, field => field.StartsWith($"{name}=", StringComparison.Ordinal)) is [var only] ? only[(name.Length + 1)..] : null,
        _ => null,
    };

    private Refusal? Age(string? timestamp, DateTimeOffset now)
    {
        if (!long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return new("timestamp", "the timestamp is missing, there twice or not a whole number");
        // Some senders count milliseconds; seconds are not that many before the year 5138.
        var age = now.ToUnixTimeSeconds() - (number >= 100_000_000_000 ? number / 1000m : number);
        var over = Math.Abs(age) - (decimal)Tolerance.TotalSeconds;
        return over <= 0 ? null : new("timestamp", string.Create(CultureInfo.InvariantCulture,
            $"the timestamp is {Math.Abs(age):0} s {(age > 0 ? "old" : "ahead")}, {over:0} s more than the {Tolerance.TotalSeconds:0} s that are allowed"));
    }

    private static byte[][] Given(string[] fields, string prefix, string encoding, int length) =>
        [.. fields.Where(field => field.StartsWith(prefix, StringComparison.Ordinal)).Select(field => Decode(field[prefix.Length..], encoding, new byte[length])).OfType<byte[]>()];

    // Only what is written as the sender writes it: other characters that stand for the same bytes are no signature of its.
    private static byte[]? Decode(string text, string encoding, byte[] bytes)
    {
        if (encoding == "hex")
            return text.Length == bytes.Length * 2 && Convert.FromHexString(text, bytes, out _, out _) == OperationStatus.Done ? bytes : null;
        return Convert.TryFromBase64String(text, bytes, out var length) && length == bytes.Length && Convert.ToBase64String(bytes) == text ? bytes : null;
    }

    private static int Bytes(HmacScheme scheme) => scheme.Algorithm switch { "sha1" => 20, "sha512" => 64, _ => 32 };

    private static byte[]? Key(byte[] secret, string form)
    {
        if (form == "text")
            return secret;
        var text = secret.AsSpan();
        if (form == "base64" && text.StartsWith("whsec_"u8))
            text = text[6..];
        var key = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length) + text.Length];
        var status = form == "base64" ? Base64.DecodeFromUtf8(text, key, out _, out var length) : Convert.FromHexString(text, key, out _, out length);
        return status == OperationStatus.Done && length > 0 ? key[..length] : null;
    }

    private string Value(SignedText.Part part, HttpRequest request, string? timestamp) => part.Kind switch
    {
        "timestamp" => timestamp!,
        "url" => $"{PublicUrl}{request.Path}{request.QueryString}",
        "header" => One(request.Headers, part.Text)!,
        _ => part.Text,
    };

    private string Holds(string header)
    {
        var scheme = Schemes[0];
        if (header == scheme.Header)
            return $"{scheme.Prefix}{scheme.Encoding} of the HMAC-{scheme.Algorithm.ToUpperInvariant()} of {scheme.Signed}";
        return header == scheme.Id ? "Names the delivery, which is stored once"
            : scheme.Timestamp == $"header.{header}" ? $"Seconds since 1970; at most {Duration.Write(Tolerance)} from now"
            : "Signed with the body";
    }

    private sealed class Check : SignatureCheck
    {
        private readonly HmacScheme _scheme;
        private readonly IncrementalHash[] _hashes;
        private readonly Ed25519Key[] _keys;
        private readonly int _secrets;
        private readonly byte[][] _given;
        private readonly byte[][] _byKey;
        private readonly SignedText.Part[] _before;
        private readonly SignedText.Part[] _behind;
        private readonly Func<SignedText.Part, string> _value;
        private readonly HttpRequest? _form;

        public Check(
            HmacScheme scheme, SignedText signed, IReadOnlyList<byte[]> secrets, byte[][] given, byte[][] byKey, Func<SignedText.Part, string> value, HttpRequest request)
        {
            (_scheme, _secrets, _given, _byKey, _value) = (scheme, secrets.Count, given, byKey, value);
            var algorithm = new HashAlgorithmName(scheme.Algorithm.ToUpperInvariant());
            var isKey = secrets.ToLookup(secret => scheme.PublicKeyPrefix is not null && Ed25519Key.IsOne(secret));
            _keys = [.. isKey[true].Select(secret => Ed25519Key.Read(secret)).OfType<Ed25519Key>()];
            _hashes = [.. isKey[false].Select(secret => Key(secret, scheme.Key)).OfType<byte[]>().Select(key => IncrementalHash.CreateHMAC(algorithm, key))];
            if (_hashes.Length + _keys.Length == 0)
                throw Malformed();
            _form = signed.Has("form") ? request : null;
            _before = [.. signed.Parts.TakeWhile(part => part.Kind is not ("body" or "form"))];
            _behind = [.. signed.Parts.Skip(_before.Length + 1)];
            AppendText(_before);
        }

        public override void Append(ReadOnlySpan<byte> bytes)
        {
            if (_form is null)
                AppendBytes(bytes);
        }

        public override Refusal? Finish(ReadOnlyMemory<byte> body)
        {
            if (_form is not null)
            {
                if (FormText(_form, body, out var text) is { } refusal)
                    return refusal;
                AppendBytes(Encoding.UTF8.GetBytes(text));
            }
            AppendText(_behind);
            var valid = false;
            foreach (var hash in _hashes)
            {
                var expected = hash.GetHashAndReset();
                foreach (var given in _given)
                    valid |= CryptographicOperations.FixedTimeEquals(expected, given);
            }
            if (_keys.Length > 0 && _byKey.Length > 0)
            {
                byte[] message = [.. Text(_before), .. body.Span, .. Text(_behind)];
                valid |= Array.Exists(_keys, key => Array.Exists(_byKey, given => key.Verifies(message, given)));
            }
            // One that is malformed spoils nothing that the other signed; what neither did may come again when it is mended.
            return valid ? null : _hashes.Length + _keys.Length == _secrets ? Refusal.NoMatch(_secrets) : throw Malformed();
        }

        public override void Dispose()
        {
            foreach (var hash in _hashes)
                hash.Dispose();
        }

        // The fields by name, each followed by its value. Another body is signed by its hash, which is in the URL.
        private static Refusal? FormText(HttpRequest request, ReadOnlyMemory<byte> body, out string text)
        {
            text = "";
            if (FormBody.IsForm(request))
            {
                text = string.Concat(FormBody.Read(body.Span).Distinct().OrderBy(field => field.Name, StringComparer.Ordinal).ThenBy(field => field.Value, StringComparer.Ordinal)
                    .Select(field => field.Name + field.Value));
                return null;
            }
            return string.Equals(request.Query["bodySHA256"], Convert.ToHexStringLower(SHA256.HashData(body.Span)), StringComparison.OrdinalIgnoreCase)
                ? null
                : new("body-hash", "the body is no form, and the query parameter bodySHA256 is missing or not its hash");
        }

        private void AppendText(SignedText.Part[] parts) => AppendBytes(Text(parts));

        private byte[] Text(SignedText.Part[] parts) => Encoding.UTF8.GetBytes(string.Concat(parts.Select(_value)));

        private void AppendBytes(ReadOnlySpan<byte> bytes)
        {
            foreach (var hash in _hashes)
                hash.AppendData(bytes);
        }

        private SecretException Malformed() => new($"it, or the one before it, is not {(_scheme.PublicKeyPrefix is not null ? "base64, with or without whsec_ before it, or whpk_ and a public key," : _scheme.Key == "base64" ? "base64" : "hexadecimal")} as the scheme has it");
    }
}
