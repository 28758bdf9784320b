using System.Text;

namespace MdFunctions.Ingest;

/// <summary>A secret is missing or cannot be used. The message never holds it.</summary>
public sealed class SecretException(string message) : Exception(message);

/// <summary>
/// The secrets that senders sign with. A secret and the one before it are valid together, so that a rotation loses no delivery: move the
/// old value to <c>Secrets:NAME:previous</c>, put the new one in <c>Secrets:NAME</c>, change the sender, remove the old one.
/// </summary>
public sealed class WebhookSecrets(Settings settings)
{
    /// <summary>The secret of a name and, in the middle of a rotation, the one before it: one or two, never empty.</summary>
    /// <exception cref="SecretException">There is no secret of that name.</exception>
    public ValueTask<IReadOnlyList<byte[]>> GetAsync(string name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (settings.Text($"Secrets:{name}") is not { } current)
            throw new SecretException($"the setting Secrets:{name} is not set");
        byte[][] secrets = settings.Text($"Secrets:{name}:previous") is { } previous
            ? [Encoding.UTF8.GetBytes(current), Encoding.UTF8.GetBytes(previous)]
            : [Encoding.UTF8.GetBytes(current)];
        return new(secrets);
    }
}
