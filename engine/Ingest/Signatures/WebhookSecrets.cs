using System.Collections.Concurrent;
using System.Text;
using MdFunctions.Engine.MotherDuck;
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
internal sealed class WebhookSecrets(Settings settings, TimeProvider time, ILogger<WebhookSecrets> logger, KeyVault? vault = null)
{
    // So soon is a change known, and so rarely is the vault asked: whoever finds the URL can make us ask.
    private static readonly TimeSpan Age = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AgeOfFailure = TimeSpan.FromSeconds(5); // Of a vault that is down: it may be back.
    private static readonly TimeSpan SlowVault = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<string, CachedSecret<IReadOnlyList<byte[]>>> _known = new(StringComparer.Ordinal);

    /// <summary>
    /// The secret of a name and, in the middle of a rotation, the one before it. A change in the vault is seen within a minute, and so is that it was deleted or
    /// disabled; when the vault is down, the last ones read stay.
    /// </summary>
    /// <exception cref="SecretException">There is no secret of that name, or it could not be read.</exception>
    public async ValueTask<IReadOnlyList<byte[]>> GetAsync(string name, CancellationToken cancellationToken)
    {
        if (vault is null)
            return settings.Text($"Secrets:{name}")?.Trim() is { Length: > 0 } current ? Bytes(current, settings.Text($"Secrets:{name}:previous")?.Trim()) : throw new SecretException($"the setting Secrets:{name} is not set");
        var secret = _known.GetOrAdd(name, _ => new(stop => ReadAsync(vault, name, stop), time));
        if (time.GetUtcNow() - secret.ReadAt >= (secret.Failure is null or KeyVaultException { IsGone: true } ? Age : AgeOfFailure))
        {
            var reading = (Task)secret.ReadAsync();
            // One that is known may be used no more: it is waited for, but not while the vault is down or slow.
            if (secret.Current is null)
                await reading.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            else if (secret.Failure is null)
                await reading.WaitAsync(SlowVault, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
        return secret.Current ?? throw new SecretException(secret.Failure is KeyVaultException known ? known.Message : $"the secret '{name}' could not be read ({secret.Failure?.GetType().Name})");
    }

    private async Task<IReadOnlyList<byte[]>> ReadAsync(KeyVault vault, string name, CancellationToken cancellationToken)
    {
        try
        {
            return Bytes((await vault.ReadAsync(name, null, cancellationToken)).Value, await PreviousAsync());
        }
        catch (KeyVaultException e)
        {
            logger.LogWarning("{Failure}{Consequence}", e.Message, e.IsGone || _known[name].Current is null ? "" : " The one read before stays in use.");
            throw;
        }

        async Task<string?> PreviousAsync()
        {
            try
            {
                return (await vault.ReadAsync($"{name}-previous", null, cancellationToken)).Value;
            }
            catch (KeyVaultException e) when (e.IsGone)
            {
                return null; // No rotation is under way.
            }
        }
    }

    private static IReadOnlyList<byte[]> Bytes(string current, string? previous) =>
        string.IsNullOrEmpty(previous) ? [Encoding.UTF8.GetBytes(current)] : [Encoding.UTF8.GetBytes(current), Encoding.UTF8.GetBytes(previous)];
}
