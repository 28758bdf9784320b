namespace MdFunctions.Endpoint.Sql;

/// <summary>Questions about the tokens of a statement. A place outside of it holds no token, and no question about it is true.</summary>
internal static class Tokens
{
    public static bool IsWord(this Token[] tokens, int i) => (uint)i < (uint)tokens.Length && tokens[i].Kind == TokenKind.Word;

    public static bool IsWord(this Token[] tokens, int i, string value) => tokens.IsWord(i) && tokens[i].Value == value;

    public static bool IsWord(this Token[] tokens, int i, params ReadOnlySpan<string> values)
    {
        if (!tokens.IsWord(i)) return false;
        foreach (var value in values)
            if (tokens[i].Value == value) return true;
        return false;
    }

    public static bool IsPunctuation(this Token[] tokens, int i, string value) =>
        (uint)i < (uint)tokens.Length && tokens[i].Kind == TokenKind.Punctuation && tokens[i].Value == value;

    public static bool IsString(this Token[] tokens, int i) => (uint)i < (uint)tokens.Length && tokens[i].Kind == TokenKind.String;

    public static bool IsParameter(this Token[] tokens, int i) => (uint)i < (uint)tokens.Length && tokens[i].Kind == TokenKind.Parameter;

    /// <summary>A word or a quoted identifier.</summary>
    public static bool IsName(this Token[] tokens, int i) => (uint)i < (uint)tokens.Length && tokens[i].Kind is TokenKind.Word or TokenKind.Quoted;

    public static bool IsName(this Token[] tokens, int i, string name) => tokens.IsName(i) && tokens.Name(i) == name;

    /// <summary>A name as names are compared: in lower case. Empty where there is none.</summary>
    public static string Name(this Token[] tokens, int i) =>
        !tokens.IsName(i) ? "" : tokens[i].Kind == TokenKind.Word ? tokens[i].Value : tokens[i].Value.ToLowerInvariant();

    public static bool Opens(this Token token) => token is { Kind: TokenKind.Punctuation, Value: "(" or "[" or "{" };

    public static bool Closes(this Token token) => token is { Kind: TokenKind.Punctuation, Value: ")" or "]" or "}" };

    /// <summary>The parenthesis that closes the one at <paramref name="open"/>; the number of tokens where there is none.</summary>
    public static int Closing(this Token[] tokens, int open)
    {
        var depth = 0;
        for (var i = open; i < tokens.Length; i++)
        {
            if (tokens[i].Opens()) depth++;
            else if (tokens[i].Closes() && --depth == 0) return i;
        }
        return tokens.Length;
    }
}
