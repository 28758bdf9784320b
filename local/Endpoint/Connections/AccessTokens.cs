using System.Security.Cryptography;
using System.Text;

namespace MdFunctions.Endpoint.Connections;

/// <summary>What a token allows.</summary>
internal enum Access
{
    ReadWrite,
    ReadOnly,
}

/// <summary>The tokens that open a session.</summary>
internal sealed class AccessTokens(LocalEndpointOptions options)
{
    /// <summary>What this token allows now: the token file is read anew each time, so that tests can change it.</summary>
    /// <exception cref="EndpointException">The token is not known.</exception>
    public Access Check(string token)
    {
        if (options.Tokens.Concat(FromFile()).Any(known => Same(known, token)))
            return Access.ReadWrite;
        if (options.ReadOnlyTokens.Any(known => Same(known, token)))
            return Access.ReadOnly;
        throw EndpointException.Fatal(
            "Invalid Input Error: the password is not a token that this endpoint knows. The password is the MotherDuck access token",
            SqlState.WrongToken);
    }

    private string[] FromFile()
    {
        try
        {
            return options.TokenFile is { } file
                ? File.ReadAllText(file).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                : [];
        }
        catch (IOException)
        {
            return [];
        }
    }

    private static bool Same(string known, string given)
        => CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(known)), SHA256.HashData(Encoding.UTF8.GetBytes(given)));
}
