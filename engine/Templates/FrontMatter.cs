using System.Globalization;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace MdFunctions.Engine.Templates;

/// <summary>
/// A mapping of the YAML at the head of a SQL file. Each key is asked for once, by its type; what is wrong, and what nobody asked for, becomes a
/// fault with the file's name and line.
/// </summary>
internal sealed partial class FrontMatter(SqlFile file, YamlMappingNode map)
{
    private readonly HashSet<string> _asked = [];

    /// <summary>The keys that are there, in the file's order.</summary>
    public IEnumerable<string> Keys => map.Children.Keys.Select(key => ((YamlScalarNode)key).Value!);

    /// <summary>Has the parser at hand for the first file.</summary>
    public static void Preload() => new YamlStream().Load(new StringReader("key: [value]"));

    /// <summary>Reads the front matter of a file; without any, an empty mapping.</summary>
    public static FrontMatter Read(SqlFile file)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(file.FrontMatterText));
        }
        catch (YamlException e)
        {
            file.FaultAtLine(file.FrontMatterLine + (int)e.Start.Line - 1, $"the front matter is not valid YAML: {e.InnerException?.Message ?? e.Message}");
            return new(file, []);
        }
        if (stream.Documents.Count == 0)
            return new(file, []);
        if (stream.Documents[0].RootNode is YamlMappingNode map && map.Children.Keys.All(key => key is YamlScalarNode))
            return new(file, map);
        file.FaultAtLine(file.FrontMatterLine, "the front matter is not a YAML mapping, 'key: value' on each line");
        return new(file, []);
    }

    /// <summary>Whether a key is there with no value: <c>null</c>, <c>~</c> or nothing behind the colon.</summary>
    public bool IsNull(string key) => Node(key) is { } node && IsNull(node);

    /// <summary>A text or other scalar, as written; null if it is not there.</summary>
    public string? Text(string key) => Node(key) switch
    {
        null => null,
        var node when IsNull(node) => null,
        YamlScalarNode scalar => scalar.Value ?? "",
        _ => Wrong<string>(key, "a single value"),
    };

    /// <summary>A whole number within bounds.</summary>
    public long? Integer(string key, long minimum, long maximum)
    {
        if (Text(key) is not { } text)
            return null;
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= minimum && value <= maximum
            ? value
            : Wrong<long?>(key, $"a whole number from {minimum} to {maximum}");
    }

    /// <summary><c>true</c> or <c>false</c>; false if it is not there.</summary>
    public bool Boolean(string key, bool otherwise = false) => Text(key) switch
    {
        null => otherwise,
        "false" => false,
        "true" => true,
        _ => Wrong<bool>(key, "true or false"),
    };

    /// <summary>A length of time within bounds, such as <c>30s</c>.</summary>
    public TimeSpan? Duration(string key, TimeSpan minimum, TimeSpan maximum)
    {
        if (Text(key) is not { } text)
            return null;
        return Engine.Duration.TryParse(text, out var value) && value >= minimum && value <= maximum
            ? value
            : Wrong<TimeSpan?>(key, $"a duration from {Engine.Duration.Write(minimum)} to {Engine.Duration.Write(maximum)}, such as 500ms, 30s, 5m or 1h");
    }

    /// <summary>One of a set of words.</summary>
    public string? Choice(string key, params string[] choices)
    {
        if (Text(key) is not { } text)
            return null;
        return choices.Contains(text, StringComparer.Ordinal) ? text : Wrong<string>(key, $"one of {string.Join(", ", choices)}");
    }

    /// <summary>A list of scalars; a single scalar is a list of one. Null if it is not there.</summary>
    public IReadOnlyList<string>? List(string key) => Node(key) switch
    {
        null => null,
        var node when IsNull(node) => null,
        YamlScalarNode scalar => [scalar.Value ?? ""],
        YamlSequenceNode list when list.Children.All(child => child is YamlScalarNode && !IsNull(child)) => [.. list.Children.Select(child => ((YamlScalarNode)child).Value ?? "")],
        _ => Wrong<IReadOnlyList<string>>(key, "a list of values"),
    };

    /// <summary>Whether a key's value is a mapping.</summary>
    public bool IsMapping(string key) => Node(key) is YamlMappingNode inner && inner.Children.Keys.All(name => name is YamlScalarNode);

    /// <summary>A mapping below this one; null if it is not there.</summary>
    public FrontMatter? Map(string key) => Node(key) switch
    {
        null => null,
        var node when IsNull(node) => null,
        YamlMappingNode inner when inner.Children.Keys.All(name => name is YamlScalarNode) => new(file, inner),
        _ => Wrong<FrontMatter>(key, "a mapping"),
    };

    /// <summary>A text of a key's value; where it is <c>%NAME%</c>, the setting of that name. One that is not set is a fault, which calls the key as it is told.</summary>
    public string Resolve(string key, string what, string text, Settings settings)
    {
        if (SettingReference().Match(text) is not { Success: true } reference)
            return text;
        if (settings.Text(reference.Groups[1].Value) is { } value)
            return value;
        Fault(key, $"{what} is the setting {reference.Groups[1].Value}, which is not set");
        return "";
    }

    /// <summary>Adds a fault at a key's line.</summary>
    public void Fault(string key, string fault) => file.FaultAtLine(Line(key), fault);

    /// <summary>Faults every key that nothing asked for.</summary>
    public void RejectUnknown(string what)
    {
        foreach (var key in Keys.Where(key => !_asked.Contains(key)))
            Fault(key, $"{what} has no '{key}'; it knows {string.Join(", ", _asked.Order(StringComparer.Ordinal))}");
    }

    private YamlNode? Node(string key)
    {
        _asked.Add(key);
        return map.Children.TryGetValue(new YamlScalarNode(key), out var node) ? node : null;
    }

    // Quoted, the same words are text.
    private static bool IsNull(YamlNode node) => node is YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "~" or "null" or "Null" or "NULL" };

    private int Line(string key) =>
        file.FrontMatterLine - 1 + (int)(map.Children.Keys.FirstOrDefault(node => node is YamlScalarNode scalar && scalar.Value == key) ?? map).Start.Line;

    private T? Wrong<T>(string key, string expected)
    {
        Fault(key, $"'{key}' is not {expected}");
        return default;
    }

    [GeneratedRegex("^%([A-Za-z0-9_:.-]+)%$")]
    private static partial Regex SettingReference();
}
