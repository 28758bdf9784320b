using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace MdFunctions.Engine.Docs;

/// <summary>The JSON schemas of DuckDB's types, as requests and answers write their values.</summary>
internal static class TypeSchema
{
    /// <summary>The schema of a value that a request gives: what is accepted, in the form that most clients can write.</summary>
    /// <param name="type">DuckDB's name of the type; no list.</param>
    public static OpenApiSchema OfInput(string type) => type switch
    {
        "FLOAT" or "DOUBLE" => new() { Type = JsonSchemaType.Number, Format = type == "FLOAT" ? "float" : "double" },
        "TIMESTAMP" or "TIMESTAMP_S" or "TIMESTAMP_MS" or "TIMESTAMP_NS" => Text("a time without an offset, or with Z, such as 2026-01-31T02:30:00"),
        "TIMESTAMPTZ" => new() { Type = JsonSchemaType.String, Format = "date-time" },
        "JSON" => new() { Type = JsonSchemaType.String, ContentMediaType = "application/json", Description = "JSON as text" },
        _ => OfScalar(type),
    };

    /// <summary>The schema of a value of an answer. Every column can be null.</summary>
    /// <param name="type">DuckDB's name of the type.</param>
    public static OpenApiSchema OfOutput(string type)
    {
        var schema = type switch
        {
            _ when type.EndsWith("[]", StringComparison.Ordinal) => new OpenApiSchema { Type = JsonSchemaType.Array, Items = OfOutput(type[..^2]) },
            _ when type.EndsWith(']') => new OpenApiSchema { Type = JsonSchemaType.Array },
            _ when type.StartsWith("STRUCT(", StringComparison.Ordinal) => new OpenApiSchema { Type = JsonSchemaType.Object },
            _ when type.StartsWith("MAP(", StringComparison.Ordinal) || type.StartsWith("UNION(", StringComparison.Ordinal) || type is "JSON" or "VARIANT" => new OpenApiSchema(),
            "FLOAT" or "DOUBLE" => new OpenApiSchema
            {
                Type = JsonSchemaType.Number | JsonSchemaType.String,
                Description = "A number; NaN and the infinities are the strings NaN, Infinity and -Infinity.",
            },
            "TIMESTAMP WITH TIME ZONE" => new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" },
            _ => OfScalar(type),
        };
        if (schema.Type is { } known)
            schema.Type = known | JsonSchemaType.Null;
        schema.AddExtension("x-duckdb-type", new JsonNodeExtension(JsonValue.Create(type)));
        return schema;
    }

    private static OpenApiSchema OfScalar(string type) => type switch
    {
        "BOOLEAN" => new() { Type = JsonSchemaType.Boolean },
        "TINYINT" => Integer("int8", sbyte.MinValue, sbyte.MaxValue),
        "SMALLINT" => Integer("int16", short.MinValue, short.MaxValue),
        "INTEGER" => Integer("int32"),
        "BIGINT" => Integer("int64"),
        "UTINYINT" => Integer("uint8", byte.MinValue, byte.MaxValue),
        "USMALLINT" => Integer("uint16", ushort.MinValue, ushort.MaxValue),
        "UINTEGER" => Integer("uint32", uint.MinValue, uint.MaxValue),
        "UBIGINT" => Integer("uint64", 0),
        "HUGEINT" => Integer(null),
        "UHUGEINT" => Integer(null, 0),
        "DATE" => new() { Type = JsonSchemaType.String, Format = "date" },
        "UUID" => new() { Type = JsonSchemaType.String, Format = "uuid" },
        "BLOB" => new() { Type = JsonSchemaType.String, ContentEncoding = "base64" },
        "TIME" or "TIME_NS" => Text("a time, hh:mm:ss"),
        "INTERVAL" => Text("an interval"),
        _ when type.StartsWith("DECIMAL(", StringComparison.Ordinal) => new() { Type = JsonSchemaType.Number, Format = "decimal" },
        _ => new() { Type = JsonSchemaType.String },
    };

    private static OpenApiSchema Text(string description) => new() { Type = JsonSchemaType.String, Description = description };

    private static OpenApiSchema Integer(string? format, decimal? minimum = null, decimal? maximum = null) => new()
    {
        Type = JsonSchemaType.Integer,
        Format = format,
        Minimum = minimum?.ToString(CultureInfo.InvariantCulture),
        Maximum = maximum?.ToString(CultureInfo.InvariantCulture),
    };
}
