using System.Globalization;
using MdFunctions.Endpoint.Sql;
using MdFunctions.Endpoint.Values;

namespace MdFunctions.Endpoint.Sessions;

/// <summary>
/// The types that a client declares for its parameters (documented behaviour only): values travel as text, so a parameter that has a type
/// stands in a CAST to it.
/// </summary>
internal static class ParameterTypes
{
    /// <summary>Casts the parameters whose declared type DuckDB has too, and could read otherwise in an untyped text.</summary>
    public static IReadOnlyList<TextEdit> AsDeclared(Token[] tokens, int[] declared) => Casts(tokens, declared, TypeOf);

    /// <summary>Casts all parameters: those of which nothing is known to text.</summary>
    public static IReadOnlyList<TextEdit> AllTyped(Token[] tokens, int[] declared) => Casts(tokens, declared, oid => TypeOf(oid) ?? "VARCHAR");

    private static List<TextEdit> Casts(Token[] tokens, int[] declared, Func<int, string?> typeOf)
    {
        var edits = new List<TextEdit>();
        var positional = 0;
        foreach (var token in tokens)
        {
            if (token.Kind != TokenKind.Parameter)
                continue;
            var number = token.Value == "?" ? ++positional : int.TryParse(token.Value, CultureInfo.InvariantCulture, out var given) ? given : 0;
            if (typeOf(number > 0 && number <= declared.Length ? declared[number - 1] : 0) is not { } type)
                continue;
            edits.Add(new TextEdit(token.Start, token.Start, "CAST("));
            edits.Add(new TextEdit(token.End, token.End, $" AS {type})"));
        }
        return edits;
    }

    // Numerics are left out: DuckDB's DECIMAL would round them to three decimals.
    private static string? TypeOf(int oid) => oid switch
    {
        Oid.Bool => "BOOLEAN",
        Oid.Int2 => "SMALLINT",
        Oid.Int4 => "INTEGER",
        Oid.Int8 => "BIGINT",
        Oid.Float4 => "FLOAT",
        Oid.Float8 => "DOUBLE",
        Oid.Date => "DATE",
        Oid.Time => "TIME",
        Oid.Timestamp => "TIMESTAMP",
        Oid.TimestampTz => "TIMESTAMPTZ",
        Oid.Uuid => "UUID",
        Oid.Bytea => "BLOB",
        _ when Oid.ElementOf(oid) is var element and not 0 => TypeOf(element) is { } type ? $"{type}[]" : "VARCHAR[]",
        _ => null,
    };
}
