using MdFunctions.Engine.Exact;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Templates;
using Npgsql;

namespace MdFunctions.Engine.Loads;

/// <summary>A table's full name.</summary>
internal sealed record TableName(string Database, string Schema, string Table)
{
    /// <summary>The name as SQL, each part quoted.</summary>
    public override string ToString() => $"{Sql.Identifier(Database)}.{Sql.Identifier(Schema)}.{Sql.Identifier(Table)}";

    /// <summary>The table's columns; none if it is not there.</summary>
    public Task<IReadOnlyList<Column>> ColumnsAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        Column.OfTableAsync(connection, Database, Schema, Table, cancellationToken);

    /// <summary>Reads <c>database.schema.table</c>; a part may be quoted as in SQL.</summary>
    /// <returns>Null if it is not three names.</returns>
    public static TableName? Parse(string text) =>
        SqlLexer.TryRead(text.Trim()) is [{ Name: { } database }, { Text: "." }, { Name: { } schema }, { Text: "." }, { Name: { } table }]
            ? new(database, schema, table)
            : null;
}
