using System.Globalization;
using System.Text.RegularExpressions;

namespace MdFunctions.Endpoint.Sql;

/// <summary>
/// Cuts SQL text into tokens by the rules of DuckDB's own lexer, so that the policy never mistakes what stands in a string, a
/// quoted identifier or a comment for a statement, and is never fooled by them either.
/// </summary>
internal partial struct Lexer
{
    private readonly string _sql;
    private readonly List<Token> _tokens;
    private int _at;

    private Lexer(string sql) => (_sql, _tokens) = (sql, new List<Token>(16));

    /// <summary>The tokens of a text. An unfinished string or comment ends the list.</summary>
    public static List<Token> Tokenize(string sql)
    {
        var lexer = new Lexer(sql);
        while (lexer._at < sql.Length && lexer.Next()) { }
        return lexer._tokens;
    }

    private readonly char Peek(int ahead = 0) => _at + ahead < _sql.Length ? _sql[_at + ahead] : '\0';

    private void Add(TokenKind kind, string value, int end, char prefix = '\0')
    {
        _tokens.Add(new(kind, value, _at, end, prefix));
        _at = end;
    }

    /// <summary>False where what begins here has no end.</summary>
    private bool Next()
    {
        var c = Peek();
        var next = Peek(1);
        if (IsSpace(c)) _at++;
        else if (c == '-' && next == '-') SkipLine();
        else if (c == '/' && next == '*') return SkipComment();
        else if (c is '\'' or '"') return Quoted(_at, c == '\'' ? TokenKind.String : TokenKind.Quoted, '\0');
        else if (IsIdentifierStart(c)) return next == '\'' && (c | 32) is ('e' or 'b' or 'x' or 'n') ? Quoted(_at + 1, TokenKind.String, (char)(c | 32)) : Word();
        else if (char.IsAsciiDigit(c) || (c == '.' && char.IsAsciiDigit(next))) Number();
        else if (c == '$' && (char.IsAsciiDigit(next) || IsIdentifierStart(next) || next == '$')) return Dollar();
        else if (c == '?') Add(TokenKind.Parameter, "?", _at + 1);
        else Punctuation(c, next);
        return true;
    }

    private void SkipLine()
    {
        var end = _sql.AsSpan(_at).IndexOfAny('\n', '\r');
        _at = end < 0 ? _sql.Length : _at + end;
    }

    /// <summary>Block comments nest.</summary>
    private bool SkipComment()
    {
        var depth = 0;
        for (var i = _at; i + 1 < _sql.Length; i++)
        {
            if (_sql[i] == '/' && _sql[i + 1] == '*') depth++;
            else if (_sql[i] == '*' && _sql[i + 1] == '/') depth--;
            else continue;
            if (depth == 0)
            {
                _at = i + 2;
                return true;
            }
            i++;
        }
        return Unterminated("comment");
    }

    private bool Unterminated(string what)
    {
        Add(TokenKind.Unterminated, what, _sql.Length);
        return false;
    }

    /// <summary>A text whose opening quote is at <paramref name="open"/>; a doubled quote belongs to the text.</summary>
    private bool Quoted(int open, TokenKind kind, char prefix)
    {
        var quote = _sql[open];
        var i = open + 1;
        for (; i < _sql.Length; i++)
        {
            if (prefix == 'e' && _sql[i] == '\\') i++;
            else if (_sql[i] == quote && i + 1 < _sql.Length && _sql[i + 1] == quote) i++;
            else if (_sql[i] == quote) break;
        }
        if (i >= _sql.Length) return Unterminated("quote");
        var raw = _sql[(open + 1)..i];
        var text = raw.Contains(quote) ? raw.Replace(new string(quote, 2), quote.ToString(), StringComparison.Ordinal) : raw;
        Add(kind, prefix == 'e' ? Unescape(text) : text, i + 1, prefix);
        return true;
    }

    private bool Word()
    {
        var end = _at + 1;
        while (end < _sql.Length && IsIdentifierPart(_sql[end])) end++;
        Add(TokenKind.Word, _sql[_at..end].ToLowerInvariant(), end);
        return true;
    }

    private void Number()
    {
        var hexadecimal = Peek() == '0' && (Peek(1) | 32) == 'x';
        var end = _at;
        while (end < _sql.Length && (IsIdentifierPart(_sql[end]) || _sql[end] == '.'))
        {
            var exponent = !hexadecimal && (_sql[end] | 32) == 'e';
            end++;
            if (exponent && end + 1 < _sql.Length && _sql[end] is ('+' or '-') && char.IsAsciiDigit(_sql[end + 1])) end++;
        }
        Add(TokenKind.Number, _sql[_at..end], end);
    }

    /// <summary>A string between dollar tags, or a parameter.</summary>
    private bool Dollar()
    {
        var end = _at + 1;
        while (end < _sql.Length && IsIdentifierPart(_sql[end]) && _sql[end] != '$') end++;
        if (end < _sql.Length && _sql[end] == '$' && !char.IsAsciiDigit(Peek(1)))
        {
            var tag = _sql[_at..(end + 1)];
            var close = _sql.IndexOf(tag, end + 1, StringComparison.Ordinal);
            if (close < 0) return Unterminated("dollar");
            Add(TokenKind.String, _sql[(end + 1)..close], close + tag.Length, '$');
        }
        else Add(TokenKind.Parameter, _sql[(_at + 1)..end], end);
        return true;
    }

    private void Punctuation(char c, char next)
    {
        var two = (c, next) is (':', ':') or (':', '=') or ('=', '>') or ('-', '>') or ('|', '|');
        Add(TokenKind.Punctuation, two ? _sql.Substring(_at, 2) : Single(c), _at + (two ? 2 : 1));
    }

    private static string Single(char c) => c switch
    {
        '(' => "(",
        ')' => ")",
        ',' => ",",
        '.' => ".",
        ';' => ";",
        '=' => "=",
        '*' => "*",
        _ => c.ToString(),
    };

    // DuckDB takes the spaces of Unicode for spaces too.
    private static bool IsSpace(char c) => c is ' ' or (>= '\t' and <= '\r') || (c >= 0x80 && IsUnicodeSpace(c));

    private static bool IsUnicodeSpace(char c) => c is '\u00a0' or (>= '\u2000' and <= '\u200f') or '\u202f' or '\u205f' or '\u3000' or '\ufeff';

    private static bool IsIdentifierStart(char c) => char.IsAsciiLetter(c) || c == '_' || (c >= 0x80 && !IsUnicodeSpace(c));

    private static bool IsIdentifierPart(char c) => IsIdentifierStart(c) || char.IsAsciiDigit(c) || c == '$';

    /// <summary>The value of an <c>E'..'</c> string.</summary>
    private static string Unescape(string raw) => Escape().Replace(raw, match =>
    {
        var code = match.Value[1..];
        return code[0] switch
        {
            'u' or 'U' or 'x' when code.Length > 1 => Character(int.Parse(code.AsSpan(1), NumberStyles.HexNumber, CultureInfo.InvariantCulture)),
            >= '0' and <= '7' => Character(Convert.ToInt32(code, 8)),
            'b' => "\b",
            'f' => "\f",
            'n' => "\n",
            'r' => "\r",
            't' => "\t",
            _ => code,
        };
    });

    private static string Character(int code) => code is >= 0 and <= 0xffff ? ((char)code).ToString() : code is > 0xffff and <= 0x10ffff ? char.ConvertFromUtf32(code) : "";

    [GeneratedRegex(@"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{1,2}|[0-7]{1,3}|[\s\S])")]
    private static partial Regex Escape();
}
