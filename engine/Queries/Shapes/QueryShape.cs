using MdFunctions.Engine.MotherDuck;
using Npgsql;

namespace MdFunctions.Engine.Queries;

/// <summary>How a column's text, as it comes off the wire, is written into an answer.</summary>
internal enum ColumnKind
{
    /// <summary>A JSON string.</summary>
    Text,

    /// <summary>A JSON number, all of its digits as they are; NaN and the infinities are JSON strings.</summary>
    Number,

    /// <summary><c>true</c> or <c>false</c>.</summary>
    Boolean,

    /// <summary>A JSON string in ISO 8601, with a <c>T</c> and, where the type has one, an offset.</summary>
    Timestamp,

    /// <summary>JSON, as it is.</summary>
    Json,
}

/// <summary>A column of a query's result.</summary>
/// <param name="Name">Its name, unique in the result.</param>
/// <param name="Type">Its DuckDB type.</param>
/// <param name="Kind">How it is written.</param>
internal sealed record Column(string Name, string Type, ColumnKind Kind);

/// <summary>
/// What a query answers: its columns, and the statement that brings each of them as text that means the same whichever way the endpoint writes it.
/// </summary>
internal sealed class QueryShape
{
    private (string Name, uint Type)[]? _wire;

    private QueryShape(IReadOnlyList<Column> columns, string statement) => (Columns, Statement) = (columns, statement);

    /// <summary>The columns, in order.</summary>
    public IReadOnlyList<Column> Columns { get; }

    /// <summary>The statement, its parameters as <c>$1</c>, <c>$2</c>...</summary>
    public string Statement { get; }

    /// <summary>Asks MotherDuck for the columns of a query's statement. Its <c>DESCRIBE</c> tells DuckDB's own types, where the wire has only PostgreSQL's.</summary>
    public static async Task<QueryShape> DescribeAsync(NpgsqlConnection connection, QueryTemplate query, CancellationToken cancellationToken)
    {
        var described = await connection.RowsAsync($"DESCRIBE SELECT * FROM (\n{query.Template.WithTypedNulls()}\n)", [], cancellationToken);
        return Of(query, [.. described.Select(row => (row[0]!, row[1]!))]);
    }

    /// <summary>The shape of a query whose columns are known.</summary>
    public static QueryShape Of(QueryTemplate query, IReadOnlyList<(string Name, string Type)> columns)
    {
        var classified = columns.Select(column => (column.Name, column.Type, Rule: Classify(column.Type))).ToList();
        var statement = query.Template.WithPlaceholders();
        // Wrapped only where something has to be rewritten: else DuckDB gets what the author wrote.
        if (classified.Any(column => column.Rule.Function is not null))
        {
            var expressions = classified.Select(column =>
            {
                var identifier = Sql.Identifier(column.Name);
                return column.Rule.Function is { } function ? $"{string.Format(null, function, identifier)} AS {identifier}" : identifier;
            });
            statement = $"SELECT {string.Join(", ", expressions)} FROM (\n{statement}\n)";
        }
        // One row more than is answered shows whether there was more; and DuckDB can stop there.
        if (query.MaxRows > 0)
            statement = $"SELECT * FROM (\n{statement}\n) LIMIT {query.MaxRows + 1L}";
        return new([.. classified.Select(column => new Column(column.Name, column.Type, column.Rule.Kind))], statement);
    }

    /// <summary>Whether a result still has the columns that the first result of this shape had: tables change while the app runs.</summary>
    public bool Fits(NpgsqlDataReader reader)
    {
        if (reader.FieldCount != Columns.Count)
            return false;
        if (_wire is not { } wire)
        {
            _wire = [.. Enumerable.Range(0, reader.FieldCount).Select(i => (reader.GetName(i), reader.GetDataTypeOID(i)))];
            return true;
        }
        for (var i = 0; i < wire.Length; i++)
        {
            if (wire[i].Name != reader.GetName(i) || wire[i].Type != reader.GetDataTypeOID(i))
                return false;
        }
        return true;
    }

    // Nested values would come as text with elements not quoted, blobs and intervals in DuckDB's or in PostgreSQL's form: those are turned to one
    // known text in SQL. A type that is not known here at least has DuckDB's own text.
    private static (ColumnKind Kind, string? Function) Classify(string type) => type switch
    {
        "BOOLEAN" => (ColumnKind.Boolean, null),
        "TINYINT" or "SMALLINT" or "INTEGER" or "BIGINT" or "HUGEINT" or
        "UTINYINT" or "USMALLINT" or "UINTEGER" or "UBIGINT" or "UHUGEINT" or
        "FLOAT" or "DOUBLE" => (ColumnKind.Number, null),
        "VARCHAR" or "UUID" or "DATE" or "TIME" => (ColumnKind.Text, null),
        "TIMESTAMP" or "TIMESTAMP_S" or "TIMESTAMP_MS" or "TIMESTAMP_NS" or "TIMESTAMP WITH TIME ZONE" => (ColumnKind.Timestamp, null),
        "JSON" => (ColumnKind.Json, null),
        "BLOB" => (ColumnKind.Text, "base64({0})"),
        _ when type.EndsWith(']') || Starts(type, "STRUCT(", "MAP(", "UNION(") => (ColumnKind.Json, "to_json({0})::VARCHAR"),
        _ when Starts(type, "DECIMAL(") => (ColumnKind.Number, null),
        _ when Starts(type, "ENUM(") => (ColumnKind.Text, null),
        _ => (ColumnKind.Text, "{0}::VARCHAR"),
    };

    private static bool Starts(string type, params ReadOnlySpan<string> prefixes)
    {
        foreach (var prefix in prefixes)
        {
            if (type.StartsWith(prefix, StringComparison.Ordinal))
                return true;
        }
        return false;
    }
}
