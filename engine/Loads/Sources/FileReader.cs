using MdFunctions.Engine.Exact;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Templates;

namespace MdFunctions.Engine.Loads;

/// <summary>
/// A call in a load's statement that reads a file whose types DuckDB guesses: <c>read_csv(...)</c> or <c>read_json(...)</c> with their other names, or a
/// file's name alone behind FROM. It can be written again with the types of some columns, so that nothing of them is guessed.
/// </summary>
internal sealed class FileReader
{
    private readonly IReadOnlyList<SqlToken> _arguments;
    private readonly string _function;

    private FileReader(int start, int end, string function, IReadOnlyList<SqlToken> arguments)
    {
        (Start, End, _function, _arguments) = (start, end, function, arguments);
        Text = arguments is [{ Kind: SqlTokenKind.Quoted }] ? $"{function}({arguments[0].Text})" : $"{function}({string.Concat(arguments.Select(token => token.Text))})";
    }

    /// <summary>The first of its tokens in the statement.</summary>
    public int Start { get; }

    /// <summary>The token behind its last one.</summary>
    public int End { get; }

    /// <summary>The call as it is.</summary>
    public string Text { get; }

    /// <summary>Whether it reads CSV; else it reads JSON.</summary>
    public bool IsCsv => _function.Contains("csv", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether the call says all types itself, so that there is nothing to add.</summary>
    public bool IsTyped => Has("columns") || (IsCsv ? Has("all_varchar") || Types is { } at && _arguments[at].Text != "{" : Has("records") || Has("format"));

    /// <summary>Finds the readers of a statement.</summary>
    public static List<FileReader> Find(IReadOnlyList<SqlToken> tokens)
    {
        var readers = new List<FileReader>();
        for (var i = 0; i < tokens.Count; i++)
        {
            if (tokens[i].Kind == SqlTokenKind.Word && IsFunction(tokens[i].Text) && Next(tokens, i) is { } open && tokens[open].Text == "(")
            {
                var end = Close(tokens, open);
                readers.Add(new(i, end + 1, tokens[i].Text, [.. tokens.Skip(open + 1).Take(end - open - 1)]));
                i = end;
            }
            else if ((tokens[i].Is("FROM") || tokens[i].Is("JOIN")) && Next(tokens, i) is { } file && tokens[file].Text.StartsWith('\'') && FunctionFor(tokens[file].Text) is { } function)
            {
                readers.Add(new(file, file + 1, function, [tokens[file]]));
                i = file;
            }
        }
        return readers;
    }

    /// <summary>Whether the call itself says that a column comes from a folder of the path, such as <c>/year=2024/</c>.</summary>
    public bool NamesFolder(string column) => Path.Any(token => token.Kind == SqlTokenKind.Quoted && token.Text.Contains($"/{column}=", StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether folders may be found that the call does not name, by a glob or an expression.</summary>
    public bool MayFindFolders => Path.Any(token => token.Kind == SqlTokenKind.Quoted ? token.Text.AsSpan().IndexOfAny("*?[") >= 0 : token.Kind != SqlTokenKind.Space && token.Text is not ("[" or "]" or ","))
        || Has("hive_partitioning") || HasFolderTypes;

    /// <summary>Whether the call itself gives types to columns that come from folders.</summary>
    public bool HasFolderTypes => Has("hive_types");

    /// <summary>The call without the columns that come from folders.</summary>
    public string WithoutFolders
    {
        get
        {
            var kept = Split().Where(argument => !argument.Any(token => token.Is("hive_partitioning") || token.Is("hive_types") || token.Is("hive_types_autocast")));
            return $"{_function}({string.Join(",", kept.Select(argument => string.Concat(argument.Select(token => token.Text))))}, hive_partitioning = false)";
        }
    }

    /// <summary>Whether the call itself gives a column a type.</summary>
    public bool Names(string column) => Types is { } at && Keys(at).Contains(column, StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether the call has an option that says how text becomes a value of a type, so that only the reader itself can make it one.</summary>
    public bool Formats(DuckType type) => type switch
    {
        { Name: "DATE" } => Has("dateformat") || Has("date_format"),
        { IsDate: true } or { Name: "TIMESTAMP WITH TIME ZONE" } => Has("timestampformat") || Has("timestamp_format"),
        { IsNumber: true } => Has("decimal_separator") || Has("thousands"),
        _ => false,
    };

    /// <summary>The call with types for some of its columns.</summary>
    /// <param name="columns">All columns as they are guessed.</param>
    /// <param name="types">The types to use instead, by column.</param>
    /// <param name="folders">Those of the columns that come from folders.</param>
    public string With(IReadOnlyList<Column> columns, IReadOnlyDictionary<string, string> types, IReadOnlySet<string> folders)
    {
        var ofFolders = types.Where(type => folders.Contains(type.Key)).Select(type => (type.Key, type.Value)).ToList();
        var ofFile = types.Where(type => !folders.Contains(type.Key)).Select(type => (type.Key, type.Value)).ToList();
        var text = string.Concat(_arguments.Select(token => token.Text));
        if (ofFile.Count > 0 && !IsCsv)
            text += $", columns = {{{List(columns.Where(column => !column.Is("filename") && !folders.Contains(column.Name)).Select(column => (column.Name, types.GetValueOrDefault(column.Name, column.Type))))}}}";
        else if (ofFile.Count > 0)
            text = WithTypes(text, List(ofFile));
        return $"{_function}({text}{(ofFolders.Count > 0 ? $", hive_types = {{{List(ofFolders)}}}" : "")})";
    }

    private string WithTypes(string text, string added)
    {
        if (Types is not { } at)
            return $"{text}, types = {{{added}}}";
        var isEmpty = Keys(at).Count == 0;
        return $"{string.Concat(_arguments.Take(at + 1).Select(token => token.Text))}{added}{(isEmpty ? "" : ", ")}{string.Concat(_arguments.Skip(at + 1).Select(token => token.Text))}";
    }

    // What says which files to read.
    private IReadOnlyList<SqlToken> Path => Split().First();

    private IEnumerable<IReadOnlyList<SqlToken>> Split()
    {
        var (depth, start) = (0, 0);
        for (var i = 0; i < _arguments.Count; i++)
        {
            depth += _arguments[i].Text switch { "(" or "[" or "{" => 1, ")" or "]" or "}" => -1, _ => 0 };
            if (depth != 0 || _arguments[i].Text != ",")
                continue;
            yield return [.. _arguments.Skip(start).Take(i - start)];
            start = i + 1;
        }
        yield return [.. _arguments.Skip(start)];
    }

    private static string List(IEnumerable<(string Name, string Type)> types) => string.Join(", ", types.Select(type => $"{Sql.Literal(type.Name)}: {Sql.Literal(type.Type)}"));

    // Where the value of types = begins, by whichever of its names.
    private int? Types => Option("types") ?? Option("dtypes") ?? Option("column_types");

    private bool Has(string option) => Option(option) is not null;

    private int? Option(string name)
    {
        var depth = 0;
        for (var i = 0; i < _arguments.Count; i++)
        {
            depth += _arguments[i].Text switch { "(" or "[" or "{" => 1, ")" or "]" or "}" => -1, _ => 0 };
            if (depth > 0 || !_arguments[i].Is(name) || Next(_arguments, i) is not { } sign || _arguments[sign].Text is not ("=" or ":"))
                continue;
            var value = Next(_arguments, sign);
            while (value is { } at && _arguments[at].Text is "=" or ">")
                value = Next(_arguments, at);
            return value;
        }
        return null;
    }

    // The names in { 'a': ..., b: ... }.
    private List<string> Keys(int brace)
    {
        var keys = new List<string>();
        var depth = 0;
        for (var i = brace; i < _arguments.Count; i++)
        {
            depth += _arguments[i].Text switch { "(" or "[" or "{" => 1, ")" or "]" or "}" => -1, _ => 0 };
            if (depth == 0)
                break;
            if (depth == 1 && _arguments[i].Kind is SqlTokenKind.Word or SqlTokenKind.Quoted && Next(_arguments, i) is { } colon && _arguments[colon].Text == ":")
                keys.Add(_arguments[i].Name ?? _arguments[i].Text[1..^1].Replace("''", "'", StringComparison.Ordinal));
        }
        return keys;
    }

    private static bool IsFunction(string word) => word.ToLowerInvariant() is "read_csv" or "read_csv_auto" or "read_json" or "read_json_auto" or "read_ndjson" or "read_ndjson_auto";

    private static string? FunctionFor(string literal)
    {
        var name = literal.Trim('\'').Split('?')[0].ToLowerInvariant();
        foreach (var packed in (string[])[".gz", ".zst"])
            name = name.EndsWith(packed, StringComparison.Ordinal) ? name[..^packed.Length] : name;
        return System.IO.Path.GetExtension(name) switch { ".csv" or ".tsv" => "read_csv", ".json" or ".jsonl" or ".ndjson" => "read_json", _ => null };
    }

    private static int? Next(IReadOnlyList<SqlToken> tokens, int at)
    {
        for (at++; at < tokens.Count; at++)
        {
            if (tokens[at].Kind != SqlTokenKind.Space)
                return at;
        }
        return null;
    }

    private static int Close(IReadOnlyList<SqlToken> tokens, int open)
    {
        var depth = 0;
        for (var i = open; i < tokens.Count; i++)
        {
            depth += tokens[i].Text switch { "(" => 1, ")" => -1, _ => 0 };
            if (depth == 0)
                return i;
        }
        return tokens.Count - 1;
    }
}
