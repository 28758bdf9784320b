using System.Text;
using System.Text.RegularExpressions;

namespace MdFunctions.Endpoint.Remote.Sources;

/// <summary>DuckDB's globs: <c>*</c> within a part, <c>**</c> over parts, <c>?</c> and <c>[..]</c>.</summary>
internal static class Glob
{
    private static readonly char[] Special = ['*', '?', '[', ']'];

    public static bool IsGlob(string path) => path.IndexOfAny(Special) >= 0;

    /// <summary>What stands before the first special character: all matches begin so.</summary>
    public static string Prefix(string path) => path[..path.IndexOfAny(Special)];

    public static Regex Pattern(string glob)
    {
        var source = new StringBuilder("^");
        for (var i = 0; i < glob.Length; i++)
        {
            switch (glob[i])
            {
                case '*' when i + 1 < glob.Length && glob[i + 1] == '*':
                    var slash = i + 2 < glob.Length && glob[i + 2] == '/';
                    source.Append(slash ? "(?:.*/)?" : ".*");
                    i += slash ? 2 : 1;
                    break;
                case '*':
                    source.Append("[^/]*");
                    break;
                case '?':
                    source.Append("[^/]");
                    break;
                case '[' when i + 2 < glob.Length && glob.IndexOf(']', i + 2) is > 0 and var end:
                    source.Append(Class(glob[(i + 1)..end]));
                    i = end;
                    break;
                default:
                    source.Append(Regex.Escape(glob[i].ToString()));
                    break;
            }
        }
        return new(source.Append('$').ToString(), RegexOptions.Singleline | RegexOptions.CultureInvariant);
    }

    private static string Class(string characters)
    {
        var not = characters[0] is '!' or '^';
        var rest = (not ? characters[1..] : characters).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("[", "\\[", StringComparison.Ordinal).Replace("]", "\\]", StringComparison.Ordinal);
        return $"[{(not ? "^" : "")}{rest}]";
    }
}
