using System.Text.Json.Nodes;
using MdFunctions.Engine.Access;
using MdFunctions.Engine.Queries;
using MdFunctions.Engine.Templates;
using Microsoft.OpenApi;

namespace MdFunctions.Engine.Docs;

/// <summary>The OpenAPI 3.1 description of the app, made from its SQL files.</summary>
internal static class ApiDocument
{
    /// <summary>The name of the security scheme: Azure's function key.</summary>
    public const string FunctionKey = "functionKey";

    /// <summary>The name of the security scheme: a token of the app's authority.</summary>
    public const string Token = "token";

    /// <summary>Describes what a caller may do.</summary>
    /// <param name="templates">Its SQL files.</param>
    /// <param name="columns">The columns of the queries whose shape is known, by name.</param>
    /// <param name="server">The URL that all paths start from, without a slash at its end.</param>
    /// <param name="authority">The issuer of callers' tokens; null where callers have a function key.</param>
    /// <param name="caller">Who reads it.</param>
    public static OpenApiDocument Of(TemplateCatalog templates, IReadOnlyDictionary<string, IReadOnlyList<Column>> columns, string server, string? authority, Caller caller)
    {
        var document = new OpenApiDocument
        {
            Info = new()
            {
                Title = "MotherDuck behind Azure Functions",
                Version = "1.0",
                Description = "Queries, loads and webhooks over MotherDuck. Each is a SQL file of the app.",
                License = new() { Name = "MIT", Identifier = "MIT" },
            },
            Servers = [new() { Url = server }],
            Tags = new HashSet<OpenApiTag>
            {
                new() { Name = "Queries", Description = "SELECTs with typed parameters, answered as JSON, NDJSON or CSV." },
                new() { Name = "Loads", Description = "Tables filled from remote storage, by timer, by HTTP or by storage event." },
                new() { Name = "Ingest", Description = "Signed webhooks whose JSON becomes rows." },
                new() { Name = "App", Description = "Health, this document and the page." },
            },
            Components = new(),
        };
        document.Components.Schemas = new Dictionary<string, IOpenApiSchema>
        {
            ["Problem"] = AnswerSchemas.Problem(),
            ["LoadRun"] = AnswerSchemas.LoadRun(),
            ["IngestResult"] = AnswerSchemas.IngestResult(),
        };
        AddSecurity(document, authority);
        document.Paths = [];

        var operations = new Operations(document, authority is not null);
        document.Paths.Add("/api/queries", operations.Get("listQueries", "Queries", "All queries with their parameters", AnswerSchemas.Array()));
        foreach (var query in templates.Queries.Values.Where(query => caller.May(query.Template.Access)).OrderBy(query => query.Template.Name, StringComparer.Ordinal))
            document.Paths.Add($"/api/queries/{query.Template.Name}", QueryPath.Of(query, columns.GetValueOrDefault(query.Template.Name), operations));
        document.Paths.Add("/api/loads", operations.Get("listLoads", "Loads", "All loads: what each is doing, and its last run", AnswerSchemas.Array()));
        foreach (var load in templates.Loads.Values.Where(load => caller.May(load.Template.Access)).OrderBy(load => load.Name, StringComparer.Ordinal))
        {
            document.Paths.Add($"/api/loads/{load.Name}", LoadPaths.Run(load, operations));
            document.Paths.Add($"/api/loads/{load.Name}/runs", LoadPaths.Runs(load, operations));
        }
        document.Paths.Add("/api/events/storage", EventPath.Of(operations));
        // Who has a token cannot sign a webhook.
        foreach (var ingest in templates.Ingests.Values.Where(_ => !caller.HasToken).OrderBy(ingest => ingest.Template.Name, StringComparer.Ordinal))
            document.Paths.Add($"/api/ingest/{ingest.Template.Name}", IngestPath.Of(ingest, operations));
        document.Paths.Add("/api/health", AppPaths.Health(operations));
        document.Paths.Add("/api/mcp", AppPaths.Mcp(operations));
        document.Paths.Add(Admission.MetadataPath, AppPaths.Metadata(operations));
        document.Paths.Add("/api/openapi.json", AppPaths.OpenApi(operations));
        document.Paths.Add("/api/docs", AppPaths.Page(operations));
        return document;
    }

    private static void AddSecurity(OpenApiDocument document, string? authority)
    {
        var name = authority is null ? FunctionKey : Token;
        document.Components!.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
        {
            [name] = authority is null
                ? new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.ApiKey,
                    In = ParameterLocation.Header,
                    Name = "x-functions-key",
                    Description = "A function key of the app. A laptop asks for none.",
                }
                : new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.OpenIdConnect,
                    OpenIdConnectUrl = new($"{authority}/.well-known/openid-configuration"),
                    Description = "A bearer token of this issuer.",
                },
        };
        document.Security = [new() { [new OpenApiSecuritySchemeReference(name, document)] = [] }];
    }

    /// <summary>A note for the page and other readers of the document that OpenAPI has no word for.</summary>
    public static JsonNodeExtension Note(string text) => new(JsonValue.Create(text));
}
