using System.Collections.Concurrent;
using System.Text;
using Azure;
using Azure.Identity;
using Azure.Security.KeyVault.Secrets;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Engine.Ingest;

/// <summary>A secret is missing or cannot be used. The message never holds it.</summary>
internal sealed class SecretException(string message) : Exception(message);

/// <summary>
/// The secrets that senders sign with: of Key Vault by their names, or the settings <c>Secrets:NAME</c> where there is no vault. A secret and the one
/// before it, <c>NAME-previous</c> or <c>Secrets:NAME:previous</c>, are valid together, so that a rotation loses no delivery.
/// </summary>
/// <param name="settings">Where secrets are without a vault.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Never gets a secret.</param>
/// <param name="vault">The vault; null for none.</param>
internal sealed class WebhookSecrets(Settings settings, TimeProvider time, ILogger<WebhookSecrets> logger, SecretClient? vault = null)
{
    // So soon is a new secret known, and so rarely is the vault asked: whoever finds the URL can make us ask.
    private static readonly TimeSpan Age = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, Known> _known = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _asking = new(1);

    /// <summary>The secret of a name and, in the middle of a rotation, the one before it. A change in the vault is seen within a minute; when the vault is down, the last ones read stay.</summary>
    /// <exception cref="SecretException">There is no secret of that name, or it could not be read.</exception>
    public async ValueTask<IReadOnlyList<byte[]>> GetAsync(string name, CancellationToken cancellationToken)
    {
        if (vault is null)
            return Bytes(settings.Text($"Secrets:{name}"), settings.Text($"Secrets:{name}:previous")) ?? throw new SecretException($"the setting Secrets:{name} is not set");
        if (!IsFresh(name, out var known))
        {
            if (known?.Secrets is { } last && _asking.CurrentCount == 0)
                return last; // Someone else is asking; a vault that is slow must not hold up deliveries.
            await _asking.WaitAsync(cancellationToken);
            try
            {
                if (!IsFresh(name, out known))
                    _known[name] = known = await AskAsync(vault, name, known?.Secrets, cancellationToken);
            }
            finally
            {
                _asking.Release();
            }
        }
        return known!.Secrets ?? throw new SecretException(known.Failure!);
    }

    private bool IsFresh(string name, out Known? known) => _known.TryGetValue(name, out known) && time.GetUtcNow() < known.Until;

    private async Task<Known> AskAsync(SecretClient vault, string name, IReadOnlyList<byte[]>? last, CancellationToken cancellationToken)
    {
        string failure;
        try
        {
            var current = (await vault.GetSecretAsync(name, cancellationToken: cancellationToken)).Value.Value;
            string? previous = null;
            try
            {
                previous = (await vault.GetSecretAsync($"{name}-previous", cancellationToken: cancellationToken)).Value.Value;
            }
            catch (RequestFailedException e) when (e.Status is 404 or 403)
            {
                // Not there or disabled: no rotation is under way.
            }
            if (Bytes(current, previous) is { } secrets)
                return new(secrets, null, time.GetUtcNow() + Age);
            failure = $"Key Vault secret '{name}' is empty";
        }
        catch (RequestFailedException e)
        {
            failure = $"Key Vault secret '{name}' of {vault.VaultUri} could not be read ({(e.Status == 0 ? "no connection" : $"{e.Status} {e.ErrorCode}")})";
        }
        catch (Exception e) when (e is AuthenticationFailedException or AggregateException)
        {
            failure = $"Key Vault secret '{name}' of {vault.VaultUri} could not be read ({e.GetType().Name})";
        }
        logger.LogWarning("{Failure}{Consequence}", failure, last is null ? "" : "; the one read before stays in use");
        return new(last, failure, time.GetUtcNow() + Age);
    }

    private static IReadOnlyList<byte[]>? Bytes(string? current, string? previous) =>
        string.IsNullOrEmpty(current) ? null : string.IsNullOrEmpty(previous) ? [Encoding.UTF8.GetBytes(current)] : [Encoding.UTF8.GetBytes(current), Encoding.UTF8.GetBytes(previous)];

    private sealed record Known(IReadOnlyList<byte[]>? Secrets, string? Failure, DateTimeOffset Until);
}
