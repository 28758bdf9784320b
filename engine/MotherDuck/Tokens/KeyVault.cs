using Azure;
using Azure.Identity;
using Azure.Security.KeyVault.Secrets;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>A secret could not be read. The message never holds it, and says what to do.</summary>
/// <param name="message">What to do.</param>
/// <param name="isGone">Whether the vault answered that there is none, or not for this app: it was deleted or disabled. Else the vault may be down.</param>
/// <param name="inner">What the client threw.</param>
internal sealed class KeyVaultException(string message, bool isGone, Exception? inner) : Exception(message, inner)
{
    /// <summary>Whether the secret was deleted or disabled, or is not for this app.</summary>
    public bool IsGone { get; } = isGone;
}

/// <summary>Reads secrets from Azure Key Vault, and says in one sentence what to do when that fails.</summary>
internal sealed class KeyVault(SecretClient client)
{
    /// <summary>Reads the newest version of a secret, without the line's end that a pasted one often brings along. The client tries again by itself, waiting as long as the vault's <c>Retry-After</c> says. Messages name the setting that holds the secret's name, where there is one.</summary>
    /// <exception cref="KeyVaultException">There is no such secret, the app may not read it, or the vault cannot be reached.</exception>
    public async Task<(string Value, SecretProperties Properties)> ReadAsync(string secret, string? setting, CancellationToken cancellationToken)
    {
        var what = $"secret '{secret}'{(setting is null ? "" : $" ({setting})")} of {client.VaultUri}";
        try
        {
            var answer = (await client.GetSecretAsync(secret, cancellationToken: cancellationToken)).Value;
            return answer.Value?.Trim() is { Length: > 0 } value ? (value, answer.Properties) : throw new KeyVaultException($"The {what} is empty.", true, null);
        }
        catch (RequestFailedException e)
        {
            throw new KeyVaultException(e.Status switch
            {
                0 => $"Key Vault {client.VaultUri} (KEY_VAULT_URI) cannot be reached: {MotherDuckError.OneLine(e.InnerException?.Message ?? e.Message)}",
                401 => $"Key Vault refused the app's identity when asked for the {what}. Is the vault in the identity's tenant?",
                403 => $"The app's identity may not read the {what} ({e.ErrorCode}). Give it the role Key Vault Secrets User, and check that the secret is enabled.",
                404 => $"There is no {what}.",
                429 => $"Key Vault throttles the app: the {what} could not be read.",
                _ => $"Key Vault answered {e.Status} when asked for the {what}.",
            }, e.Status is 403 or 404, e);
        }
        catch (CredentialUnavailableException e)
        {
            throw new KeyVaultException($"No Azure identity to read the {what}: {MotherDuckError.OneLine(e.Message)}", false, e);
        }
        catch (AuthenticationFailedException e)
        {
            throw new KeyVaultException($"Azure refused the app's identity (AZURE_CLIENT_ID), so the {what} could not be read: {MotherDuckError.OneLine(e.Message)}", false, e);
        }
        catch (AggregateException e) // Of the client's own retries: all failed to connect.
        {
            throw new KeyVaultException($"Key Vault {client.VaultUri} (KEY_VAULT_URI) cannot be reached: {MotherDuckError.OneLine(e.InnerExceptions[^1].Message)}", false, e);
        }
        catch (OperationCanceledException e)
        {
            throw new KeyVaultException($"Key Vault did not answer in time when asked for the {what}.", false, e);
        }
    }

    /// <summary>Reads a MotherDuck access token.</summary>
    /// <exception cref="MotherDuckException">It could not be read, or is no token.</exception>
    public async Task<Token> ReadTokenAsync(string secret, string setting, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            var (value, properties) = await ReadAsync(secret, setting, cancellationToken);
            return !value.Any(char.IsWhiteSpace)
                ? new Token(value, properties.Version, properties.ExpiresOn, time.GetUtcNow())
                : throw new KeyVaultException($"The secret '{secret}' ({setting}) of {client.VaultUri} is no token: it holds white space. Set it to a MotherDuck access token.", false, null);
        }
        catch (KeyVaultException e)
        {
            throw new MotherDuckException(new(MotherDuckErrorKind.Unreachable, "the access token could not be read from Key Vault", e.Message), e);
        }
    }
}
