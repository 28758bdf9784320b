namespace MdFunctions.Endpoint.Values;

/// <summary>How a session's lists look as text.</summary>
internal enum ListStyle
{
    /// <summary>DuckDB's own form: <c>[1, 2]</c>. Drivers' array parsers do not understand it.</summary>
    DuckDb,

    /// <summary>In braces, the elements unquoted: <c>{1,2}</c>, as with --compatibility-mode=metabase.</summary>
    Braces,

    /// <summary>PostgreSQL's arrays, quoted as its drivers expect.</summary>
    Postgres,
}

/// <summary>What of a session changes how values look.</summary>
internal sealed class SessionFormat(ListStyle lists, TimeZones zones)
{
    public ListStyle Lists => lists;

    /// <summary>The time zone in which TIMESTAMPTZ is shown.</summary>
    public TimeZoneOffsets Zone { get; private set; } = zones.Find("UTC");

    public void UseZone(string name) => Zone = zones.Find(name);
}
