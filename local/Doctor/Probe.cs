namespace MdFunctions.Local.Doctor;

/// <summary>Where a fact comes from.</summary>
internal enum FactSource
{
    /// <summary>MotherDuck's pages say so.</summary>
    Page,

    /// <summary>Somebody recorded it on the live endpoint.</summary>
    Report,

    /// <summary>DuckDB itself does so, measured with version 1.5.</summary>
    DuckDb,

    /// <summary>Nobody has seen it.</summary>
    Guess,
}

/// <summary>How bad it is if a fact does not hold.</summary>
internal enum Severity
{
    /// <summary>The app works all the same.</summary>
    Copes,

    /// <summary>Something in the app fails.</summary>
    Fails,
}

/// <summary>One thing that the app relies on, and how an endpoint is asked for it.</summary>
/// <param name="Name">What it is called in reports.</param>
/// <param name="Fact">The fact, in words.</param>
/// <param name="Source">Where it comes from.</param>
/// <param name="App">What the app does because of it.</param>
/// <param name="Otherwise">What it means if it does not hold, and what to set.</param>
/// <param name="Severity">How bad that is.</param>
/// <param name="Known">What an endpoint may answer. The app is tested with each, where there are several.</param>
/// <param name="AskAsync">Asks an endpoint. The answer holds nothing of the account but what this program sent.</param>
internal sealed record Probe(
    string Name, string Fact, FactSource Source, string App, string Otherwise, Severity Severity, IReadOnlyList<string> Known,
    Func<Patient, CancellationToken, Task<string>> AskAsync);

/// <summary>Probes that have a subject in common.</summary>
/// <param name="Subject">The heading.</param>
/// <param name="Probes">The probes.</param>
internal sealed record ProbeGroup(string Subject, IReadOnlyList<Probe> Probes);

/// <summary>What became of a fact.</summary>
internal enum Outcome
{
    /// <summary>It is so.</summary>
    Held,

    /// <summary>It is not so.</summary>
    Differs,

    /// <summary>It could not be asked for.</summary>
    NotAsked,
}

/// <summary>What an endpoint said to a probe.</summary>
/// <param name="Probe">The probe.</param>
/// <param name="Outcome">What became of its fact.</param>
/// <param name="Seen">What was seen; of a probe that was not asked, why.</param>
/// <param name="Took">How long it took.</param>
internal sealed record Finding(Probe Probe, Outcome Outcome, string Seen, TimeSpan Took);

/// <summary>A probe has nothing to ask here. The message says why.</summary>
internal sealed class NotAskedException(string reason) : Exception(reason);
