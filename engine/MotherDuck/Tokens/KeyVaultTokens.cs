using Azure;
using Azure.Identity;
using Azure.Security.KeyVault.Secrets;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>Reads tokens from Azure Key Vault, and says in one sentence what to do when that fails.</summary>
internal sealed class KeyVaultTokens(SecretClient client, TimeProvider time)
{
    /// <summary>Reads the newest version of a secret. The client tries again by itself, waiting as long as the vault's <c>Retry-After</c> says.</summary>
    /// <exception cref="MotherDuckException">There is no such secret, the app may not read it, or the vault cannot be reached.</exception>
    public async Task<Token> FetchAsync(string setting, string secret, CancellationToken cancellationToken)
    {
        var what = $"secret '{secret}' ({setting}) of {client.VaultUri}";
        try
        {
            var answer = (await client.GetSecretAsync(secret, cancellationToken: cancellationToken)).Value;
            // A pasted token often brings its line's end along.
            var value = answer.Value?.Trim() ?? "";
            return value.Length > 0 && !value.Any(char.IsWhiteSpace)
                ? new Token(value, answer.Properties.Version, answer.Properties.ExpiresOn, time.GetUtcNow())
                : throw Unavailable($"The {what} is {(value.Length == 0 ? "empty" : "no token: it holds white space")}. Set it to a MotherDuck access token.");
        }
        catch (RequestFailedException e)
        {
            throw Unavailable(e.Status switch
            {
                0 => $"Key Vault {client.VaultUri} (KEY_VAULT_URI) cannot be reached: {MotherDuckError.OneLine(e.InnerException?.Message ?? e.Message)}",
                401 => $"Key Vault refused the app's identity when asked for the {what}. Is the vault in the identity's tenant?",
                403 => $"The app's identity may not read the {what} ({e.ErrorCode}). Give it the role Key Vault Secrets User, and check that the secret is enabled.",
                404 => $"There is no {what}.",
                429 => $"Key Vault throttles the app: the {what} could not be read.",
                _ => $"Key Vault answered {e.Status} when asked for the {what}.",
            }, e);
        }
        catch (CredentialUnavailableException e)
        {
            throw Unavailable($"No Azure identity to read the {what}: {MotherDuckError.OneLine(e.Message)}", e);
        }
        catch (AuthenticationFailedException e)
        {
            throw Unavailable($"Azure refused the app's identity (AZURE_CLIENT_ID), so the {what} could not be read: {MotherDuckError.OneLine(e.Message)}", e);
        }
        catch (AggregateException e) // Of the client's own retries: all failed to connect.
        {
            throw Unavailable($"Key Vault {client.VaultUri} (KEY_VAULT_URI) cannot be reached: {MotherDuckError.OneLine(e.InnerExceptions[^1].Message)}", e);
        }
        catch (OperationCanceledException e)
        {
            throw Unavailable($"Key Vault did not answer in time when asked for the {what}.", e);
        }
    }

    private static MotherDuckException Unavailable(string message, Exception? inner = null) =>
        new(new MotherDuckError(MotherDuckErrorKind.Unreachable, "the access token could not be read from Key Vault", message), inner);
}
