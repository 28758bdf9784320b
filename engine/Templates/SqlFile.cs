using System.Text;
using System.Text.Unicode;
using MdFunctions.Engine.Http;

namespace MdFunctions.Engine.Templates;

/// <summary>A SQL file: a YAML block comment, then one statement. Knows its own lines, so that faults can name them.</summary>
internal sealed class SqlFile(string label, string name, string text)
{
    private readonly List<string> _faults = [];

    /// <summary>The file's name without its ending: the name of the query, load or ingest.</summary>
    public string Name => name;

    /// <summary>The YAML between the comment's marks; empty if there is none.</summary>
    public string FrontMatterText { get; private init; } = "";

    /// <summary>The line of the file on which <see cref="FrontMatterText"/> starts, from 1.</summary>
    public int FrontMatterLine { get; private init; } = 1;

    /// <summary>The statement's tokens, without white space and comments around it and without its semicolon.</summary>
    public IReadOnlyList<SqlToken> Statement { get; private set; } = [];

    /// <summary>What is wrong with the file: a line each, <c>queries/name.sql:LINE: what</c>.</summary>
    public IReadOnlyList<string> Faults => _faults;

    /// <summary>Reads a file and splits it; what is wrong is in <see cref="Faults"/>.</summary>
    public static SqlFile Read(string path)
    {
        var label = $"{Path.GetFileName(Path.GetDirectoryName(path))}/{Path.GetFileName(path)}";
        var name = Path.GetFileNameWithoutExtension(path);
        var bytes = File.ReadAllBytes(path).AsSpan();
        if (bytes.StartsWith("\uFEFF"u8))
            bytes = bytes[3..];
        if (Utf8.IsValid(bytes))
            return Parse(label, name, Encoding.UTF8.GetString(bytes));
        // Read on so that other faults are told too, of a text in which each byte is a character: it has the lines of the file.
        var file = Parse(label, name, Encoding.Latin1.GetString(bytes));
        file.FaultAtLine(bytes[..StrictJson.InvalidUtf8(bytes)].Count((byte)'\n') + 1, "the file is not UTF-8 from here on; save it as UTF-8");
        return file;
    }

    /// <summary>Splits a file's text; faults call the file by its label.</summary>
    public static SqlFile Parse(string label, string name, string text)
    {
        var start = 0;
        while (start < text.Length && char.IsWhiteSpace(text[start]))
            start++;
        var end = start;
        SqlLexerException? unfinished = null;
        if (string.CompareOrdinal(text, start, "/*", 0, 2) == 0)
        {
            try
            {
                end = SqlLexer.BlockCommentEnd(text, start);
            }
            catch (SqlLexerException e)
            {
                unfinished = e;
            }
        }
        var file = new SqlFile(label, name, text)
        {
            FrontMatterText = end > start ? text[(start + 2)..(end - 2)] : "",
            FrontMatterLine = text.AsSpan(0, start).Count('\n') + 1,
        };
        if (unfinished is not null)
            file.FaultAt(unfinished.Position, unfinished.Message);
        else
            file.ReadStatement(end);
        return file;
    }

    /// <summary>Adds a fault at a token of the statement.</summary>
    public void FaultAt(SqlToken token, string fault) => FaultAt(token.Start, fault);

    /// <summary>Adds a fault at a line of the file.</summary>
    public void FaultAtLine(int line, string fault) => _faults.Add($"{label}:{line}: {fault}");

    private void FaultAt(int position, string fault) => FaultAtLine(text.AsSpan(0, position).Count('\n') + 1, fault);

    private void ReadStatement(int start)
    {
        List<SqlToken> tokens;
        try
        {
            tokens = [.. SqlLexer.Read(text[start..]).Select(token => token with { Start = token.Start + start })];
        }
        catch (SqlLexerException e)
        {
            FaultAt(start + e.Position, e.Message);
            return;
        }
        var first = tokens.FindIndex(IsContent);
        if (first < 0)
        {
            FaultAt(text.Length, "no statement follows the front matter");
            return;
        }
        var last = tokens.FindLastIndex(IsContent);
        var semicolon = tokens.FindIndex(token => token.Kind == SqlTokenKind.Semicolon);
        if (semicolon >= 0 && semicolon < last)
        {
            FaultAt(tokens.First(token => token.Start > tokens[semicolon].Start && IsContent(token)), "a second statement; a file holds one");
            return;
        }
        Statement = tokens[first..(last + 1)];
        CheckSelect();

        static bool IsContent(SqlToken token) => token.Kind is not (SqlTokenKind.Space or SqlTokenKind.Semicolon);
    }

    // Every template is one SELECT. After WITH ..., the verb is the first word behind a closing parenthesis that does not belong to the WITH itself.
    private void CheckSelect()
    {
        var content = Statement.Where(token => token.Kind != SqlTokenKind.Space).ToList();
        var verb = content[0];
        if (verb.Is("WITH"))
        {
            var depth = 0;
            for (var i = 1; i < content.Count; i++)
            {
                depth += content[i].Text switch { "(" => 1, ")" => -1, _ => 0 };
                if (depth == 0 && content[i - 1].Text == ")" && content[i].Kind == SqlTokenKind.Word && !content[i].Is("AS") && !content[i].Is("USING"))
                {
                    verb = content[i];
                    break;
                }
            }
        }
        if (verb.Text != "(" && !Selects.Contains(verb.Text))
            FaultAt(verb, $"the statement starts with '{verb.Text}'; expected a SELECT (or WITH, FROM, VALUES)");
    }

    private static readonly HashSet<string> Selects = new(StringComparer.OrdinalIgnoreCase) { "SELECT", "FROM", "VALUES", "TABLE", "PIVOT", "UNPIVOT", "WITH" };
}
