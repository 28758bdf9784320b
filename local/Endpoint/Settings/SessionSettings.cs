namespace MdFunctions.Endpoint.Settings;

/// <summary>
/// The settings of PostgreSQL's that drivers send when they connect. They are kept for SHOW; only the time zone, which DuckDB has too, changes what a query gives.
/// </summary>
/// <param name="user">The user name that the client gave.</param>
/// <param name="startup">The client's start-up parameters: those that are settings are this session's defaults.</param>
internal sealed class SessionSettings(string user, IReadOnlyDictionary<string, string> startup)
{
    /// <summary>The settings that a ParameterStatus tells of at login, with their values.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Reported => [new("user", user), .. startup];

    /// <summary>Carries out a SET, RESET or DISCARD; gives the settings that a ParameterStatus must tell of.</summary>
    /// <exception cref="EndpointException">The value is not one that the setting can have.</exception>
    public IReadOnlyList<KeyValuePair<string, string>> Apply(SettingAction action) => throw new NotImplementedException();

    /// <summary>A transaction begins: what is set from now on is undone if it fails.</summary>
    public void Begin() { }

    /// <summary>The transaction ends; gives the settings that a ParameterStatus must tell of.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> End(bool committed) => [];

    /// <summary>DuckDB's time zone has changed.</summary>
    public void TimeZoneIs(string zone) { }
}
