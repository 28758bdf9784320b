namespace MdFunctions.Loads;

/// <summary>One run of a load: a row of <c>md_functions.load_runs</c>.</summary>
/// <param name="Load">The load's name.</param>
/// <param name="Occurrence">What the run is for; a load runs once for each.</param>
/// <param name="Trigger"><c>http</c>, <c>timer</c> or <c>event</c>.</param>
/// <param name="Status"><c>succeeded</c> or <c>failed</c>.</param>
/// <param name="Rows">How many rows were loaded.</param>
/// <param name="StartedAt">When it started.</param>
/// <param name="FinishedAt">When it finished.</param>
/// <param name="Error">Why it failed.</param>
public sealed record LoadRun(
    string Load, string Occurrence, string Trigger, string Status, long? Rows, DateTimeOffset StartedAt, DateTimeOffset FinishedAt, string? Error);
