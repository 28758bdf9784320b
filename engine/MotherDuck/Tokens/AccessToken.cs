using Microsoft.Extensions.Logging;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>
/// The token that a pool logs in with: cached, read again in the background when its time is up and at once when MotherDuck refuses it, and kept
/// when the vault is down.
/// </summary>
/// <param name="name">What it is called where people look: the secret and its setting.</param>
/// <param name="fetch">Reads it; fails with a <see cref="MotherDuckException"/>.</param>
/// <param name="options">How often it is read again, and the host it is for.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Never gets the token.</param>
internal sealed class AccessToken(
    string name, Func<CancellationToken, Task<Token>> fetch, MotherDuckOptions options, TimeProvider time, ILogger<AccessToken> logger)
{
    private static readonly TimeSpan FetchLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan WarnAhead = TimeSpan.FromDays(14);

    private readonly Lock _lock = new();
    private Task<Token>? _fetching;
    private volatile Token? _current;
    private DateTimeOffset _due = DateTimeOffset.MinValue;
    private DateTimeOffset _replaceable = DateTimeOffset.MinValue;
    private DateTimeOffset _warned = DateTimeOffset.MinValue;

    /// <summary>What it is called where people look: the secret and its setting.</summary>
    public string Name => name;

    /// <summary>The last token read; null before the first.</summary>
    public Token? Current => _current;

    /// <summary>Why the last attempt to read it failed; null if it did not. For logs and health.</summary>
    public string? Failure { get; private set; }

    /// <summary>The token to log in with. Waits for it only where there is none yet.</summary>
    /// <exception cref="MotherDuckException">There is none yet and it could not be read.</exception>
    public async ValueTask<Token> GetAsync(CancellationToken cancellationToken)
    {
        if (_current is not { } token)
            return await FetchAsync().WaitAsync(cancellationToken);
        if (time.GetUtcNow() >= _due)
            _ = FetchQuietlyAsync();
        return token;
    }

    /// <summary>Reads the token again because MotherDuck refused it.</summary>
    /// <returns>The token that took its place; null if there is none.</returns>
    public async Task<Token?> ReplaceAsync(Token refused, CancellationToken cancellationToken)
    {
        if (_current == refused)
        {
            // A token that stays refused must not turn each request into a call of the vault.
            if (time.GetUtcNow() < _replaceable)
                return null;
            await FetchQuietlyAsync().WaitAsync(cancellationToken);
        }
        if (_current is { } token && token.Value != refused.Value)
            return token;
        _replaceable = time.GetUtcNow() + TimeSpan.FromSeconds(1);
        return null;
    }

    /// <summary>Why MotherDuck may have refused a token, for the log.</summary>
    public string Explain(Token refused)
    {
        var version = refused.Version is null ? "" : $", version {refused.Version}";
        var why = refused switch
        {
            { TokenExpires: { } end } when end <= time.GetUtcNow() => $"it expired on {end:u}",
            { Region: { } region } when options.TokenRegion is { } expected && region != expected =>
                $"it is a token for region {region}, but {options.Host} serves {expected}: set MotherDuck:Region to {region.Replace("aws-", "", StringComparison.Ordinal)}",
            _ => "it was revoked, or is not a MotherDuck access token",
        };
        return $"MotherDuck refused the token of {name}{version}: {why}.";
    }

    private Task<Token> FetchAsync()
    {
        lock (_lock)
            return _fetching ??= FetchOnceAsync();
    }

    private async Task FetchQuietlyAsync()
    {
        try
        {
            await FetchAsync();
        }
        catch (MotherDuckException)
        {
            // Logged by the one that fetched; the token that we have goes on.
        }
    }

    // One call of the vault for all who wait; none of them can cancel it for the others.
    private async Task<Token> FetchOnceAsync()
    {
        await Task.Yield();
        try
        {
            using var limit = new CancellationTokenSource(FetchLimit, time);
            var token = await fetch(limit.Token);
            var isNew = _current?.Value != token.Value;
            (_current, Failure, _due) = (token, null, token.FetchedAt + options.TokenRefreshInterval);
            if (isNew)
                logger.LogInformation("Read the access token of {Name}, version {Version}", name, token.Version ?? "none");
            Warn(token, isNew);
            return token;
        }
        catch (MotherDuckException e)
        {
            Failure = e.Error.Message;
            _due = time.GetUtcNow() + options.TokenRetryInterval;
            if (_current is null)
                logger.LogError("{Error}", e.Error.Message);
            else
                logger.LogWarning("{Error} The token read at {FetchedAt:u} stays in use", e.Error.Message, _current.FetchedAt);
            throw;
        }
        finally
        {
            lock (_lock)
                _fetching = null;
        }
    }

    private void Warn(Token token, bool isNew)
    {
        var now = time.GetUtcNow();
        if (token.Region is { } region && options.TokenRegion is { } expected && region != expected && isNew)
            logger.LogError("The token of {Name} is for region {Region}, but {Host} serves {Expected}: logins will be refused", name, region, options.Host, expected);
        if (token.Expires is not { } end || end - now > WarnAhead)
            return;
        // What is past its end is looked for again soon, and not only when the usual interval is over.
        if (end <= now)
            _due = now + options.TokenRetryInterval;
        if (!isNew && now - _warned < TimeSpan.FromDays(1))
            return;
        _warned = now;
        var what = token.TokenExpires == end ? "token" : "Key Vault secret";
        logger.LogWarning("The {What} of {Name} {Ends} on {End:u}. Create a new token in MotherDuck and set it as the secret's new version", what, name, end <= now ? "expired" : "expires", end);
    }
}
