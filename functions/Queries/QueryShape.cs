using MdFunctions.MotherDuck;
using MdFunctions.Templates;
using Npgsql;

namespace MdFunctions.Queries;

/// <summary>How a column's text, as it comes off the wire, is written into an answer.</summary>
public enum ColumnKind
{
    /// <summary>A JSON string.</summary>
    Text,

    /// <summary>A JSON number, all of its digits as they are.</summary>
    Number,

    /// <summary>A JSON number; NaN and the infinities are JSON strings.</summary>
    Float,

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
public sealed record Column(string Name, string Type, ColumnKind Kind);

/// <summary>
/// What a query answers: its columns, and the statement that brings each of them as text that means the same whichever way the endpoint writes it.
/// </summary>
/// <param name="Columns">The columns, in order.</param>
/// <param name="Statement">The statement, its parameters as <c>$1</c>, <c>$2</c>...</param>
public sealed record QueryShape(IReadOnlyList<Column> Columns, string Statement)
{
    /// <summary>Asks MotherDuck for the columns of a template's statement.</summary>
    public static async Task<QueryShape> DescribeAsync(NpgsqlConnection connection, Template template, CancellationToken cancellationToken)
    {
        var described = await connection.RowsAsync($"DESCRIBE SELECT * FROM (\n{template.WithTypedNulls()}\n)", [], cancellationToken);
        var columns = new List<Column>(described.Count);
        var expressions = new List<string>(described.Count);
        var plain = true;
        foreach (var row in described)
        {
            var (name, type) = (row[0]!, row[1]!);
            var (kind, function) = Classify(type);
            var identifier = Sql.Identifier(name);
            columns.Add(new Column(name, type, kind));
            expressions.Add(function is null ? identifier : $"{string.Format(null, function, identifier)} AS {identifier}");
            plain &= function is null;
        }
        // Wrapped only where a column has to be rewritten: what DuckDB gets is what the author wrote.
        var sql = template.WithPlaceholders();
        return new(columns, plain ? sql : $"SELECT {string.Join(", ", expressions)} FROM (\n{sql}\n)");
    }

    // Nested values would come as text with elements not quoted, blobs and intervals in DuckDB's or PostgreSQL's form: those are turned to
    // one known text in SQL. VARCHAR(type) tells what is left.
    private static (ColumnKind Kind, string? Function) Classify(string type) => type switch
    {
        "BOOLEAN" => (ColumnKind.Boolean, null),
        "TINYINT" or "SMALLINT" or "INTEGER" or "BIGINT" or "HUGEINT" or
        "UTINYINT" or "USMALLINT" or "UINTEGER" or "UBIGINT" or "UHUGEINT" => (ColumnKind.Number, null),
        "FLOAT" or "DOUBLE" => (ColumnKind.Float, null),
        "VARCHAR" or "UUID" or "DATE" or "TIME" => (ColumnKind.Text, null),
        "TIMESTAMP" or "TIMESTAMP_S" or "TIMESTAMP_MS" or "TIMESTAMP_NS" or "TIMESTAMP WITH TIME ZONE" => (ColumnKind.Timestamp, null),
        "JSON" => (ColumnKind.Json, null),
        "BLOB" => (ColumnKind.Text, "base64({0})"),
        _ when type.EndsWith(']') || type.StartsWith("STRUCT(", StringComparison.Ordinal) || type.StartsWith("MAP(", StringComparison.Ordinal)
            || type.StartsWith("UNION(", StringComparison.Ordinal) => (ColumnKind.Json, "to_json({0})::VARCHAR"),
        _ when type.StartsWith("DECIMAL(", StringComparison.Ordinal) => (ColumnKind.Number, null),
        _ when type.StartsWith("ENUM(", StringComparison.Ordinal) => (ColumnKind.Text, null),
        _ => (ColumnKind.Text, "{0}::VARCHAR"),
    };
}
