using Microsoft.OpenApi;

namespace MdFunctions.Engine.Docs;

/// <summary>The schemas of answers that do not depend on a SQL file.</summary>
internal static class AnswerSchemas
{
    /// <summary>RFC 9457 problem details.</summary>
    public static OpenApiSchema Problem() => Object(
        ["type", "title", "status", "traceId"],
        ("type", Text("always about:blank")),
        ("title", Text("what kind of problem this is")),
        ("status", new() { Type = JsonSchemaType.Integer, Format = "int32" }),
        ("detail", Text("what it is this time, and what to do about it")),
        ("traceId", Text("finds the log lines of this request")),
        ("errors", new()
        {
            Type = JsonSchemaType.Object,
            Description = "what is wrong with each input, by its name",
            AdditionalProperties = new OpenApiSchema { Type = JsonSchemaType.Array, Items = new OpenApiSchema { Type = JsonSchemaType.String } },
        }));

    /// <summary>A run of a load.</summary>
    public static OpenApiSchema LoadRun() => Object(
        ["load", "occurrence", "trigger", "status", "startedAt", "finishedAt"],
        ("load", Text("the load's name")),
        ("occurrence", Text("what the run is for: a scheduled time, an idempotency key, or a blob and its ETag")),
        ("trigger", Text("timer, http or event")),
        ("source", Nullable(Text("the URLs that it read, without what follows a question mark"))),
        ("status", Text("succeeded, failed or skipped")),
        ("rows", Nullable(Count("how many rows were loaded"))),
        ("bytes", Nullable(Count("how large the source is, where an event said so"))),
        ("startedAt", new() { Type = JsonSchemaType.String, Format = "date-time" }),
        ("finishedAt", new() { Type = JsonSchemaType.String, Format = "date-time" }),
        ("error", Nullable(Text("why it did not succeed"))));

    /// <summary>What became of a webhook's delivery.</summary>
    public static OpenApiSchema IngestResult() => Object(
        ["received", "inserted", "rejected", "duplicate"],
        ("received", Count("rows in the body")),
        ("inserted", Count("rows that are stored now")),
        ("rejected", Count("rows that did not fit")),
        ("duplicate", new() { Type = JsonSchemaType.Boolean, Description = "true if a delivery of this id was stored before" }));

    /// <summary>An array of objects.</summary>
    public static OpenApiSchema Array() => new() { Type = JsonSchemaType.Array, Items = new OpenApiSchema { Type = JsonSchemaType.Object } };

    /// <summary>An object with known members.</summary>
    public static OpenApiSchema Object(string[] required, params (string Name, OpenApiSchema Schema)[] members) => new()
    {
        Type = JsonSchemaType.Object,
        Properties = members.ToDictionary(member => member.Name, IOpenApiSchema (member) => member.Schema),
        Required = new SortedSet<string>(required, StringComparer.Ordinal),
    };

    /// <summary>A string.</summary>
    public static OpenApiSchema Text(string description) => new() { Type = JsonSchemaType.String, Description = description };

    private static OpenApiSchema Count(string description) => new() { Type = JsonSchemaType.Integer, Format = "int64", Description = description };

    private static OpenApiSchema Nullable(OpenApiSchema schema)
    {
        schema.Type |= JsonSchemaType.Null;
        return schema;
    }
}
