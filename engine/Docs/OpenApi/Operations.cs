using Microsoft.OpenApi;

namespace MdFunctions.Engine.Docs;

/// <summary>Makes operations, with what all of them have in common.</summary>
internal sealed class Operations(OpenApiDocument document, bool withTokens)
{
    /// <summary>Problems that every route can answer, by status.</summary>
    private static readonly Dictionary<int, string> Problems = new()
    {
        [400] = "A parameter is missing, unknown or wrong; all faults together.",
        [401] = "The function key is missing or wrong, or the signature is. Azure's own answer for keys has no body.",
        [403] = "The token lacks a role, a scope or a claim; the words say which.",
        [404] = "There is nothing of that name.",
        [405] = "The route does not take that method.",
        [406] = "No format in Accept can be had.",
        [409] = "The load is running.",
        [413] = "The body is too large.",
        [415] = "The body's media type is not taken.",
        [422] = "The request was understood and cannot be done: too many rows, or rows that do not fit.",
        [429] = "The caller has used up its calls of this minute. Try again after Retry-After seconds.",
        [502] = "MotherDuck rejected the statement or the login, or could not read the source.",
        [503] = "Busy, or MotherDuck cannot be reached. Try again after Retry-After seconds.",
        [504] = "It took longer than its limit.",
    };

    /// <summary>A reference to a schema of the document's components.</summary>
    public OpenApiSchemaReference Schema(string name) => new(name, document);

    /// <summary>An operation with an answer and the problems that it can run into.</summary>
    public OpenApiOperation Operation(string id, string tag, string summary, OpenApiResponse answer, params ReadOnlySpan<int> problems)
    {
        var operation = new OpenApiOperation
        {
            OperationId = id,
            Summary = summary,
            Tags = new HashSet<OpenApiTagReference> { new(tag, document) },
            Responses = new() { ["200"] = answer },
        };
        foreach (var status in problems)
            operation.Responses[status.ToString(null as IFormatProvider)] = Problem(status);
        // What asks for a caller can refuse one.
        foreach (var status in withTokens && problems.Contains(401) ? (int[])[403, 429] : [])
            operation.Responses[status.ToString(null as IFormatProvider)] = Problem(status);
        return operation;
    }

    /// <summary>A path with nothing but a GET that answers JSON.</summary>
    public OpenApiPathItem Get(string id, string tag, string summary, IOpenApiSchema schema) =>
        Path(HttpMethod.Get, Operation(id, tag, summary, Json("The list", schema), 401, 503));

    /// <summary>A path with one operation.</summary>
    public static OpenApiPathItem Path(HttpMethod method, OpenApiOperation operation)
    {
        var path = new OpenApiPathItem();
        path.AddOperation(method, operation);
        return path;
    }

    /// <summary>A JSON answer.</summary>
    public static OpenApiResponse Json(string description, IOpenApiSchema schema) => Response(description, ("application/json", schema));

    /// <summary>An answer in any of some media types.</summary>
    public static OpenApiResponse Response(string description, params (string Type, IOpenApiSchema Schema)[] types) => new() { Description = description, Content = Content(types) };

    /// <summary>A body that must be there, in any of some media types.</summary>
    public static OpenApiRequestBody Body(params (string Type, IOpenApiSchema Schema)[] types) => new() { Required = true, Content = Content(types) };

    /// <summary>A parameter in the query string or a header.</summary>
    public static OpenApiParameter Parameter(ParameterLocation place, string name, string? description, OpenApiSchema schema, bool required = false) =>
        new() { Name = name, In = place, Description = description, Schema = schema, Required = required };

    private static Dictionary<string, IOpenApiMediaType>? Content((string Type, IOpenApiSchema Schema)[] types) =>
        types.Length == 0 ? null : types.ToDictionary(type => type.Type, IOpenApiMediaType (type) => new OpenApiMediaType { Schema = type.Schema });

    private OpenApiResponse Problem(int status)
    {
        var response = Response(Problems[status], ("application/problem+json", Schema("Problem")));
        if (status is 429 or 503)
        {
            response.Headers = new Dictionary<string, IOpenApiHeader>
            {
                ["Retry-After"] = new OpenApiHeader { Description = "Seconds to wait", Schema = new OpenApiSchema { Type = JsonSchemaType.Integer } },
            };
        }
        return response;
    }
}
