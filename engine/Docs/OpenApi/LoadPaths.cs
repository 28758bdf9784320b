using MdFunctions.Engine.Loads;
using Microsoft.OpenApi;

namespace MdFunctions.Engine.Docs;

/// <summary>The paths of a load: a run now, and its history.</summary>
internal static class LoadPaths
{
    /// <summary>Describes the run of a load.</summary>
    public static OpenApiPathItem Run(LoadTemplate load, Operations operations)
    {
        var operation = operations.Operation($"load_{load.Name}", "Loads", load.Template.Summary ?? load.Name,
            Operations.Json("The run; the first one's again where the Idempotency-Key is known", operations.Schema("LoadRun")), 400, 401, 405, 409, 413, 415, 422, 502, 503, 504);
        operation.Description = $"Fills {load.Target} (mode {load.Mode.ToString().ToLowerInvariant()}). Takes at most {Duration.Write(load.Timeout)}, and goes on when the caller gives up.";
        operation.Parameters = [.. load.Template.RequestParameters.Select(QueryPath.InQuery), RunTime(), Key()];
        if (load.UsesUrl)
            operation.Parameters.Add(Url(load));
        operation.AddExtension("x-schedule", ApiDocument.Note(load.Schedule));
        operation.AddExtension("x-timeout", ApiDocument.Note(Duration.Write(load.Timeout)));
        return Operations.Path(HttpMethod.Post, operation);
    }

    /// <summary>Describes the history of a load.</summary>
    public static OpenApiPathItem Runs(LoadTemplate load, Operations operations)
    {
        var page = AnswerSchemas.Object(
            ["runs"],
            ("runs", new() { Type = JsonSchemaType.Array, Items = operations.Schema("LoadRun") }),
            ("next", new() { Type = JsonSchemaType.String | JsonSchemaType.Null, Description = "the next page; null on the last" }));
        var operation = operations.Operation($"runs_{load.Name}", "Loads", $"The runs of {load.Name}, the newest first", Operations.Json("A page of runs", page), 400, 401, 405, 502, 503, 504);
        operation.Parameters =
        [
            Operations.Parameter(ParameterLocation.Query, "limit", "How many runs a page has", new() { Type = JsonSchemaType.Integer, Minimum = "1", Maximum = "1000", Default = 50 }),
            Operations.Parameter(ParameterLocation.Query, "before", "The occurrence behind which the page starts", new() { Type = JsonSchemaType.String }),
        ];
        return Operations.Path(HttpMethod.Get, operation);
    }

    private static OpenApiParameter RunTime() => Operations.Parameter(
        ParameterLocation.Query, "run_time", "The time that the run is told, to load a past day again; now if it is not given", new() { Type = JsonSchemaType.String, Format = "date-time" });

    private static OpenApiParameter Key() => Operations.Parameter(
        ParameterLocation.Header, LoadRequests.IdempotencyKey, "Names the run: a second request with the same key loads nothing and gets the first one's answer",
        new() { Type = JsonSchemaType.String, MinLength = 1, MaxLength = 255 });

    private static OpenApiParameter Url(LoadTemplate load) => Operations.Parameter(
        ParameterLocation.Query, "url", $"The file to load; begins with {load.Events}", new() { Type = JsonSchemaType.String, Format = "uri" }, required: true);
}
