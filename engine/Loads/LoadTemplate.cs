using MdFunctions.Engine.Templates;

namespace MdFunctions.Engine.Loads;

/// <summary>What becomes of the rows that are in the target already.</summary>
internal enum LoadMode
{
    /// <summary>They make way for the new ones, in one step.</summary>
    Replace,

    /// <summary>They stay, and the new ones are added.</summary>
    Append,

    /// <summary>Those with the keys of a new row are updated; the others stay, and the other new ones are added.</summary>
    Merge,
}

/// <summary>A file of <c>sql/loads</c>.</summary>
/// <param name="Template">The statement and its parameters.</param>
internal sealed record LoadTemplate(Template Template)
{
    /// <summary>The load's name.</summary>
    public string Name => Template.Name;

    /// <summary>The table it fills.</summary>
    public required TableName Target { get; init; }

    /// <summary>What becomes of the rows that are there.</summary>
    public required LoadMode Mode { get; init; }

    /// <summary>Of a merge, the columns that tell rows apart.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>The timer that runs it, the name of one of <see cref="AppTriggers.Timers"/>, or <c>none</c>.</summary>
    public string Schedule { get; init; } = "none";

    /// <summary>Loads of the same schedule that must have succeeded before.</summary>
    public IReadOnlyList<string> After { get; init; } = [];

    /// <summary>The blobs whose events run it; null for none.</summary>
    public BlobPrefix? Events { get; init; }

    /// <summary>Types that columns of the result are cast to, by column.</summary>
    public IReadOnlyDictionary<string, string> CreateAs { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether columns that the target lacks are added to it; else they fail the load.</summary>
    public bool AddColumns { get; init; }

    /// <summary>SELECTs over <c>staged</c>, the rows to be published, that must each return true.</summary>
    public IReadOnlyList<IReadOnlyList<SqlToken>> Checks { get; init; } = [];

    /// <summary>Whether models see it as a tool that they may run. Default false.</summary>
    public bool Mcp { get; init; }

    /// <summary>How long a run may take. Default 10 minutes.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Whether the statement or a check uses <c>$url</c>.</summary>
    public bool UsesUrl => Events is not null
        && (Template.Write(name => name == "url" ? "\0" : "").Contains('\0', StringComparison.Ordinal) || Checks.Any(check => check.Any(token => token is { Kind: SqlTokenKind.Parameter, Text: "$url" })));

    /// <summary>Reads a file; faults go to it.</summary>
    public static LoadTemplate Read(SqlFile file, Settings settings, AppTriggers triggers)
    {
        var frontMatter = FrontMatter.Read(file);
        var eventsText = ReadEvents(frontMatter, settings);
        var events = eventsText is null ? null : BlobPrefix.Parse(eventsText);
        if (eventsText is { Length: > 0 } && events is null)
            frontMatter.Fault("events", "'events' is not the beginning of blob URLs, https://ACCOUNT.blob.core.windows.net/CONTAINER/ (or az://...) without '?' and globs; a '*' and an ending may follow it, PREFIX *.csv");
        string[] given = eventsText is null ? ["run_date", "run_time"] : ["run_date", "run_time", "url"];
        var template = Template.Read(file, frontMatter, settings, given.Contains, hasCallers: true);

        var target = TableName.Parse(frontMatter.Text("target") ?? "");
        if (target is null)
            frontMatter.Fault("target", "'target' is not a table's full name, database.schema.table");
        var mode = frontMatter.Choice("mode", "replace", "append", "merge");
        if (mode is null && !frontMatter.Keys.Contains("mode"))
            frontMatter.Fault("mode", "'mode' is missing; expected replace, append or merge");
        var keys = frontMatter.List("keys") ?? [];
        if (keys.Count > 0 != (mode == "merge"))
            frontMatter.Fault(keys.Count > 0 ? "keys" : "mode", "'keys' names the columns that tell rows apart in mode merge, and has no place in another");
        var schedule = frontMatter.Choice("schedule", [.. triggers.Timers.Keys, "none"]) ?? "none";
        if (schedule != "none" || events is not null)
        {
            foreach (var parameter in template.Parameters.Where(parameter => parameter is { Default: null, Optional: false }))
                frontMatter.Fault("parameters", parameter.Claim is null
                    ? $"parameter '{parameter.Name}' needs a default or 'optional: true': nobody gives it a value when the load runs by itself"
                    : $"parameter '{parameter.Name}' is a claim of the caller's token: nobody has one when the load runs by itself");
        }
        if (schedule != "none" && events is not null)
            frontMatter.Fault("events", "a load runs by 'schedule' or by 'events', not by both");
        var load = new LoadTemplate(template)
        {
            Target = target ?? new("", "", ""),
            Mode = mode switch { "append" => LoadMode.Append, "merge" => LoadMode.Merge, _ => LoadMode.Replace },
            Keys = keys,
            Schedule = schedule,
            After = frontMatter.List("after") ?? [],
            Events = events,
            CreateAs = ReadTypes(frontMatter),
            AddColumns = frontMatter.Choice("onSchemaChange", "fail", "addColumns") == "addColumns",
            Checks = ReadChecks(frontMatter, [.. given, .. template.Parameters.Select(parameter => parameter.Name)]),
            Mcp = frontMatter.Boolean("mcp"),
            Timeout = frontMatter.Duration("timeout", TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1)) ?? TimeSpan.FromMinutes(10),
        };
        frontMatter.RejectUnknown("a load");
        return load;
    }

