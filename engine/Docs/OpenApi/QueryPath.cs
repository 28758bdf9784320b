using MdFunctions.Engine.Queries;
using MdFunctions.Engine.Templates;
using Microsoft.OpenApi;

namespace MdFunctions.Engine.Docs;

/// <summary>The path of a query: GET with a query string, POST with a JSON object.</summary>
internal static class QueryPath
{
    /// <summary>Describes a query.</summary>
    public static OpenApiPathItem Of(QueryTemplate query, IReadOnlyList<Column>? columns, Operations operations)
    {
        var name = query.Template.Name;
        var path = new OpenApiPathItem();
        var get = Operation(query, columns, operations, $"query_{name}");
        get.Parameters = [.. query.Template.RequestParameters.Select(InQuery), Format()];
        path.AddOperation(HttpMethod.Get, get);

        var post = Operation(query, columns, operations, $"query_{name}_post");
        post.Parameters = [Format()];
        var body = Operations.Body(("application/json", ParameterSchema.OfAll(query.Template.RequestParameters)));
        body.Required = query.Template.RequestParameters.Any(ParameterSchema.IsRequired);
        post.RequestBody = body;
        path.AddOperation(HttpMethod.Post, post);
        return path;
    }

    /// <summary>A template's parameter in the query string. A list is repeated: <c>?id=1&amp;id=2</c>.</summary>
    public static IOpenApiParameter InQuery(Parameter parameter)
    {
        var described = Operations.Parameter(ParameterLocation.Query, parameter.Name, parameter.Summary, ParameterSchema.Of(parameter), ParameterSchema.IsRequired(parameter));
        (described.Style, described.Explode) = (ParameterStyle.Form, true);
        return described;
    }

    private static OpenApiOperation Operation(QueryTemplate query, IReadOnlyList<Column>? columns, Operations operations, string id)
    {
        var operation = operations.Operation(id, "Queries", query.Template.Summary ?? query.Template.Name, Answer(query, columns), 400, 401, 405, 406, 413, 415, 422, 502, 503, 504);
        operation.Description = Describe(query);
        if (query.Cache is not null)
        {
            operation.Responses!["304"] = Operations.Response("The answer that the caller has (If-None-Match) is still right.");
            operation.AddExtension("x-cache", ApiDocument.Note(Duration.Write(query.Cache.Value)));
        }
        operation.AddExtension("x-timeout", ApiDocument.Note(Duration.Write(query.Timeout)));
        return operation;
    }

    private static string Describe(QueryTemplate query)
    {
        var words = $"{query.Template.Description}\n\nTakes at most {Duration.Write(query.Timeout)}.".TrimStart();
        if (query.MaxRows > 0)
            words += query.ErrorOnLimit ? $" More than {query.MaxRows} rows are a 422." : $" Answers at most {query.MaxRows} rows; Result-Truncated says when there were more.";
        return words;
    }

    private static OpenApiResponse Answer(QueryTemplate query, IReadOnlyList<Column>? columns)
    {
        var row = new OpenApiSchema { Type = JsonSchemaType.Object };
        if (columns is not null)
        {
            row.Properties = columns.ToDictionary(column => column.Name, IOpenApiSchema (column) => TypeSchema.OfOutput(column.Type));
            row.Required = new SortedSet<string>(columns.Select(column => column.Name), StringComparer.Ordinal);
        }
        var response = Operations.Response(
            "The rows, sent as they arrive",
            ("application/json", new OpenApiSchema { Type = JsonSchemaType.Array, Items = row }),
            ("application/x-ndjson", AnswerSchemas.Text("a row a line, each as in application/json")),
            ("text/csv", AnswerSchemas.Text("RFC 4180 with a header line")));
        var headers = new Dictionary<string, IOpenApiHeader>();
        if (query is { MaxRows: > 0, ErrorOnLimit: false })
            headers["Result-Truncated"] = Header("The row limit that the answer was cut at; absent where it is whole", JsonSchemaType.Integer);
        if (query.Cache is not null)
            headers["ETag"] = Header("Names this answer; send it back in If-None-Match", JsonSchemaType.String);
        if (headers.Count > 0)
            response.Headers = headers;
        return response;
    }

    private static OpenApiHeader Header(string description, JsonSchemaType type) => new() { Description = description, Schema = new OpenApiSchema { Type = type } };

    private static OpenApiParameter Format() => Operations.Parameter(
        ParameterLocation.Query, "format", "The answer's format; without it Accept decides.",
        new() { Type = JsonSchemaType.String, Enum = [.. ResultFormat.All.Select(format => System.Text.Json.Nodes.JsonValue.Create(format.Name))] });
}
