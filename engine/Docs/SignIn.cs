using MdFunctions.Engine.Access;
using MdFunctions.Engine.Http;

namespace MdFunctions.Engine.Docs;

/// <summary>What the page needs to sign a person in: the issuer's endpoints and the page's name there, or why that cannot be.</summary>
internal sealed record SignIn
{
    /// <summary>Where the person goes: the issuer's authorization endpoint.</summary>
    public string? Authorize { get; private init; }

    /// <summary>Where the page gets the token: the issuer's token endpoint.</summary>
    public string? Token { get; private init; }

    /// <summary>Who ID tokens are from.</summary>
    public string? Issuer { get; private init; }

    /// <summary>The page's client id.</summary>
    public string? ClientId { get; private init; }

    /// <summary>What it asks for, with blanks between.</summary>
    public string? Scope { get; private init; }

    /// <summary><c>fragment</c> where the issuer can: what is behind # reaches no server and no log. Else null, its default.</summary>
    public string? ResponseMode { get; private init; }

    /// <summary>Why nobody can sign in now.</summary>
    public string? Fault { get; private init; }

    /// <summary>Asks the issuer's metadata, which the app knows; null where the page signs nobody in.</summary>
    public static async Task<SignIn?> OfAsync(AccessOptions access, Lazy<TokenCheck> tokens)
    {
        if (access.ClientId is null)
            return null;
        try
        {
            var metadata = await tokens.Value.MetadataAsync();
            if (!AccessOptions.IsSafe(metadata.AuthorizationEndpoint) || !AccessOptions.IsSafe(metadata.TokenEndpoint))
                return new() { Fault = "The issuer's metadata names no endpoints with https for signing in." };
            return new()
            {
                Authorize = metadata.AuthorizationEndpoint,
                Token = metadata.TokenEndpoint,
                Issuer = metadata.Issuer,
                ClientId = access.ClientId,
                Scope = string.Join(' ', ((string[])["openid", "profile", .. access.Scope.Split(' ', StringSplitOptions.RemoveEmptyEntries)]).Distinct()),
                ResponseMode = metadata.ResponseModesSupported.Contains("fragment") ? "fragment" : null,
            };
        }
        catch (ProblemException)
        {
            return new() { Fault = "The issuer does not answer the app. Reload the page to try again." };
        }
    }
}
