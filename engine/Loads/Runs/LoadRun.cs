namespace MdFunctions.Engine.Loads;

/// <summary>A run of a load: a row of <c>md_functions.load_runs</c> in the target's database.</summary>
/// <param name="Load">The load's name.</param>
/// <param name="Occurrence">What the run is for: a scheduled time, an idempotency key, or a blob and its ETag. A load succeeds once for each.</param>
/// <param name="Trigger">What started it: <c>timer</c>, <c>http</c> or <c>event</c>.</param>
/// <param name="Source">The URLs that it reads, without what follows a question mark; null where it reads tables.</param>
/// <param name="Status"><c>succeeded</c>, <c>failed</c> or <c>skipped</c>.</param>
/// <param name="Rows">How many rows were loaded.</param>
/// <param name="Bytes">How large the source is, where an event said so.</param>
/// <param name="StartedAt">When it started.</param>
/// <param name="FinishedAt">When it finished.</param>
/// <param name="Error">Why it did not succeed.</param>
internal sealed record LoadRun(
    string Load, string Occurrence, string Trigger, string? Source, string Status, long? Rows, long? Bytes,
    DateTimeOffset StartedAt, DateTimeOffset FinishedAt, string? Error);
