using MdFunctions.Engine.Ingest;
using Microsoft.OpenApi;

namespace MdFunctions.Engine.Docs;

/// <summary>The JSON schema of a webhook's rows.</summary>
internal static class BodySchema
{
    /// <summary>The schema of a row: an object with the declared columns; other keys are passed over.</summary>
    public static OpenApiSchema Of(StructColumn columns) => new()
    {
        Type = JsonSchemaType.Object,
        Properties = columns.Fields.ToDictionary(field => field.Name, IOpenApiSchema (field) => Of(field.Type)),
        Required = new SortedSet<string>(columns.Fields.Where(field => field.Type.Required).Select(field => field.Name), StringComparer.Ordinal),
    };

    private static OpenApiSchema Of(ColumnType type)
    {
        var schema = type switch
        {
            StructColumn nested => Of(nested),
            ListColumn list => new OpenApiSchema { Type = JsonSchemaType.Array, Items = Of(list.Element) },
            { Sql: "JSON" } => new OpenApiSchema(),
            _ => TypeSchema.OfInput(type.Sql),
        };
        if (!type.Required && schema.Type is { } known)
            schema.Type = known | JsonSchemaType.Null;
        return schema;
    }
}
