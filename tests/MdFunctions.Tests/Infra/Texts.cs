using System.Text.RegularExpressions;

namespace MdFunctions.Tests.Infra;

/// <summary>The repository's files as texts.</summary>
internal static class Texts
{
    private static readonly string[] Skipped = ["bin", "obj", "node_modules", ".git", "TestResults"];

    /// <summary>All that people read: README, docs, requests, what infra says of itself.</summary>
    public static IEnumerable<(string Path, string Text)> ForPeople => Below("", "*.md").Concat(Below("http", "*.http"));

    /// <summary>The workflows.</summary>
    public static IEnumerable<(string Path, string Text)> Workflows => Below(".github/workflows", "*.yml");

    /// <summary>The sources of the app and its engine.</summary>
    public static IEnumerable<(string Path, string Text)> Code => Below("functions", "*.cs").Concat(Below("engine", "*.cs"));

    /// <summary>A file.</summary>
    public static string Of(string path) => File.ReadAllText(Path.Combine(Bicep.Root, path));

    /// <summary>The files below a folder, but for what a build or a package manager put there.</summary>
    public static IEnumerable<(string Path, string Text)> Below(string folder, string pattern)
    {
        var full = Path.Combine(Bicep.Root, folder);
        if (!Directory.Exists(full))
            return [];
        return Directory.EnumerateFiles(full, pattern, SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Bicep.Root, path).Replace('\\', '/'))
            .Where(path => !path.Split('/').Intersect(Skipped).Any())
            .Order(StringComparer.Ordinal)
            .Select(path => (path, Of(path)));
    }

    /// <summary>What a pattern's first group found in a text, in a line of its own each.</summary>
    public static IEnumerable<string> Find(string text, string pattern) =>
        Regex.Matches(text, pattern, RegexOptions.Multiline).Select(match => match.Groups[1].Value);
}
