using System.Text;

namespace MdFunctions.Local.Doctor;

/// <summary>The probes as tables of docs/endpoint-facts.md.</summary>
internal static class FactsPage
{
    /// <summary>What the source is called, and when it was last looked at.</summary>
    public static string Word(FactSource source) => source switch
    {
        FactSource.Page => "page, 2026",
        FactSource.Report => "report, 2026",
        FactSource.DuckDb => "DuckDB 1.5, 2026",
        _ => "guess",
    };

    /// <summary>Writes the tables.</summary>
    public static string Write()
    {
        var page = new StringBuilder();
        foreach (var group in AllProbes.Groups)
        {
            page.Append($"\n### {group.Subject}\n\n| probe | fact | source, last seen | this app | otherwise |\n| --- | --- | --- | --- | --- |\n");
            foreach (var probe in group.Probes)
                page.Append($"| {probe.Name} | {Cell(probe.Fact)}{Variants(probe)} | {Word(probe.Source)} | {Cell(probe.App)} | {(probe.Severity == Severity.Fails ? "**fails**" : "copes")}: {Cell(probe.Otherwise)} |\n");
        }
        return page.ToString();
    }

    // Both of two behaviours that the app is tested with.
    private static string Variants(Probe probe) => probe.Known.Count < 2 ? "" : $" Known: {string.Join(" or ", probe.Known.Select(known => $"`{Cell(known)}`"))}.";

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
