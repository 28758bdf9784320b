using Microsoft.Extensions.Logging;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>
/// The token that a pool logs in with: cached, read again in the background when its time is up and at once when MotherDuck refuses it, and kept
/// when the vault is down.
/// </summary>
internal sealed class AccessToken
{
    private static readonly TimeSpan WarnAhead = TimeSpan.FromDays(14);

    private readonly Func<CancellationToken, Task<Token>> _fetch;
    private readonly MotherDuckOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CachedSecret<Token> _token;
    private DateTimeOffset _due = DateTimeOffset.MinValue;
    private DateTimeOffset _replaceable = DateTimeOffset.MinValue;
    private DateTimeOffset _warned = DateTimeOffset.MinValue;

    /// <summary>Nothing is read yet. What fetches it fails with a <see cref="MotherDuckException"/>; the log never gets it.</summary>
    public AccessToken(string name, Func<CancellationToken, Task<Token>> fetch, MotherDuckOptions options, TimeProvider time, ILogger<AccessToken> logger)
    {
        (Name, _fetch, _options, _time, _logger) = (name, fetch, options, time, logger);
        _token = new(FetchAsync, time);
    }

    /// <summary>What it is called where people look: the secret and its setting.</summary>
    public string Name { get; }

    /// <summary>The last token read; null before the first.</summary>
    public Token? Current => _token.Current;

    /// <summary>Why the last attempt to read it failed; null if it did not. For logs and health.</summary>
    public string? Failure => _token.Failure?.Message;

    /// <summary>The token to log in with. Waits for it only where there is none yet.</summary>
    /// <exception cref="MotherDuckException">There is none yet and it could not be read.</exception>
    public async ValueTask<Token> GetAsync(CancellationToken cancellationToken)
    {
        if (Current is not { } token)
            return await _token.ReadAsync().WaitAsync(cancellationToken);
        if (_time.GetUtcNow() >= _due)
            _ = _token.ReadAsync();
        return token;
    }

    /// <summary>Reads the token again because MotherDuck refused it.</summary>
    /// <returns>The token that took its place; null if there is none.</returns>
    public async Task<Token?> ReplaceAsync(Token refused, CancellationToken cancellationToken)
    {
        if (Current == refused)
        {
            // A token that stays refused must not turn each request into a call of the vault.
            if (_time.GetUtcNow() < _replaceable)
                return null;
            // A failure is logged by the one that fetched; the token that we have goes on.
            await ((Task)_token.ReadAsync()).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
        if (Current is { } token && token.Value != refused.Value)
            return token;
        _replaceable = _time.GetUtcNow() + TimeSpan.FromSeconds(1);
        return null;
    }

    /// <summary>Why MotherDuck may have refused a token, for the log.</summary>
    public string Explain(Token refused)
    {
        var version = refused.Version is null ? "" : $", version {refused.Version}";
        var why = refused switch
        {
            { TokenExpires: { } end } when end <= _time.GetUtcNow() => $"it expired on {end:u}",
            { Region: { } region } when _options.TokenRegion is { } expected && region != expected =>
                $"it is a token for region {region}, but {_options.Host} serves {expected}: set MotherDuck:Region to {region.Replace("aws-", "", StringComparison.Ordinal)}",
            _ => "it was revoked, or is not a MotherDuck access token",
        };
        return $"MotherDuck refused the token of {Name}{version}: {why}.";
    }

    private async Task<Token> FetchAsync(CancellationToken cancellationToken)
    {
        try
        {
            var token = await _fetch(cancellationToken);
            var isNew = Current?.Value != token.Value;
            _due = token.FetchedAt + _options.TokenRefreshInterval;
            if (isNew)
                _logger.LogInformation("Read the access token of {Name}, version {Version}", Name, token.Version ?? "none");
            Warn(token, isNew);
            return token;
        }
        catch (MotherDuckException e)
        {
            _due = _time.GetUtcNow() + _options.TokenRetryInterval;
            if (Current is not { } current)
                _logger.LogError("{Error}", e.Error.Message);
            else
                _logger.LogWarning("{Error} The token read at {FetchedAt:u} stays in use", e.Error.Message, current.FetchedAt);
            throw;
        }
    }

    private void Warn(Token token, bool isNew)
    {
        var now = _time.GetUtcNow();
        if (token.Region is { } region && _options.TokenRegion is { } expected && region != expected && isNew)
            _logger.LogError("The token of {Name} is for region {Region}, but {Host} serves {Expected}: logins will be refused", Name, region, _options.Host, expected);
        if (token.Expires is not { } end || end - now > WarnAhead)
            return;
        // What is past its end is looked for again soon, and not only when the usual interval is over.
        if (end <= now)
            _due = now + _options.TokenRetryInterval;
        if (!isNew && now - _warned < TimeSpan.FromDays(1))
            return;
        _warned = now;
        var what = token.TokenExpires == end ? "token" : "Key Vault secret";
        _logger.LogWarning("The {What} of {Name} {Ends} on {End:u}. Create a new token in MotherDuck and set it as the secret's new version", what, Name, end <= now ? "expired" : "expires", end);
    }
}
