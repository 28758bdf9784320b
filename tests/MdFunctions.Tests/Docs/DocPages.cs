using System.Text.RegularExpressions;
using MdFunctions.Local;

namespace MdFunctions.Tests.Docs;

/// <summary>README and the pages of <c>docs/</c>, as tests read them.</summary>
public static partial class DocPages
{
    /// <summary>The repository's folder.</summary>
    public static readonly string Root = LocalHost.RepositoryRoot();

    /// <summary>README, the pages of <c>docs/</c>, and what else people read: path from the root, and text.</summary>
    public static readonly IReadOnlyDictionary<string, string> All =
        ((string[])["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "engine/README.md", "infra/README.md"])
        .Concat(Directory.EnumerateFiles(Path.Combine(Root, "docs"), "*.md").Select(page => $"docs/{Path.GetFileName(page)}"))
        .ToDictionary(page => page, page => File.ReadAllText(Path.Combine(Root, page)), StringComparer.Ordinal);

    /// <summary>The tables' rows of a page, or of the part of it below a heading: the cells, trimmed, without the backticks around the first.</summary>
    /// <param name="page">The page's path.</param>
    /// <param name="heading">A part of the heading; null for the whole page.</param>
    public static List<string[]> Rows(string page, string? heading = null)
    {
        IEnumerable<string> lines = All[page].Split('\n');
        if (heading is not null)
        {
            lines = lines.SkipWhile(line => !(line.StartsWith('#') && (line + " ").Contains(heading, StringComparison.OrdinalIgnoreCase)));
            Assert.True(lines.Any(), $"{page} has no heading '{heading}'");
            lines = lines.Skip(1).TakeWhile(line => !line.StartsWith('#'));
        }
        var rows = lines.Where(line => Row().IsMatch(line)).Select(line => line.Trim('|', ' ').Split('|', StringSplitOptions.TrimEntries)).ToList();
        Assert.NotEmpty(rows);
        foreach (var row in rows)
            row[0] = row[0].Trim('`');
        Assert.Equal(rows.Select(row => row[0]).Distinct(), rows.Select(row => row[0]));
        return rows;
    }

    [GeneratedRegex("^\\| `[^`]+`")]
    private static partial Regex Row();
}
