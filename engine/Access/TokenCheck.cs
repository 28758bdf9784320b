using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MdFunctions.Engine.Http;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace MdFunctions.Engine.Access;

/// <summary>
/// Checks bearer tokens of one issuer with Microsoft.IdentityModel. The issuer's metadata and keys are read once, again in the background, and kept while the
/// issuer does not answer; a key that nobody knows has them read at once.
/// </summary>
internal sealed class TokenCheck : IDisposable
{
    private const int MaxTokenBytes = 16 * 1024;
    private const int MaxKnown = 2000;
    private static readonly TimeSpan MetadataLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Known = TimeSpan.FromMinutes(1);

    private readonly AccessOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly JsonWebTokenHandler _handler = new() { MaximumTokenSizeInBytes = MaxTokenBytes };
    private readonly HttpClient _client = new() { Timeout = MetadataLimit };
    private readonly ConfigurationManager<OpenIdConnectConfiguration> _metadata;
    private readonly MemoryCache _known = new(new MemoryCacheOptions { SizeLimit = MaxKnown });
    private readonly Lock _lock = new();
    private Task _refresh = Task.CompletedTask;
    private long? _refreshed;
    private long? _failed;

    /// <summary>Asks nobody yet.</summary>
    public TokenCheck(AccessOptions options, TimeProvider time, ILogger<TokenCheck> logger)
    {
        (_options, _time, _logger) = (options, time, logger);
        var address = $"{options.Authority}/.well-known/openid-configuration";
        _metadata = new(address, new OpenIdConnectConfigurationRetriever(), new HttpDocumentRetriever(_client) { RequireHttps = !address.StartsWith("http:", StringComparison.OrdinalIgnoreCase) })
        {
            AutomaticRefreshInterval = TimeSpan.FromHours(1),
            RefreshInterval = TimeSpan.FromSeconds(1), // How often is ours to say.
        };
    }

    /// <summary>How often an unknown key may have the issuer asked for its keys: anybody can make one up.</summary>
    internal TimeSpan UnknownKeyInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The bearer of a token; null where it is not one that the issuer made for this app and that holds now.</summary>
    /// <exception cref="ProblemException">503: the issuer's keys are not known and cannot be asked for.</exception>
    public async Task<Caller?> CheckAsync(string token)
    {
        if (token.Length > MaxTokenBytes)
            return null;
        var hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        if (_known.TryGetValue(hash, out (Caller Caller, DateTimeOffset Until) known) && known.Until > _time.GetUtcNow())
            return known.Caller;
        var metadata = await MetadataAsync();
        var result = await ValidateAsync(token, metadata);
        if (result.Exception is SecurityTokenSignatureKeyNotFoundException && await RefreshAsync(metadata) is { } newer)
            result = await ValidateAsync(token, newer);
        if (!result.IsValid || result.SecurityToken is not JsonWebToken jwt || Claims(jwt) is not { } claims)
        {
            // The kind of fault only: the library's messages can quote the token.
            _logger.LogInformation("A bearer token was refused: {Reason}", result.Exception?.GetType().Name ?? "no access token");
            return null;
        }
        var caller = new Caller(claims, _options.RolesClaim);
        if (caller.Subject is null)
            return null;
        // A signature costs as much as a small query, and the same token comes again and again. For a minute only, so that a key that is withdrawn ends soon.
        var now = _time.GetUtcNow();
        var until = jwt.ValidTo < (now + Known).UtcDateTime ? new DateTimeOffset(jwt.ValidTo, TimeSpan.Zero) : now + Known;
        if (until > now)
            _known.Set(hash, (caller, until), new MemoryCacheEntryOptions { AbsoluteExpirationRelativeToNow = until - now, Size = 1 });
        return caller;
    }

    /// <summary>The issuer's metadata.</summary>
    /// <exception cref="ProblemException">503: it has never answered, nor does it now.</exception>
    public async Task<OpenIdConnectConfiguration> MetadataAsync()
    {
        // Who waits for an issuer that is down holds up others: for some seconds nobody asks again.
        if (_failed is { } failed && _time.GetElapsedTime(failed) < MetadataLimit)
            throw Unavailable();
        try
        {
            var metadata = await _metadata.GetConfigurationAsync(CancellationToken.None).WaitAsync(2 * MetadataLimit);
            _failed = null;
            return metadata;
        }
        catch (Exception e) when (e is InvalidOperationException or TimeoutException)
        {
            _failed = _time.GetTimestamp();
            _logger.LogError("The issuer's metadata cannot be read from {Address}: {Reason}", _metadata.MetadataAddress, (e.InnerException ?? e).Message);
            throw Unavailable();
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _known.Dispose();
    }

    private static ProblemException Unavailable() =>
        new(new Problem(503, "Sign-in is not available", "The token cannot be checked: its issuer does not answer. Try again shortly.") { RetryAfter = MetadataLimit });

    private Task<TokenValidationResult> ValidateAsync(string token, OpenIdConnectConfiguration metadata) => _handler.ValidateTokenAsync(token, new TokenValidationParameters
    {
        ValidIssuer = metadata.Issuer,
        ValidAudiences = _options.Audiences,
        IssuerSigningKeys = metadata.SigningKeys,
        // Signatures with a key pair only: a secret would be the public key, which everybody has.
        ValidAlgorithms =
        [
            SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
            SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
            SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
        ],
        // A token names its key; others are not tried.
        TryAllIssuerSigningKeys = false,
        RequireSignedTokens = true,
        RequireExpirationTime = true,
        ClockSkew = TimeSpan.FromMinutes(1),
    });

    // The payload as it was signed: each claim with all of its digits. Null for an ID token, which says who signed in and is for no API.
    private static JsonElement? Claims(JsonWebToken token)
    {
        var json = Base64UrlEncoder.DecodeBytes(token.EncodedPayload);
        if (StrictJson.Fault(json) is not null)
            return null;
        using var payload = JsonDocument.Parse(json);
        return payload.RootElement.TryGetProperty("nonce", out _) || payload.RootElement.TryGetProperty("at_hash", out _) ? null : payload.RootElement.Clone();
    }

    // The metadata that came after what is known; null where there is none.
    private async Task<OpenIdConnectConfiguration?> RefreshAsync(OpenIdConnectConfiguration known)
    {
        Task refresh;
        lock (_lock)
        {
            if (_refresh.IsCompleted && (_refreshed is not { } last || _time.GetElapsedTime(last) >= UnknownKeyInterval))
            {
                _refreshed = _time.GetTimestamp();
                _refresh = Task.Run(() => ReadAgainAsync(known));
            }
            refresh = _refresh;
        }
        await refresh;
        var now = await _metadata.GetConfigurationAsync(CancellationToken.None);
        return ReferenceEquals(now, known) ? null : now;
    }

    // The library reads in the background and tells nobody when it is done.
    private async Task ReadAgainAsync(OpenIdConnectConfiguration known)
    {
        _metadata.RequestRefresh();
        for (var start = _time.GetTimestamp(); ReferenceEquals(await _metadata.GetConfigurationAsync(CancellationToken.None), known) && _time.GetElapsedTime(start) < MetadataLimit;)
            await Task.Delay(20);
    }
}
