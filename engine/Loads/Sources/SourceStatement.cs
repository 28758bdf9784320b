using MdFunctions.Engine.Templates;

namespace MdFunctions.Engine.Loads;

/// <summary>A load's statement, as far as it tells which columns of a file pass through it untouched and under which name they come out.</summary>
internal sealed class SourceStatement
{
    private readonly List<SqlToken> _tokens;
    private readonly HashSet<string> _used = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<(string From, string To)> _renamed = [];
    private bool _usesAll;

    /// <summary>Reads a statement whose parameters are written in already.</summary>
    public SourceStatement(string sql)
    {
        _tokens = SqlLexer.Read(sql);
        Readers = FileReader.Find(_tokens);
        Follow([.. _tokens.Where((token, i) => token.Kind != SqlTokenKind.Space && !Readers.Any(reader => i >= reader.Start && i < reader.End))]);
    }

    /// <summary>What reads files and guesses their types.</summary>
    public IReadOnlyList<FileReader> Readers { get; }

    /// <summary>The names under which a file's column may come out.</summary>
    public IReadOnlyCollection<string> Outputs(string column)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { column };
        for (var before = 0; before < names.Count;)
        {
            before = names.Count;
            names.UnionWith(_renamed.Where(pair => names.Contains(pair.From)).Select(pair => pair.To).ToList());
        }
        return names;
    }

    /// <summary>Whether the statement does nothing with a file's column but give it back, so that its type is nobody's business but the result's.</summary>
    public bool PassesThrough(string column) => !_usesAll && !Outputs(column).Any(_used.Contains);

    /// <summary>The statement with its readers written anew.</summary>
    public string Write(Func<FileReader, string> write)
    {
        var parts = new List<string>();
        var at = 0;
        foreach (var reader in Readers)
        {
            parts.AddRange(_tokens.Skip(at).Take(reader.Start - at).Select(token => token.Text));
            parts.Add(write(reader));
            at = reader.End;
        }
        return string.Concat(parts.Concat(_tokens.Skip(at).Select(token => token.Text)));
    }

    // A name that stands alone between SELECT and FROM passes through; one that stands anywhere else is used.
    private void Follow(List<SqlToken> tokens)
    {
        var inList = new Stack<bool>([false]);
        for (var i = 0; i < tokens.Count; i++)
        {
            var token = tokens[i];
            var before = i > 0 ? tokens[i - 1] : SqlToken.None;
            var next = i + 1 < tokens.Count ? tokens[i + 1] : SqlToken.None;
            if (token.Text == "(")
                inList.Push(false);
            else if (token.Text == ")" && inList.Count > 1)
                inList.Pop();
            else if (token.Is("SELECT") || IsClause(token))
            {
                inList.Pop();
                inList.Push(token.Is("SELECT"));
            }
            _usesAll |= UsesAll(token, before, next);
            if (token.Name is not { } name || before.Is("AS"))
                continue;
            if (next.Is("AS") && i + 2 < tokens.Count && tokens[i + 2].Name is { } alias)
                _renamed.Add((name, alias));
            var isQualifier = next.Text == ".";
            var first = i;
            while (first > 1 && tokens[first - 1].Text == ".")
                first -= 2;
            var opens = first == 0 || tokens[first - 1].Is("SELECT") || tokens[first - 1].Text == ",";
            var closes = next.Text is null or "," or ")" || next.Is("AS") || IsClause(next);
            if (!isQualifier && !(inList.Peek() && opens && closes))
                _used.Add(name);
        }
    }

    private static bool IsClause(SqlToken token) =>
        token.Kind == SqlTokenKind.Word && token.Text.ToUpperInvariant() is "FROM" or "WHERE" or "GROUP" or "HAVING" or "ORDER" or "LIMIT" or "QUALIFY" or "UNION" or "WINDOW" or "OFFSET" or "USING";

    // What looks at columns without naming them.
    private static bool UsesAll(SqlToken token, SqlToken before, SqlToken next) => token.Kind == SqlTokenKind.Word && token.Text.ToUpperInvariant() switch
    {
        "DISTINCT" or "INTERSECT" or "EXCEPT" or "NATURAL" or "COLUMNS" or "PIVOT" or "UNPIVOT" or "SUMMARIZE" or "DESCRIBE" => true,
        "UNION" => !next.Is("ALL"),
        "BY" when before.Is("GROUP") || before.Is("ORDER") => next.Is("ALL") || next.Kind == SqlTokenKind.Word && char.IsAsciiDigit(next.Text[0]),
        _ => false,
    };
}
