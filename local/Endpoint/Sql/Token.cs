namespace MdFunctions.Endpoint.Sql;

internal enum TokenKind
{
    /// <summary>A keyword or an identifier without quotes; its value is in lower case.</summary>
    Word,

    /// <summary>An identifier in double quotes; its value is without them.</summary>
    Quoted,

    /// <summary>A string of any kind; its value is without its quotes.</summary>
    String,

    Number,

    /// <summary><c>$1</c>, <c>$name</c> or <c>?</c>; its value is without the dollar sign.</summary>
    Parameter,

    Punctuation,

    /// <summary>A string or comment that has no end; it is the last token. DuckDB's parser words the error.</summary>
    Unterminated,
}

/// <summary>A token of a statement, and where it stands in the statement's text.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Value">What it stands for.</param>
/// <param name="Start">Where its first character is.</param>
/// <param name="End">Where the text goes on after it.</param>
/// <param name="Prefix">The letter before a string in lower case (<c>E'..'</c>), or NUL.</param>
internal readonly record struct Token(TokenKind Kind, string Value, int Start, int End, char Prefix = '\0');
