namespace MdFunctions.MotherDuck;

/// <summary>The MotherDuck access token: the password of every connection. It is never logged and never leaves this class but to Npgsql.</summary>
public sealed class AccessToken(MotherDuckOptions options)
{
    /// <summary>The token to log in with.</summary>
    public ValueTask<string> GetAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new(options.Token!);
    }
}
