using MdFunctions.Engine.Templates;

namespace MdFunctions.Engine.Ingest;

/// <summary>The keys of <c>signature</c> in front matter that describe an HMAC: all of them with the scheme <c>hmac</c>, <c>tolerance</c> with the presets.</summary>
internal sealed class HmacKeys(FrontMatter map)
{
    /// <summary>How far a timestamp may be from now, either way, unless <c>tolerance</c> says otherwise.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    private static readonly string[] OfHmacOnly = ["algorithm", "encoding", "key", "prefix", "separator", "signed", "timestamp"];

    private readonly string _algorithm = map.Choice("algorithm", "sha256", "sha1", "sha512") ?? "sha256";
    private readonly string _encoding = map.Choice("encoding", "hex", "base64") ?? "hex";
    private readonly string _key = map.Choice("key", "text", "base64", "hex") ?? "text";
    private readonly string _prefix = map.Text("prefix") ?? "";
    private readonly string? _separator = map.Text("separator");
    private readonly string _signed = map.Text("signed") ?? "{body}";
    private readonly string? _timestamp = map.Text("timestamp");
    private readonly TimeSpan _tolerance = map.Duration("tolerance", TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)) ?? Tolerance;

    /// <summary>Faults keys that another scheme than theirs does not read.</summary>
    public void FaultWhatDoesNotBelong(string? scheme)
    {
        if (scheme is null or "hmac")
            return;
        foreach (var key in OfHmacOnly.Where(map.Keys.Contains))
            map.Fault(key, $"the scheme {scheme} says itself what is signed and how; '{key}' belongs to the scheme hmac");
        if (map.Keys.Contains("tolerance") && !(SignaturePresets.All.TryGetValue(scheme, out var preset) && preset[0].Timestamp is not null))
            map.Fault("tolerance", $"the scheme {scheme} has no timestamp that 'tolerance' could bound");
    }

    /// <summary>A scheme that has a name.</summary>
    public HmacSignature Preset(string scheme, string secret, string? publicUrl) => Checked(new(scheme, secret, SignaturePresets.All[scheme], _tolerance, publicUrl), "scheme");

    /// <summary>The scheme <c>hmac</c>; faults go to the file.</summary>
    public Signature? Read(string secret, string? header, string? publicUrl)
    {
        if (!Signature.IsHeader(header))
            map.Fault("header", "'header' is not a header's name; expected the one that carries the signature, such as X-Signature");
        if (SignedText.Parse(_signed) is not { } signed)
        {
            map.Fault("signed", $"'signed' is '{_signed}'; expected {{body}} once (or {{form}}), with {{timestamp}}, {{url}}, {{header.NAME}} and other text around it as the sender has it");
            return null;
        }
        if (_separator is "")
            map.Fault("separator", "'separator' is empty; expected what stands between the signatures of the header, such as ','");
        if (_timestamp is not null && !(_timestamp.Split('.', 2) is ["header" or "field", var name] && Signature.IsHeader(name)))
            map.Fault("timestamp", $"'timestamp' is '{_timestamp}'; expected header.NAME, or field.NAME for the part NAME=... of the signature's header");
        if (_timestamp?.StartsWith("field.", StringComparison.Ordinal) == true && _separator is null)
            map.Fault("timestamp", "'timestamp' is a field of the signature's header, and 'separator' does not say what stands between its fields");
        if (_timestamp is null && signed.Has("timestamp"))
            map.Fault("signed", "'signed' has {timestamp}, and 'timestamp' does not say where it stands");
        if (_timestamp is not null && !signed.Has("timestamp"))
            map.Fault("timestamp", "'timestamp' is not in 'signed': one that is not signed protects from nothing");
        if (_timestamp is null && map.Keys.Contains("tolerance"))
            map.Fault("tolerance", "'tolerance' bounds a timestamp, and there is no 'timestamp'");
        var scheme = new HmacScheme(header ?? "") { Algorithm = _algorithm, Encoding = _encoding, Key = _key, Prefix = _prefix, Separator = _separator, Signed = _signed, Timestamp = _timestamp };
        return Checked(new("hmac", secret, [scheme], _tolerance, publicUrl), "signed");
    }

    // Whoever calls can write any host into a request.
    private HmacSignature Checked(HmacSignature signature, string key)
    {
        if (signature.NeedsUrl && signature.PublicUrl is null)
            map.Fault(key, "the URL is signed, so the setting PublicUrl has to say what it is outside, such as https://APP.azurewebsites.net");
        return signature;
    }
}
