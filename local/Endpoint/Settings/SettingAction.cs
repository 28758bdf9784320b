namespace MdFunctions.Endpoint.Settings;

internal enum SettingVerb { Set, Reset, ResetAll, DiscardAll }

/// <summary>A statement about a setting that drivers send and DuckDB does not have.</summary>
/// <param name="Verb">What to do.</param>
/// <param name="Name">The setting, in lower case; empty for all.</param>
/// <param name="Value">What it shall be; null is its default.</param>
/// <param name="IsLocal">Whether it holds until the transaction's end only.</param>
internal sealed record SettingAction(SettingVerb Verb, string Name, string? Value = null, bool IsLocal = false);
