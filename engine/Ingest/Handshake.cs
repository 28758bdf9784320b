using MdFunctions.Engine.Http;
using MdFunctions.Engine.Templates;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Ingest;

/// <summary>How a sender asks whether a URL wants its webhooks: it sends a text and wants it back. Where the text is in the body, it is signed as deliveries are.</summary>
/// <param name="Method">The request's method: <c>GET</c> or <c>POST</c>.</param>
/// <param name="Echo">The text that is answered.</param>
/// <param name="When">What must stand somewhere for a request to be a handshake; null if the text to echo alone makes it one.</param>
/// <param name="Token">Where the sender puts a secret of its own, to be compared; null if it has none.</param>
/// <param name="Secret">That secret's name; null if there is none.</param>
internal sealed record Handshake(string Method, Place Echo, (Place Place, string Value)? When, Place? Token, string? Secret)
{
    private const int MaxLength = 4096;

    private static readonly Dictionary<string, Handshake> Presets = new(StringComparer.Ordinal)
    {
        ["slack"] = new("POST", new("body", "challenge"), (new("body", "type"), "url_verification"), null, null),
        ["graph"] = new("POST", new("query", "validationToken"), null, null, null),
        ["meta"] = new("GET", new("query", "hub.challenge"), (new("query", "hub.mode"), "subscribe"), new("query", "hub.verify_token"), ""),
    };

    /// <summary>The text that a request wants back by its query string; null if it is no handshake.</summary>
    /// <exception cref="ProblemException">400: the text is too long.</exception>
    public string? Asked(HttpRequest request) =>
        Echo.Kind == "query" && Method == request.Method && (When is not { } when || when.Place.Value(request) == when.Value) ? Short(Echo.Value(request)) : null;

    /// <summary>The text that a body wants back; null if it is no handshake.</summary>
    /// <exception cref="ProblemException">400: the text is too long.</exception>
    public string? Asked(ReadOnlySpan<byte> body) =>
        Echo.Kind == "body" && (When is not { } when || Only(when.Place.Values(body)) == when.Value) ? Short(Only(Echo.Values(body))) : null;

    /// <summary>Whether a request carries the secret that it has to.</summary>
    /// <param name="request">The request.</param>
    /// <param name="secrets">The secrets that are valid.</param>
    public Refusal? Check(HttpRequest request, IReadOnlyList<byte[]> secrets) => Token?.Value(request) switch
    {
        null => new("handshake", $"{Token} is missing, or there twice"),
        var given => SharedSecret.IsOneOf(given, secrets) ? null : new("handshake", $"{Token} is not the secret {Secret}"),
    };

    /// <summary>Reads <c>handshake</c> from front matter; faults go to the file.</summary>
    /// <returns>Null if there is none.</returns>
    public static Handshake? Read(FrontMatter frontMatter)
    {
        const string secretMissing = "the handshake meta compares a secret; expected { scheme: meta, secret: NAME }, the name of the verify token's secret";
        if (!frontMatter.IsMapping("handshake"))
        {
            var named = frontMatter.Choice("handshake", [.. Presets.Keys]);
            if (named == "meta")
                frontMatter.Fault("handshake", secretMissing);
            return named is null ? null : Presets[named];
        }
        var map = frontMatter.Map("handshake")!;
        var scheme = map.Choice("scheme", [.. Presets.Keys]);
        var (echo, method, when, token) = (map.Text("echo"), map.Choice("method", "GET", "POST"), map.Text("when"), map.Text("token"));
        var secret = map.Text("secret") is null ? null : Signature.SecretName(map, "secret");
        map.RejectUnknown("a handshake");
        if (scheme is not null)
        {
            if (echo is not null || method is not null || when is not null || token is not null)
                map.Fault("scheme", $"the handshake {scheme} says itself what is echoed; 'echo', 'method', 'when' and 'token' describe one without a name");
            var preset = Presets[scheme];
            if ((preset.Secret is null) != (secret is null))
                map.Fault("secret", preset.Secret is null ? $"the handshake {scheme} compares no secret" : secretMissing);
            return preset with { Secret = secret };
        }
        var place = Place.Read(map, "echo", echo ?? "", "query.challenge or body.challenge");
        if (place.Kind == "body" && (method == "GET" || token is not null))
            map.Fault("echo", "what is echoed stands in the body, so the handshake is a POST that is signed; 'method: GET' and 'token' belong to the query string");
        if ((token is null) != (secret is null))
            map.Fault("token", "'token' and 'secret' belong together: where the sender puts its verify token, and the name of the secret that it has to be");
        return new(method ?? (place.Kind == "body" ? "POST" : "GET"), place, ReadWhen(map, when, place), token is null ? null : ReadLike(map, "token", token, "query"), secret);
    }

    private static (Place, string)? ReadWhen(FrontMatter map, string? text, Place echo)
    {
        if (text is null)
            return null;
        if (text.Split('=', 2) is [var place, { Length: > 0 } value])
            return (ReadLike(map, "when", place, echo.Kind), value);
        map.Fault("when", $"'when' is '{text}'; expected a place and its value, such as {echo.Kind}.type=verification");
        return null;
    }

    private static Place ReadLike(FrontMatter map, string key, string text, string kind)
    {
        var place = Place.Read(map, key, text, $"{kind}.{key}");
        if (place.Kind != kind)
            map.Fault(key, $"'{key}' is '{text}'; expected {kind}.NAME");
        return place;
    }

    private static string? Only(IReadOnlyList<string?> values) => values.Count == 1 ? values[0] : null;

    private static string? Short(string? text) => text is null or { Length: <= MaxLength } ? text : throw new ProblemException(Problem.BadRequest($"A handshake's text may have at most {MaxLength} characters."));
}
