using System.Text;

namespace MdFunctions.Endpoint.Sql;

/// <summary>SQL text as statements, and statements with changes made.</summary>
internal static class SqlText
{
    /// <summary>The statements of a text. Empty ones are left out, so a text of comments has none.</summary>
    public static List<SqlStatement> Split(string sql)
    {
        var statements = new List<SqlStatement>();
        var tokens = Lexer.Tokenize(sql);
        var first = 0;
        for (var i = 0; i <= tokens.Count; i++)
        {
            if (i < tokens.Count && tokens[i] is not { Kind: TokenKind.Punctuation, Value: ";" }) continue;
            if (i > first) statements.Add(Cut(sql, tokens, first, i));
            first = i + 1;
        }
        return statements;
    }

    private static SqlStatement Cut(string sql, List<Token> all, int first, int end)
    {
        var start = all[first].Start;
        var text = sql[start..(end < all.Count ? all[end].Start : sql.Length)].TrimEnd();
        var tokens = all.GetRange(first, end - first).ToArray();
        if (start > 0)
            for (var i = 0; i < tokens.Length; i++)
                tokens[i] = tokens[i] with { Start = tokens[i].Start - start, End = tokens[i].End - start };
        return new(text, tokens);
    }

    /// <summary>The text with its edits made. They must not overlap; their order does not matter.</summary>
    public static string Apply(string sql, IReadOnlyCollection<TextEdit> edits)
    {
        if (edits.Count == 0) return sql;
        var text = new StringBuilder();
        var at = 0;
        foreach (var edit in edits.OrderBy(edit => edit.Start).ThenBy(edit => edit.End))
        {
            text.Append(sql, at, edit.Start - at).Append(edit.Text);
            at = edit.End;
        }
        return text.Append(sql, at, sql.Length - at).ToString();
    }

    /// <summary>A text as a string literal.</summary>
    public static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>A name as a quoted identifier.</summary>
    public static string Identifier(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