    // The ending stands apart, PREFIX *.csv or [PREFIX, "*.csv"], as a slash and a star would open another comment. In a setting it need not.
    private static string? ReadEvents(FrontMatter frontMatter, Settings settings)
    {
        if (frontMatter.List("events") is not { } parts)
            return null;
        var text = string.Join(' ', parts.Select(part => frontMatter.Resolve("events", "'events'", part.Trim(), settings)));
        return text.IndexOf(" *", StringComparison.Ordinal) is > 0 and var at ? text[..at].TrimEnd() + text[(at + 1)..] : text;
    }

    // A type is DuckDB's to judge, STRUCTs and all; here it only has to be one: balanced, and nothing behind it.
    private static Dictionary<string, string> ReadTypes(FrontMatter frontMatter)
    {
        var types = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (frontMatter.Map("createAs") is not { } columns)
            return types;
        foreach (var column in columns.Keys)
        {
            var type = columns.Text(column) ?? "";
            if (IsType(type))
                types[column] = type;
            else
                columns.Fault(column, $"column '{column}': '{type}' is not a DuckDB type such as BIGINT, DECIMAL(18,2) or VARCHAR[]");
        }
        return types;
    }

    private static bool IsType(string text)
    {
        var depth = 0;
        return SqlLexer.TryRead(text) is [{ Kind: SqlTokenKind.Word }, ..] tokens && tokens.All(token =>
        {
            depth += token.Text switch { "(" => 1, ")" => -1, _ => 0 };
            return depth >= 0 && token.Kind is not (SqlTokenKind.Parameter or SqlTokenKind.Semicolon)
                && (depth > 0 || token.Kind is SqlTokenKind.Word or SqlTokenKind.Space || token.Text is ")" or "[" or "]");
        }) && depth == 0;
    }

    private static List<IReadOnlyList<SqlToken>> ReadChecks(FrontMatter frontMatter, IReadOnlyList<string> known)
    {
        var checks = new List<IReadOnlyList<SqlToken>>();
        foreach (var text in frontMatter.List("check") ?? [])
        {
            var check = SqlFile.Parse($"check {checks.Count + 1}, line ", "check", text);
            foreach (var fault in check.Faults)
                frontMatter.Fault("check", fault.Replace("line :", "line ", StringComparison.Ordinal));
            foreach (var unknown in check.Statement.Where(token => token.Kind == SqlTokenKind.Parameter && !known.Contains(token.Text[1..])))
                frontMatter.Fault("check", $"check {checks.Count + 1}: {unknown.Text} is not declared under 'parameters'");
            checks.Add(check.Statement);
        }
        return checks;
    }
}
