using MdFunctions.Engine.Templates;

namespace MdFunctions.Engine.Queries;

/// <summary>A DuckDB type of a result, read from the name that <c>DESCRIBE</c> gives it.</summary>
/// <param name="Kind"><c>LIST</c> (arrays too), <c>STRUCT</c>, <c>MAP</c>, <c>UNION</c>, or the name of a type without parts, such as <c>DECIMAL(18,2)</c>.</param>
/// <param name="Parts">The types it is made of, with their names where they have one.</param>
internal sealed record ResultType(string Kind, IReadOnlyList<(string? Name, ResultType Type)> Parts)
{
    /// <summary>Reads a type's name.</summary>
    /// <returns>A type without parts if the name cannot be read.</returns>
    public static ResultType Parse(string name)
    {
        var tokens = SqlLexer.TryRead(name)?.Where(token => token.Kind != SqlTokenKind.Space).ToList();
        var at = 0;
        return tokens is { Count: > 0 } && Read(tokens, ref at) is { } type && at == tokens.Count ? type : new(name, []);
    }

    private static ResultType? Read(List<SqlToken> tokens, ref int at)
    {
        if (at == tokens.Count)
            return null;
        var word = tokens[at++].Text.ToUpperInvariant();
        ResultType? type;
        if (word is "STRUCT" or "MAP" or "UNION" && At(tokens, at) == "(")
        {
            type = ReadParts(word, tokens, ref at);
        }
        else
        {
            while (at < tokens.Count && tokens[at].Kind == SqlTokenKind.Word)
                word += " " + tokens[at++].Text.ToUpperInvariant();
            // The width of a DECIMAL, the values of an ENUM.
            if (At(tokens, at) == "(")
            {
                var end = tokens.FindIndex(at, token => token.Text == ")");
                if (end < 0)
                    return null;
                word += string.Concat(tokens[at..(end + 1)].Select(token => token.Text));
                at = end + 1;
            }
            type = new(word, []);
        }
        while (type is not null && At(tokens, at) == "[")
        {
            at += At(tokens, at + 1) == "]" ? 2 : 3;
            type = At(tokens, at - 1) == "]" ? new("LIST", [(null, type)]) : null;
        }
        return type;
    }

    private static ResultType? ReadParts(string kind, List<SqlToken> tokens, ref int at)
    {
        var parts = new List<(string?, ResultType)>();
        do
        {
            at++; // The parenthesis, or the comma.
            string? name = null;
            if (kind != "MAP" && IsName(tokens, at))
                name = tokens[at++].Name;
            if (Read(tokens, ref at) is not { } type)
                return null;
            parts.Add((name, type));
        }
        while (At(tokens, at) == ",");
        return At(tokens, at++) == ")" ? new(kind, parts) : null;
    }

    // A name stands before its type. Structs without names have types only, of which one begins with two words; DuckDB quotes names like these.
    private static bool IsName(List<SqlToken> tokens, int at) =>
        at + 1 < tokens.Count && tokens[at].Name is not null && tokens[at + 1].Name is not null
        && !(tokens[at].Is("TIMESTAMP") || tokens[at].Is("TIME"));

    private static string? At(List<SqlToken> tokens, int at) => at < tokens.Count ? tokens[at].Text : null;
}
