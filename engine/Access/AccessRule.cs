using MdFunctions.Engine.Templates;

namespace MdFunctions.Engine.Access;

/// <summary>What a caller needs to run a query or a load: one of the roles, and one of the scopes; an empty list asks for nothing.</summary>
/// <param name="Roles">Any of these roles.</param>
/// <param name="Scopes">Any of these scopes.</param>
internal sealed record AccessRule(IReadOnlyList<string> Roles, IReadOnlyList<string> Scopes)
{
    /// <summary>Whoever may call the app may run it.</summary>
    public static readonly AccessRule None = new([], []);

    /// <summary>Reads <c>access</c>, or takes the default of the settings <c>Auth:Roles</c> and <c>Auth:Scopes</c>; faults go to the file.</summary>
    public static AccessRule Read(FrontMatter frontMatter, Settings settings)
    {
        var hasAuthority = settings.Text("Auth:Authority") is not null;
        if (frontMatter.Map("access") is not { } map)
        {
            // A key without a value may be the rest of a rule; nothing is opened by it.
            if (frontMatter.IsNull("access"))
                frontMatter.Fault("access", "'access' is empty; expected { roles: [...], scopes: [...] }");
            return hasAuthority ? new(AccessOptions.List(settings.Text("Auth:Roles")), AccessOptions.List(settings.Text("Auth:Scopes"))) : None;
        }
        if (!hasAuthority)
            frontMatter.Fault("access", "'access' needs the setting Auth:Authority, which is not set: callers cannot be told apart without their tokens");
        var rule = new AccessRule(Names(map, "roles"), Names(map, "scopes"));
        map.RejectUnknown("'access'");
        return rule;
    }

    private static IReadOnlyList<string> Names(FrontMatter map, string key)
    {
        var names = map.List(key) ?? [];
        if (map.IsNull(key) || names.Any(string.IsNullOrWhiteSpace))
            map.Fault(key, $"'{key}' names nothing; expected names, or [] for a caller with any");
        return names;
    }
}
