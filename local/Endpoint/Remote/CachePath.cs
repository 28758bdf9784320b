using System.Text;
using System.Text.RegularExpressions;

namespace MdFunctions.Endpoint.Remote;

/// <summary>A path for a cached file that says what the URL's says: DuckDB tells formats and compression by a name's end, and hive partitions by its folders.</summary>
internal static partial class CachePath
{
    /// <summary>The path below the file's own folder.</summary>
    public static string Of(string url)
    {
        var segments = Server().Replace(url, "").Split('?', '#')[0].Split('/');
        return Path.Combine([.. segments[..^1].Where(IsPartition).Select(Escaped), FileName(segments[^1])]);
    }

    private static bool IsPartition(string segment) => segment.IndexOf('=', StringComparison.Ordinal) > 0 && segment.Length < 200;

    /// <summary>The folder's name; what a file system or a glob would take for something else is escaped as in a URL, which DuckDB undoes.</summary>
    private static string Escaped(string segment)
    {
        var text = new StringBuilder();
        foreach (var c in segment)
        {
            if (c < ' ' || "*?[]\\:\"<>|".Contains(c, StringComparison.Ordinal)) text.Append(System.Globalization.CultureInfo.InvariantCulture, $"%{(int)c:X2}");
            else text.Append(c);
        }
        return text.ToString();
    }

    private static string FileName(string segment)
    {
        var name = Unsafe().Replace(Uri.UnescapeDataString(segment), "_").TrimStart('.');
        return name == "" ? "data" : name[Math.Max(0, name.Length - 100)..].TrimStart('.');
    }

    [GeneratedRegex("^[a-z]+://[^/]*", RegexOptions.IgnoreCase)]
    private static partial Regex Server();

    [GeneratedRegex("[^A-Za-z0-9._-]")]
    private static partial Regex Unsafe();
}
