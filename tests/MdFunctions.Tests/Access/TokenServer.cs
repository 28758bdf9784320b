using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Tests.Access;

/// <summary>An OpenID Connect issuer as the app and browsers see it on the wire: metadata, keys, sign-in with PKCE; its keys rotate, and it can be down.</summary>
public sealed class TokenServer : IAsyncDisposable
{
    public const string Audience = "api://app";
    public const string ClientId = "the-page";

    private readonly ConcurrentDictionary<string, (string Challenge, string Redirect, string Nonce)> _codes = new();
    private readonly WebApplication _app;
    private (string Id, RSA Key) _key = NewKey();

    private TokenServer()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        builder.Logging.ClearProviders();
        _app = builder.Build();
        _app.UseRouting();
        _app.Use(async (context, next) =>
        {
            Interlocked.Increment(ref _requests);
            if (Down)
                context.Response.StatusCode = 503;
            else
                await next(context);
        });
        _app.MapGet("/.well-known/openid-configuration", () => Results.Json(new Dictionary<string, object>
        {
            ["issuer"] = Issuer,
            ["jwks_uri"] = $"{Authority}/keys",
            ["authorization_endpoint"] = $"{Authority}/authorize",
            ["token_endpoint"] = $"{Authority}/token",
            ["response_modes_supported"] = ResponseModes,
        }));
        _app.MapGet("/keys", () => Results.Json(new { keys = new[] { Jwk(_key) } }));
        _app.MapGet("/authorize", Authorize);
        _app.MapPost("/token", TokenAsync);
    }

    private int _requests;

    /// <summary>How often it was asked for anything.</summary>
    public int Requests => _requests;

    /// <summary>Whether it answers nothing but 503.</summary>
    public bool Down { get; set; }

    /// <summary>How it may answer a sign-in; <c>query</c> is what all can.</summary>
    public IReadOnlyList<string> ResponseModes { get; set; } = ["query", "fragment"];

    /// <summary>The error that every sign-in ends with; null for none.</summary>
    public string? SignInError { get; set; }

    /// <summary>What it makes of the state and the nonce that it was given.</summary>
    public (Func<string, string> State, Func<string, string> Nonce) Echo { get; set; } = (state => state, nonce => nonce);

    /// <summary>The claims of who signs in at its page.</summary>
    public Dictionary<string, object?> Person { get; } = new() { ["sub"] = "ann", ["name"] = "Ann", ["tid"] = "a" };

    public string Authority => _app.Urls.First();

    public string Issuer => $"{Authority}/issuer";

    /// <summary>The public key as text, which an attacker has too.</summary>
    public string PublicKey => _key.Key.ExportRSAPublicKeyPem();

    public static async Task<TokenServer> StartAsync()
    {
        var server = new TokenServer();
        await server._app.StartAsync();
        return server;
    }

    /// <summary>The settings of an app that takes its tokens.</summary>
    public Dictionary<string, string?> Settings(params (string Name, string Value)[] others)
    {
        var settings = new Dictionary<string, string?> { ["Auth:Authority"] = Authority, ["Auth:Audience"] = Audience };
        foreach (var (name, value) in others)
            settings[name] = value;
        return settings;
    }

    /// <summary>Signs with another key from now on, and publishes no other.</summary>
    public void Rotate() => _key = NewKey();

    /// <summary>A token that holds, but for what a test changes: a claim that is set to null is left out.</summary>
    public string Token(params (string Name, object? Value)[] changes) => Token(null, changes);

    /// <summary>The same with another header.</summary>
    public string Token(Action<JsonObject>? header, params (string Name, object? Value)[] changes) => Sign(Parts(header, changes));

    /// <summary>A token with another payload than JSON writers make.</summary>
    public string Token(Func<string, string> payload)
    {
        var parts = Parts(null).Split('.');
        return Sign($"{parts[0]}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload(Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[1])))))}");
    }

    private string Sign(string signed) =>
        $"{signed}.{Base64Url.EncodeToString(_key.Key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";

    /// <summary>Header and payload without a signature.</summary>
    public string Parts(Action<JsonObject>? header, params (string Name, object? Value)[] changes)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var claims = new Dictionary<string, object?>
        {
            ["iss"] = Issuer,
            ["aud"] = Audience,
            ["sub"] = "ann",
            ["name"] = "Ann",
            ["tid"] = "a",
            ["roles"] = new[] { "reader" },
            ["scp"] = "data.read",
            ["iat"] = now,
            ["nbf"] = now,
            ["exp"] = now + 600,
        };
        foreach (var (name, value) in changes)
            claims[name] = value;
        var head = new JsonObject { ["alg"] = "RS256", ["typ"] = "JWT", ["kid"] = _key.Id };
        header?.Invoke(head);
        return $"{Encode(head)}.{Encode(claims.Where(claim => claim.Value is not null).ToDictionary())}";
    }

    public static string Encode(object part) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(part));

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private static (string, RSA) NewKey() => (Guid.NewGuid().ToString("N"), RSA.Create(2048));

    private static object Jwk((string Id, RSA Key) key)
    {
        var numbers = key.Key.ExportParameters(false);
        return new { kty = "RSA", use = "sig", kid = key.Id, n = Base64Url.EncodeToString(numbers.Modulus), e = Base64Url.EncodeToString(numbers.Exponent) };
    }

    // Nobody has to type anything: the person is signed in already.
    private IResult Authorize(HttpRequest request)
    {
        var query = request.Query;
        if (query["client_id"] != ClientId || query["response_type"] != "code" || query["code_challenge_method"] != "S256" || query["code_challenge"].ToString().Length != 43)
            return Results.BadRequest();
        var code = Guid.NewGuid().ToString("N");
        // Without the scope openid nobody asks who it is.
        var isOpenId = query["scope"].ToString().Split(' ').Contains("openid");
        _codes[code] = (query["code_challenge"].ToString(), query["redirect_uri"].ToString(), isOpenId ? Echo.Nonce(query["nonce"].ToString()) : "");
        var answer = SignInError is { } error ? $"error={error}&error_description=Ann%20said%20no." : $"code={code}";
        return Results.Redirect($"{query["redirect_uri"]}{(query["response_mode"] == "fragment" ? '#' : '?')}{answer}&state={Uri.EscapeDataString(Echo.State(query["state"].ToString()))}");
    }

    private async Task<IResult> TokenAsync(HttpRequest request)
    {
        request.HttpContext.Response.Headers.AccessControlAllowOrigin = "*";
        var form = await request.ReadFormAsync();
        // A code is good once, for who began the sign-in.
        return _codes.TryRemove(form["code"].ToString(), out var begun) && form["grant_type"] == "authorization_code" && form["client_id"] == ClientId && begun.Redirect == form["redirect_uri"]
            && begun.Challenge == Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString())))
            ? Results.Json(new
            {
                access_token = Token([.. Person.Select(claim => (claim.Key, claim.Value))]),
                id_token = begun.Nonce == "" ? null : Token(("aud", ClientId), ("nonce", begun.Nonce), ("name", Person["name"])),
                token_type = "Bearer",
                expires_in = 600,
            })
            : Results.Json(new { error = "invalid_grant" }, statusCode: 400);
    }
}
