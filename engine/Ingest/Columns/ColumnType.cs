using System.Text.Json;
using MdFunctions.Engine.Templates;

namespace MdFunctions.Engine.Ingest;

/// <summary>Why a value does not fit.</summary>
/// <param name="Path">Where it is in the row, such as <c>items[2].price</c>; empty for the row itself.</param>
/// <param name="Reason">What is wrong, to be read behind the path: <c>is not text</c>. It never holds the value.</param>
internal sealed record Misfit(string Path, string Reason);

/// <summary>
/// The type of a column of <c>body</c>. It checks a JSON value and rewrites it so that DuckDB has nothing left to guess: every scalar becomes a JSON string
/// that casts to the type without a loss. DuckDB's own reader would round a long decimal and turn what does not fit into NULL without a word.
/// </summary>
internal abstract class ColumnType
{
    private protected ColumnType(string sql, string structure) => (Sql, Structure) = (sql, structure);

    /// <summary>The type as SQL.</summary>
    public string Sql { get; }

    /// <summary>What the rewritten value looks like, as <c>from_json</c> wants to be told: JSON whose scalars are <c>"VARCHAR"</c>.</summary>
    public string Structure { get; }

    /// <summary>Whether NULL and a missing key do not fit: <c>NOT NULL</c> in the front matter.</summary>
    public bool Required { get; private set; }

    /// <summary>Rewrites the value that a reader stands on, and leaves the reader on its last token.</summary>
    /// <param name="reader">The reader, inside <paramref name="row"/>.</param>
    /// <param name="row">The whole row's JSON.</param>
    /// <param name="output">Where the rewritten value goes; after a misfit it holds half a value.</param>
    /// <returns>What does not fit; null if all does.</returns>
    /// <exception cref="InvalidOperationException">A string holds half a surrogate pair, which is no Unicode text.</exception>
    public Misfit? Write(ref Utf8JsonReader reader, ReadOnlySpan<byte> row, Utf8JsonWriter output)
    {
        if (reader.TokenType != JsonTokenType.Null)
            return WriteValue(ref reader, row, output);
        output.WriteNullValue();
        return Required ? new("", "is null") : null;
    }

    /// <summary>Rewrites a value that is not null.</summary>
    private protected abstract Misfit? WriteValue(ref Utf8JsonReader reader, ReadOnlySpan<byte> row, Utf8JsonWriter output);

    /// <summary>Reads a type as DuckDB writes it: a scalar type, <c>JSON</c>, <c>STRUCT(name type, ...)</c>, or a list of one, <c>type[]</c>; each may be <c>NOT NULL</c>.</summary>
    /// <param name="text">The type.</param>
    /// <param name="refusesUnknown">Whether a key that is no field of a struct in it does not fit.</param>
    /// <returns>Null if it is none of these.</returns>
    public static ColumnType? Parse(string text, bool refusesUnknown = false)
    {
        var at = 0;
        var tokens = SqlLexer.TryRead(text)?.FindAll(token => token.Kind != SqlTokenKind.Space);
        return tokens is not null && Parse(tokens, ref at, refusesUnknown) is { } type && at == tokens.Count ? type : null;
    }

    private static ColumnType? Parse(List<SqlToken> tokens, ref int at, bool refusesUnknown)
    {
        if (at == tokens.Count)
            return null;
        ColumnType? type = tokens[at].Is("STRUCT") ? ParseStruct(tokens, ref at, refusesUnknown) : ParseScalar(tokens, ref at);
        while (type is not null && at + 1 < tokens.Count && tokens[at].Text == "[" && tokens[at + 1].Text == "]")
        {
            type = new ListColumn(type);
            at += 2;
        }
        if (type is not null && at + 1 < tokens.Count && tokens[at].Is("NOT") && tokens[at + 1].Is("NULL"))
        {
            type.Required = true;
            at += 2;
        }
        return type;
    }

    private static StructColumn? ParseStruct(List<SqlToken> tokens, ref int at, bool refusesUnknown)
    {
        var fields = new List<(string, ColumnType)>();
        if (++at == tokens.Count || tokens[at].Text != "(")
            return null;
        do
        {
            if (++at == tokens.Count || tokens[at++].Name is not { } name || Parse(tokens, ref at, refusesUnknown) is not { } type || at == tokens.Count)
                return null;
            fields.Add((name, type));
        }
        while (tokens[at].Text == ",");
        return tokens[at++].Text == ")" ? StructColumn.Create(fields, refusesUnknown) : null;
    }

    // Words up to what ends a type: DOUBLE, TIMESTAMP WITH TIME ZONE, DECIMAL(18, 2).
    private static ScalarColumn? ParseScalar(List<SqlToken> tokens, ref int at)
    {
        var words = new List<string>();
        for (; at < tokens.Count && !tokens[at].Is("NOT") && tokens[at].Text is not ("," or ")" or "["); at++)
        {
            words.Add(tokens[at].Text);
            if (tokens[at].Text != "(")
                continue;
            while (++at < tokens.Count && tokens[at].Text != ")")
                words.Add(tokens[at].Text);
            words.Add(")");
        }
        return ParameterType.Parse(string.Join(' ', words)) is { Element: null } type ? new ScalarColumn(type) : null;
    }
}
