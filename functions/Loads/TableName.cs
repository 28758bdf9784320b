using MdFunctions.MotherDuck;
using MdFunctions.Templates;

namespace MdFunctions.Loads;

/// <summary>A table's full name.</summary>
/// <param name="Database">The MotherDuck database.</param>
/// <param name="Schema">The schema.</param>
/// <param name="Table">The table.</param>
public sealed record TableName(string Database, string Schema, string Table)
{
    /// <summary>The name as SQL, each part quoted.</summary>
    public override string ToString() => $"{Sql.Identifier(Database)}.{Sql.Identifier(Schema)}.{Sql.Identifier(Table)}";

    /// <summary>Reads <c>database.schema.table</c>; a part may be quoted as in SQL.</summary>
    /// <returns>Null if it is not three names.</returns>
    public static TableName? Parse(string text)
    {
        List<SqlToken> tokens;
        try
        {
            tokens = SqlLexer.Read(text.Trim());
        }
        catch (SqlLexerException)
        {
            return null;
        }
        if (tokens is not [var database, { Text: "." }, var schema, { Text: "." }, var table])
            return null;
        return Part(database) is { } d && Part(schema) is { } s && Part(table) is { } t ? new(d, s, t) : null;

        static string? Part(SqlToken token) => token switch
        {
            { Kind: SqlTokenKind.Word } when !char.IsAsciiDigit(token.Text[0]) => token.Text,
            { Kind: SqlTokenKind.Quoted, Text: ['"', _, .., '"'] quoted } => quoted[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal),
            _ => null,
        };
    }
}
