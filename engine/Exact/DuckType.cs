using System.Globalization;
using MdFunctions.Engine.Templates;

namespace MdFunctions.Engine.Exact;

/// <summary>A type of DuckDB, read from the text that <c>DESCRIBE</c> and <c>duckdb_columns()</c> give it.</summary>
/// <param name="Text">The text, which tells types apart.</param>
/// <param name="Name">The type without its arguments: <c>DECIMAL</c>, <c>TIMESTAMP WITH TIME ZONE</c>; of <c>x[]</c> it is <c>LIST</c>, of <c>x[3]</c> <c>ARRAY</c>.</param>
/// <param name="Arguments">The numbers in its parentheses: width and scale, or an array's length.</param>
/// <param name="Parts">The types inside it, with their names where they have some.</param>
internal sealed record DuckType(string Text, string Name, IReadOnlyList<int> Arguments, IReadOnlyList<(string Name, DuckType Type)> Parts)
{
    /// <summary>Text.</summary>
    public static DuckType Varchar { get; } = new("VARCHAR", "VARCHAR", [], []);

    /// <summary>Whether there are types inside it.</summary>
    public bool IsNested => Parts.Count > 0;

    /// <summary>Of a DECIMAL, and of an integer, how many digits it has before the point and behind it; null for others.</summary>
    public (int Whole, int Fraction)? Digits => Name == "DECIMAL" ? (Arguments[0] - Arguments[1], Arguments[1])
        : Integer is not var (bits, signed) ? null
        : (bits == int.MaxValue ? bits : (int)Math.Ceiling((signed ? bits - 1 : bits) * Math.Log10(2)), 0);

    /// <summary>Of an integer, its bits and whether it has a sign; null for others.</summary>
    public (int Bits, bool Signed)? Integer => Name switch
    {
        "TINYINT" or "UTINYINT" => (8, Name[0] != 'U'),
        "SMALLINT" or "USMALLINT" => (16, Name[0] != 'U'),
        "INTEGER" or "UINTEGER" => (32, Name[0] != 'U'),
        "BIGINT" or "UBIGINT" => (64, Name[0] != 'U'),
        "HUGEINT" or "UHUGEINT" => (128, Name[0] != 'U'),
        "BIGNUM" => (int.MaxValue, true),
        _ => null,
    };

    /// <summary>Whether it is a binary floating-point number.</summary>
    public bool IsFloat => Name is "FLOAT" or "DOUBLE";

    /// <summary>Whether it is a number.</summary>
    public bool IsNumber => IsFloat || Digits is not null;

    /// <summary>Of a date or time without a zone, how many digits of a second it keeps; a date keeps none. Null for others.</summary>
    public int? SecondDigits => Name switch
    {
        "DATE" or "TIMESTAMP_S" => 0,
        "TIMESTAMP_MS" => 3,
        "TIMESTAMP" or "TIME" => 6,
        "TIMESTAMP_NS" or "TIME_NS" => 9,
        _ => null,
    };

    /// <summary>Whether it is a date, or a date and time, without a zone.</summary>
    public bool IsDate => SecondDigits is not null && !Name.StartsWith("TIME_NS", StringComparison.Ordinal) && Name != "TIME";

    /// <summary>Reads a type's text. What is not known keeps its text and is equal to itself only.</summary>
    public static DuckType Parse(string text)
    {
        var tokens = SqlLexer.TryRead(text)?.FindAll(token => token.Kind != SqlTokenKind.Space) ?? [];
        var at = 0;
        try
        {
            return tokens.Count > 0 && Read(text, tokens, ref at) is { } type && at == tokens.Count ? type with { Text = text } : new(text, text, [], []);
        }
        catch (ArgumentOutOfRangeException)
        {
            return new(text, text, [], []);
        }
    }

    private static DuckType Read(string text, List<SqlToken> tokens, ref int at)
    {
        var start = at;
        var words = new List<string>();
        while (at < tokens.Count && tokens[at].Kind is SqlTokenKind.Word or SqlTokenKind.Quoted && !tokens[at].Text.StartsWith('\''))
            words.Add(tokens[at++].Text);
        var name = string.Join(' ', words);
        var arguments = new List<int>();
        var parts = new List<(string, DuckType)>();
        if (at < tokens.Count && tokens[at].Text == "(")
        {
            do
            {
                at++;
                if (name is "STRUCT" or "UNION" or "MAP")
                    parts.Add((name != "MAP" && IsName(tokens, at) ? tokens[at++].Name! : "", Read(text, tokens, ref at)));
                else if (int.TryParse(tokens[at++].Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                    arguments.Add(number);
            }
            while (tokens[at].Text == ",");
            at++;
        }
        var type = new DuckType(Source(text, tokens, start, at), name, arguments, parts);
        while (at < tokens.Count && tokens[at].Text == "[")
        {
            int[] length = tokens[at + 1].Text == "]" ? [] : [int.Parse(tokens[at + 1].Text, NumberStyles.None, CultureInfo.InvariantCulture)];
            at += length.Length == 0 ? 2 : 3;
            type = new(Source(text, tokens, start, at), length.Length == 0 ? "LIST" : "ARRAY", length, [("", type)]);
        }
        return type;
    }

    // A name stands before its type. Structs without names have types only, of which one begins with two words; DuckDB quotes names like these.
    private static bool IsName(List<SqlToken> tokens, int at) =>
        tokens[at].Name is not null && tokens[at + 1].Name is not null && !(tokens[at].Is("TIMESTAMP") || tokens[at].Is("TIME"));

    private static string Source(string text, List<SqlToken> tokens, int start, int end) =>
        text[tokens[start].Start..(tokens[end - 1].Start + tokens[end - 1].Text.Length)];
}
