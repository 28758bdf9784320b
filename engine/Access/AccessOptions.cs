namespace MdFunctions.Engine.Access;

/// <summary>Who may call the app. Every property is a setting.</summary>
internal sealed record AccessOptions
{
    /// <summary><c>Auth:Authority</c>: the OpenID Connect issuer whose tokens are taken, without a slash at its end. Null: callers are known by the function key.</summary>
    public string? Authority { get; init; }

    /// <summary><c>Auth:Audience</c>: whom tokens must be for; any of these.</summary>
    public IReadOnlyList<string> Audiences { get; init; } = [];

    /// <summary><c>Auth:Scope</c>: what the page and clients of MCP ask the issuer for.</summary>
    public string Scope { get; init; } = "";

    /// <summary><c>Auth:ClientId</c>: the issuer's name for the page, where people sign in. Null: the page takes a token that was got elsewhere.</summary>
    public string? ClientId { get; init; }

    /// <summary><c>Auth:RolesClaim</c>: the claim with the caller's roles. Default <c>roles</c>.</summary>
    public string RolesClaim { get; init; } = "roles";

    /// <summary><c>Auth:Audit</c>: whether calls leave an audit line. Default: where there is an authority.</summary>
    public bool Audit { get; init; }

    /// <summary><c>Limits:PerCaller</c>: how many calls a caller has in any minute, on each instance; 0 for no limit. Default 0.</summary>
    public int PerCaller { get; init; }

    /// <summary><c>Auth:Open</c>: whether triggers without a key are meant where there is no authority. Default false.</summary>
    public bool Open { get; init; }

    /// <summary>Whether the trigger of storage events asks for a function key: then Event Grid needs no token.</summary>
    public bool EventsHaveKey { get; init; }

    /// <summary>Reads the options; faults go to <paramref name="settings"/>.</summary>
    public static AccessOptions Read(Settings settings, AppTriggers triggers)
    {
        var authority = settings.Text("Auth:Authority")?.TrimEnd('/');
        var audiences = List(settings.Text("Auth:Audience"));
        if (authority is not null && (!IsSafe(authority) || authority.Contains('?', StringComparison.Ordinal)))
            settings.Fault("Auth:Authority", $"expected the URL of an OpenID Connect issuer, such as https://login.microsoftonline.com/TENANT/v2.0, not '{authority}'");
        if (authority is not null && audiences.Count == 0)
            settings.Fault("Auth:Audience", "is not set; expected whom tokens must be for, such as the app registration's client id: without it any token of the issuer would do");
        (string Name, string? Value)[] needAuthority =
        [
            ("Auth:Audience", settings.Text("Auth:Audience")), ("Auth:Scope", settings.Text("Auth:Scope")), ("Auth:ClientId", settings.Text("Auth:ClientId")),
            ("Auth:Roles", settings.Text("Auth:Roles")), ("Auth:Scopes", settings.Text("Auth:Scopes")), ("Auth:RolesClaim", settings.Text("Auth:RolesClaim")),
        ];
        foreach (var (name, _) in needAuthority.Where(setting => authority is null && setting.Value is not null))
            settings.Fault(name, "is set, and Auth:Authority, whose tokens it is about, is not");
        return new()
        {
            Authority = authority,
            Audiences = audiences,
            Scope = settings.Text("Auth:Scope") ?? $"{audiences.FirstOrDefault()}/.default",
            ClientId = settings.Text("Auth:ClientId"),
            RolesClaim = settings.Text("Auth:RolesClaim") ?? "roles",
            Audit = settings.Choice("Auth:Audit", authority is null ? "false" : "true", "true", "false") == "true",
            Open = ReadOpen(settings, triggers, authority),
            PerCaller = settings.Integer("Limits:PerCaller", 0, 0, 1_000_000),
            EventsHaveKey = triggers.Http.Where(trigger => trigger.Serves.Contains(typeof(Loads.StorageEvents))).ToList() is { Count: > 0 } events && events.All(trigger => !trigger.IsOpen),
        };
    }

    /// <summary>The parts of a setting with commas between them.</summary>
    public static IReadOnlyList<string> List(string? text) => (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    // Triggers that ask for no key are open to everybody, unless tokens are checked behind them.
    private static bool ReadOpen(Settings settings, AppTriggers triggers, string? authority)
    {
        var meant = settings.Choice("Auth:Open", "false", "true", "false") == "true";
        if (meant && authority is not null)
            settings.Fault("Auth:Open", "says that everybody may call the app, and Auth:Authority that callers need a token; unset one");
        var open = triggers.Http.Where(trigger => trigger is { IsOpen: true, NeedsCaller: true }).Select(trigger => trigger.Function).Order(StringComparer.Ordinal).ToList();
        if (open.Count > 0 && authority is null && !meant)
            settings.Fault("Auth:Authority", $"is not set, and the triggers of {string.Join(", ", open)} ask for no key (AuthorizationLevel.Anonymous): everybody could call them; set Auth:Authority and Auth:Audience, or Auth:Open to true if that is meant");
        return meant;
    }

    /// <summary>Whether a URL of the issuer is one that nobody on the way can answer for it: with TLS, or on this machine.</summary>
    public static bool IsSafe(string? text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url is { Fragment: "", UserInfo: "" }
        && (url.Scheme == "https" || (url.Scheme == "http" && url.IsLoopback));
}
