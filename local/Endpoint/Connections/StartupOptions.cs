using System.Text;
using System.Text.RegularExpressions;

namespace MdFunctions.Endpoint.Connections;

/// <summary>The start-up parameter <c>options</c>: words split at spaces, with a backslash before a space that belongs to a word.</summary>
internal sealed partial record StartupOptions
{
    public bool AttachSingle { get; private init; }

    public string SessionName { get; private init; } = "";

    public bool IsMetabase { get; private init; }

    /// <summary>Settings by <c>-c name=value</c>, as psql and drivers send them.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; private init; } = new Dictionary<string, string>();

    /// <summary>What is not known.</summary>
    public IReadOnlyList<string> Unknown { get; private init; } = [];

    /// <summary>Reads the parameter.</summary>
    /// <exception cref="EndpointException">An option has a value that it cannot have.</exception>
    public static StartupOptions Parse(string text)
    {
        var options = new StartupOptions();
        var settings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var unknown = new List<string>();
        var words = Words(text);
        for (var i = 0; i < words.Count; i++)
        {
            if (words[i] == "-c" || words[i].StartsWith("-c", StringComparison.Ordinal))
            {
                var setting = words[i] == "-c" ? ++i < words.Count ? words[i] : "" : words[i][2..];
                if (setting.IndexOf('=') is > 0 and var equals)
                    settings[setting[..equals].Replace('-', '_')] = setting[(equals + 1)..];
                unknown.Add($"-c {setting}");
                continue;
            }
            if (Option().Match(words[i]) is not { Success: true } match)
            {
                unknown.Add(words[i]);
                continue;
            }
            var value = match.Groups["value"].Value;
            switch (match.Groups["name"].Value.Replace('-', '_').ToLowerInvariant())
            {
                case "attach_mode":
                    options = options with { AttachSingle = OneOf("attach_mode", value, "single", "workspace") == "single" };
                    break;
                case "session_name":
                    options = options with { SessionName = value };
                    break;
                case "compatibility_mode":
                    options = options with { IsMetabase = OneOf("compatibility-mode", value, "metabase") == "metabase" };
                    break;
                default:
                    unknown.Add(words[i]);
                    break;
            }
        }
        return options with { Settings = settings, Unknown = unknown };
    }

    /// <summary>The same options with what a database's name asks for: <c>md:my_db?attach_mode=single</c>.</summary>
    public StartupOptions WithDatabaseQuery(string query)
        => query.Split('&').Contains("attach_mode=single", StringComparer.OrdinalIgnoreCase) ? this with { AttachSingle = true } : this;

    private static string OneOf(string name, string value, params string[] values)
        => values.Contains(value)
            ? value
            : throw EndpointException.Fatal(
                $"Invalid Input Error: {name} must be {string.Join(" or ", values)}, not \"{value}\"", SqlState.InvalidSetting);

    private static List<string> Words(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var isOpen = false;
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsWhiteSpace(text[i]))
            {
                if (isOpen)
                    words.Add(word.ToString());
                word.Clear();
                isOpen = false;
                continue;
            }
            if (text[i] == '\\' && i + 1 < text.Length)
                i++;
            word.Append(text[i]);
            isOpen = true;
        }
        if (isOpen)
            words.Add(word.ToString());
        return words;
    }

    [GeneratedRegex("^--(?<name>[^=]+)=(?<value>.*)$", RegexOptions.Singleline)]
    private static partial Regex Option();
}
