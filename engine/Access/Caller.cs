using System.Text.Json;
using MdFunctions.Engine.Http;
using MdFunctions.Engine.Templates;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Access;

/// <summary>Who sent a request: whoever has the function key, or the bearer of a token that has been checked.</summary>
internal sealed class Caller
{
    /// <summary>Whoever the platform let in by its function key. Nobody knows more of them, and where rules name roles they are not asked: see <see cref="Admission"/>.</summary>
    public static readonly Caller Key = new();

    private readonly IReadOnlySet<string> _roles = new HashSet<string>();
    private readonly IReadOnlySet<string> _scopes = new HashSet<string>();
    private readonly JsonElement _claims;

    private Caller()
    {
    }

    /// <summary>The bearer of a token.</summary>
    /// <param name="claims">The token's payload, a JSON object.</param>
    /// <param name="rolesClaim">The claim with the roles.</param>
    public Caller(JsonElement claims, string rolesClaim)
    {
        _claims = claims;
        _roles = Texts(rolesClaim).ToHashSet(StringComparer.Ordinal);
        _scopes = ((string[])["scp", "scope"]).SelectMany(Texts).SelectMany(text => text.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToHashSet(StringComparer.Ordinal);
        var client = First("azp") ?? First("appid") ?? First("client_id");
        Subject = First("sub") ?? client;
        Name = First("name") ?? First("preferred_username") ?? client;
    }

    /// <summary>Whether a token says who it is.</summary>
    public bool HasToken => _claims.ValueKind == JsonValueKind.Object;

    /// <summary>The token's subject: the same for the same person or program at each call.</summary>
    public string? Subject { get; }

    /// <summary>The name that people know, where the token has one.</summary>
    public string? Name { get; }

    /// <summary>Who sent an admitted request.</summary>
    /// <exception cref="InvalidOperationException">It was not admitted: nothing may be answered.</exception>
    public static Caller Of(HttpContext http) =>
        http.Items[typeof(Caller)] as Caller ?? throw new InvalidOperationException("A request is answered that nobody has admitted.");

    /// <summary>Whether the answer to a request is for the bearer of its token.</summary>
    public static bool IsNamed(HttpContext http) => http.Items[typeof(Caller)] is Caller { HasToken: true };

    /// <summary>Whether it may run what has this rule.</summary>
    public bool May(AccessRule rule) => Refusal(rule, "this") is null;

    /// <summary>Ends the request with a 403 that says what is missing, unless the caller may run it.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="what">What is to be run, such as <c>query sales</c>.</param>
    /// <exception cref="ProblemException">403.</exception>
    public void Demand(AccessRule rule, string what)
    {
        if (Refusal(rule, what) is { } refusal)
            throw new ProblemException(refusal);
    }

    /// <summary>The value of a parameter that comes from a claim.</summary>
    /// <exception cref="ProblemException">403: the token has no such claim, or one that cannot be the parameter's value.</exception>
    public ParameterValue Value(Parameter parameter)
    {
        var name = parameter.Claim!;
        if (!HasToken || !_claims.TryGetProperty(name, out var claim) || claim.ValueKind is JsonValueKind.Null)
            throw Forbidden($"The token has no claim '{name}', from which '{parameter.Name}' takes its value.");
        // Issuers write a list of one as its element.
        ParameterValue? value;
        var fault = parameter.Type.Element is not null && claim.ValueKind == JsonValueKind.String
            ? parameter.TryRead([claim.GetString()!], out value)
            : parameter.TryRead(claim, out value);
        return fault is null && value is not null ? value : throw Forbidden($"The token's claim '{name}' cannot be used: {fault}");
    }

    private static ProblemException Forbidden(string detail) => new(new Problem(403, "Forbidden", detail));

    private Problem? Refusal(AccessRule rule, string what)
    {
        if (!HasToken)
            return null; // Rules are there only where there are tokens, or a key that stands for one.
        List<string> missing = [];
        if (rule.Roles.Count > 0 && !rule.Roles.Any(_roles.Contains))
            missing.Add($"one of the roles {string.Join(", ", rule.Roles)}");
        var lacksScope = rule.Scopes.Count > 0 && !rule.Scopes.Any(_scopes.Contains);
        if (lacksScope)
            missing.Add($"one of the scopes {string.Join(", ", rule.Scopes)}");
        return missing.Count == 0 ? null : new Problem(403, "Forbidden", $"To run {what} a token needs {string.Join(", and ", missing)}.")
        {
            Challenge = lacksScope ? $"Bearer error=\"insufficient_scope\", scope=\"{string.Join(' ', rule.Scopes.Select(scope => scope.Replace('"', '\'')))}\"" : null,
        };
    }

    private string? First(string claim) => Texts(claim).FirstOrDefault();

    private IEnumerable<string> Texts(string claim) => !_claims.TryGetProperty(claim, out var value) ? [] : value.ValueKind switch
    {
        JsonValueKind.String => [value.GetString()!],
        JsonValueKind.Array => value.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!),
        _ => [],
    };
}
