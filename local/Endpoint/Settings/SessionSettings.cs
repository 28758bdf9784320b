namespace MdFunctions.Endpoint.Settings;

/// <summary>
/// The settings of PostgreSQL's that drivers send when they connect. They are kept for SHOW. Two of them matter: the time zone, which
/// is DuckDB's and set there, and the statement timeout.
/// </summary>
internal sealed class SessionSettings
{
    private readonly Dictionary<string, string> _defaults = new(StringComparer.OrdinalIgnoreCase);
    private Dictionary<string, string> _values;

    /// <summary>What holds if the transaction fails, and what holds when it ends well; null outside of a transaction.</summary>
    private (Dictionary<string, string> Failed, Dictionary<string, string> Committed)? _transaction;

    /// <summary>Settings for a new session.</summary>
    /// <param name="behaviour">Observed, a client's start-up parameters but its name are ignored.</param>
    /// <param name="user">The user name that the client gave.</param>
    /// <param name="startup">The client's start-up parameters: those that are settings are this session's defaults.</param>
    /// <exception cref="EndpointException">One of them has a value that it cannot have.</exception>
    public SessionSettings(Behaviour behaviour, string user, IReadOnlyDictionary<string, string> startup)
    {
        _defaults["session_authorization"] = user;
        foreach (var (name, value) in startup)
        {
            if (name.Equals("TimeZone", StringComparison.OrdinalIgnoreCase)) StartTimeZone = behaviour == Behaviour.Documented ? value : null;
            else if (PostgresSettings.IsSettable(name) && (behaviour == Behaviour.Documented || name == "application_name"))
                _defaults[name] = PostgresSettings.Normalize(name, value);
        }
        _values = new(StringComparer.OrdinalIgnoreCase);
        Reported =
        [
            .. PostgresSettings.Names
                .Where(name => PostgresSettings.Title(name) is not null && (behaviour == Behaviour.Documented || name is not ("in_hot_standby" or "default_transaction_read_only")))
                .Select(Status),
        ];
    }

    /// <summary>The time zone that the client asked for as it connected, or null: DuckDB has still to be told.</summary>
    public string? StartTimeZone { get; }

    /// <summary>DuckDB's time zone now.</summary>
    public string TimeZone { get; set; } = "UTC";

    /// <summary>The settings that a ParameterStatus tells of at login, with their values; the time zone is not among them.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Reported { get; }

    /// <summary>How long a statement may run, or null for as long as it takes.</summary>
    public TimeSpan? StatementTimeout => PostgresSettings.Milliseconds(Get("statement_timeout")!) is > 0 and var ms ? TimeSpan.FromMilliseconds(ms) : null;

    /// <summary>A setting's value, or null where there is none of this name.</summary>
    public string? Get(string name)
    {
        if (name.Equals("TimeZone", StringComparison.OrdinalIgnoreCase)) return TimeZone;
        return PostgresSettings.IsKnown(name) ? _values.GetValueOrDefault(name) ?? First(name) : null;
    }

    private string First(string name) => _defaults.GetValueOrDefault(name) ?? PostgresSettings.Default(name);

    private KeyValuePair<string, string> Status(string name) => new(PostgresSettings.Title(name)!, Get(name)!);

    /// <summary>Carries out a SET, RESET or DISCARD; gives the settings that a ParameterStatus must tell of.</summary>
    /// <exception cref="EndpointException">The value is not one that the setting can have.</exception>
    public IReadOnlyList<KeyValuePair<string, string>> Apply(SettingAction action)
    {
        var before = _values;
        switch (action.Verb)
        {
            case SettingVerb.Set or SettingVerb.Reset:
                var value = action.Value is null ? First(action.Name) : PostgresSettings.Normalize(action.Name, action.Value);
                if (action.IsLocal && _transaction is null) return [];
                _values = With(_values, action.Name, value);
                if (_transaction is { } now && !action.IsLocal) _transaction = (now.Failed, With(now.Committed, action.Name, value));
                break;
            case SettingVerb.ResetAll or SettingVerb.DiscardAll:
                _values = new(StringComparer.OrdinalIgnoreCase);
                if (_transaction is { } open) _transaction = (open.Failed, _values);
                break;
        }
        return Changed(before);
    }

    private static Dictionary<string, string> With(Dictionary<string, string> from, string name, string value) => new(from, from.Comparer) { [name] = value };

    /// <summary>A transaction begins: what is set from now on is undone if it fails.</summary>
    public void Begin() => _transaction = (_values, _values);

    /// <summary>The transaction ends; gives the settings that a ParameterStatus must tell of.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> End(bool committed)
    {
        if (_transaction is not { } ended) return [];
        var before = _values;
        _values = committed ? ended.Committed : ended.Failed;
        _transaction = null;
        return Changed(before);
    }

    private List<KeyValuePair<string, string>> Changed(Dictionary<string, string> before)
    {
        if (ReferenceEquals(before, _values)) return [];
        return [.. Reported.Where(known => (before.GetValueOrDefault(known.Key) ?? First(known.Key)) != Get(known.Key)).Select(known => Status(known.Key))];
    }
}
