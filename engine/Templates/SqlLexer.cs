namespace MdFunctions.Engine.Templates;

/// <summary>What a stretch of SQL is, as far as templates care.</summary>
internal enum SqlTokenKind
{
    /// <summary>White space or a comment.</summary>
    Space,

    /// <summary>A keyword, an unquoted identifier or a number.</summary>
    Word,

    /// <summary>A string, a dollar-quoted string or a quoted identifier: text whose content is not SQL.</summary>
    Quoted,

    /// <summary>A named parameter, <c>$name</c>.</summary>
    Parameter,

    /// <summary>A semicolon.</summary>
    Semicolon,

    /// <summary>Any other character.</summary>
    Symbol,
}

/// <summary>A stretch of SQL.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Start">Where it starts, in characters.</param>
/// <param name="Text">The text itself.</param>
/// <remarks>A class, as the runtime has lists of classes compiled already: a list of structs would be compiled anew at each start.</remarks>
internal sealed record SqlToken(SqlTokenKind Kind, int Start, string Text)
{
    /// <summary>What stands before the first token and behind the last.</summary>
    public static readonly SqlToken None = new(SqlTokenKind.Space, 0, "");

    /// <summary>Whether this is the given word, in any case.</summary>
    public bool Is(string word) => Kind == SqlTokenKind.Word && Text.Equals(word, StringComparison.OrdinalIgnoreCase);

    /// <summary>The name that this token is, without its quotes; null if it is none.</summary>
    public string? Name => this switch
    {
        { Kind: SqlTokenKind.Word } when !char.IsAsciiDigit(Text[0]) => Text,
        { Kind: SqlTokenKind.Quoted, Text: ['"', _, .., '"'] } => Text[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal),
        _ => null,
    };
}

/// <summary>SQL that ends inside a quotation or comment, or has a parameter that is not a <c>$name</c>.</summary>
internal sealed class SqlLexerException(string message, int position) : Exception(message)
{
    /// <summary>Where, in characters from the start.</summary>
    public int Position { get; } = position;
}

/// <summary>Splits DuckDB SQL into tokens by the rules of its own lexer, which is PostgreSQL's: enough to know what is text and what is SQL.</summary>
internal static class SqlLexer
{
    /// <summary>All tokens, in order; their texts joined are the input.</summary>
    /// <exception cref="SqlLexerException">The text cannot be split, or has a positional parameter.</exception>
    public static List<SqlToken> Read(string sql)
    {
        var tokens = new List<SqlToken>();
        for (var at = 0; at < sql.Length;)
        {
            var (kind, end) = Next(sql, at);
            tokens.Add(new SqlToken(kind, at, sql[at..end]));
            at = end;
        }
        return tokens;
    }

    /// <summary>Splits SQL into tokens, as <see cref="Read"/> does.</summary>
    /// <returns>Null if it cannot be split.</returns>
    public static List<SqlToken>? TryRead(string sql)
    {
        try
        {
            return Read(sql);
        }
        catch (SqlLexerException)
        {
            return null;
        }
    }

    /// <summary>The end of the block comment that starts at a position; block comments nest.</summary>
    /// <exception cref="SqlLexerException">It has no end.</exception>
    public static int BlockCommentEnd(string sql, int start)
    {
        var depth = 0;
        for (var at = start; at + 1 < sql.Length; at++)
        {
            if (sql[at] == '/' && sql[at + 1] == '*')
            {
                depth++;
                at++;
            }
            else if (sql[at] == '*' && sql[at + 1] == '/')
            {
                at++;
                if (--depth == 0)
                    return at + 1;
            }
        }
        throw new SqlLexerException("a block comment has no end (a '/*' inside a comment opens another one)", start);
    }

    private static (SqlTokenKind Kind, int End) Next(string sql, int at)
    {
        var c = sql[at];
        var next = at + 1 < sql.Length ? sql[at + 1] : '\0';
        switch (c)
        {
            case '-' when next == '-':
                var line = sql.IndexOf('\n', at);
                return (SqlTokenKind.Space, line < 0 ? sql.Length : line);
            case '/' when next == '*':
                return (SqlTokenKind.Space, BlockCommentEnd(sql, at));
            case '\'':
                return (SqlTokenKind.Quoted, QuoteEnd(sql, at, '\'', backslash: false));
            case '"':
                return (SqlTokenKind.Quoted, QuoteEnd(sql, at, '"', backslash: false));
            case 'e' or 'E' when next == '\'':
                return (SqlTokenKind.Quoted, QuoteEnd(sql, at + 1, '\'', backslash: true));
            case '$':
                return Dollar(sql, at);
            case '?':
                throw new SqlLexerException("a '?' parameter; use a named one, $name", at);
            case ';':
                return (SqlTokenKind.Semicolon, at + 1);
        }
        if (char.IsWhiteSpace(c))
            return (SqlTokenKind.Space, End(sql, at, char.IsWhiteSpace));
        if (IsWordPart(c))
            return (SqlTokenKind.Word, End(sql, at, c => IsWordPart(c) || c == '$'));
        return (SqlTokenKind.Symbol, at + 1);
    }

    private static (SqlTokenKind Kind, int End) Dollar(string sql, int at)
    {
        var end = End(sql, at + 1, IsWordPart);
        var name = sql[(at + 1)..end];
        if (end < sql.Length && sql[end] == '$' && !(name.Length > 0 && char.IsAsciiDigit(name[0])))
        {
            var tag = sql[at..(end + 1)];
            var close = sql.IndexOf(tag, end + 1, StringComparison.Ordinal);
            return close < 0
                ? throw new SqlLexerException($"a string that starts with {tag} has no end", at)
                : (SqlTokenKind.Quoted, close + tag.Length);
        }
        if (name.Length == 0)
            return (SqlTokenKind.Symbol, at + 1);
        if (char.IsAsciiDigit(name[0]))
            throw new SqlLexerException($"a positional parameter, ${name}; use a named one, $name", at);
        return (SqlTokenKind.Parameter, end);
    }

    private static int QuoteEnd(string sql, int at, char quote, bool backslash)
    {
        for (var i = at + 1; i < sql.Length; i++)
        {
            if (backslash && sql[i] == '\\')
                i++;
            else if (sql[i] == quote)
            {
                if (i + 1 < sql.Length && sql[i + 1] == quote)
                    i++;
                else
                    return i + 1;
            }
        }
        throw new SqlLexerException(quote == '"' ? "a quoted identifier has no end" : "a string has no end", at);
    }

    private static int End(string sql, int at, Func<char, bool> belongs)
    {
        while (at < sql.Length && belongs(sql[at]))
            at++;
        return at;
    }

    private static bool IsWordPart(char c) => char.IsLetterOrDigit(c) || c == '_' || c > 127 && !char.IsWhiteSpace(c);
}
