namespace MdFunctions.Endpoint.Settings;

internal enum SettingVerb
{
    Set,
    Reset,

    /// <summary>RESET ALL: DuckDB's time zone goes back to the session's first one too.</summary>
    ResetAll,

    /// <summary>DISCARD ALL: as RESET ALL, and the session's prepared statements and portals go.</summary>
    DiscardAll,

    /// <summary>DISCARD PLANS, SEQUENCES or TEMP: there is nothing of the kind to discard.</summary>
    Discard,

    /// <summary>DEALLOCATE of a prepared statement, or of all where there is no name: those of the protocol and those of PREPARE alike.</summary>
    Deallocate,

    /// <summary>SAVEPOINT or RELEASE: DuckDB has none, so only going back to one is refused.</summary>
    Savepoint,
}

/// <summary>A statement about the session that DuckDB does not have, and drivers send.</summary>
/// <param name="Verb">What to do.</param>
/// <param name="Name">The setting, in lower case; for DEALLOCATE the statement as it is spelled, or empty for all.</param>
/// <param name="Value">What it shall be; null is its default.</param>
/// <param name="IsLocal">Whether it holds until the transaction's end only.</param>
internal sealed record SettingAction(SettingVerb Verb, string Name = "", string? Value = null, bool IsLocal = false);
