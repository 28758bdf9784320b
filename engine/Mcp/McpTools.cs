using System.Text;
using System.Text.Json;
using MdFunctions.Engine.Access;
using MdFunctions.Engine.Docs;
using MdFunctions.Engine.Http;
using MdFunctions.Engine.Loads;
using MdFunctions.Engine.Queries;
using MdFunctions.Engine.Templates;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using ModelContextProtocol.Protocol;

namespace MdFunctions.Engine.Mcp;

/// <summary>The tools that the app offers to models: each query, and each load whose front matter says <c>mcp: true</c>.</summary>
internal sealed class McpTools
{
    private readonly SortedDictionary<string, (Tool Tool, AccessRule Access, Func<HttpContext, IDictionary<string, JsonElement>, CancellationToken, Task<CallToolResult>> Call)> _tools = new(StringComparer.Ordinal);
    private readonly QueryRunner _queries;
    private readonly LoadRunner _loads;
    private readonly McpOptions _options;
    private readonly TimeProvider _time;

    /// <summary>Makes the tools of the SQL files.</summary>
    public McpTools(TemplateCatalog templates, QueryRunner queries, LoadRunner loads, McpOptions options, TimeProvider time)
    {
        (_queries, _loads, _options, _time) = (queries, loads, options, time);
        foreach (var query in templates.Queries.Values.Where(query => query.Mcp))
            _tools.Add(query.Template.Name, (Tool(query), query.Template.Access, (http, arguments, stop) => CallAsync(query, http, arguments, stop)));
        foreach (var load in templates.Loads.Values.Where(load => load.Mcp))
            _tools.Add(LoadName(load), (Tool(load), load.Template.Access, (http, arguments, _) => CallAsync(load, http, arguments)));
    }

    /// <summary>The tools that a caller may use, in the order of their names.</summary>
    public IEnumerable<Tool> For(Caller caller) => _tools.Values.Where(tool => caller.May(tool.Access)).Select(tool => tool.Tool);

    /// <summary>The name of a load's tool.</summary>
    public static string LoadName(LoadTemplate load) => $"load_{load.Name}";

    /// <summary>Calls a tool.</summary>
    /// <returns>Null if there is none of that name. What goes wrong with the call is told in the result, for the model to mend.</returns>
    public async Task<CallToolResult?> CallAsync(string name, HttpContext http, IDictionary<string, JsonElement> arguments, CancellationToken cancellationToken)
    {
        if (!_tools.TryGetValue(name, out var tool))
            return null;
        try
        {
            Caller.Of(http).Demand(tool.Access, name);
            return await tool.Call(http, arguments, cancellationToken);
        }
        catch (Exception e) when (!(e is OperationCanceledException && cancellationToken.IsCancellationRequested))
        {
            var problem = Guard.ToProblem(e, http);
            http.RequestServices.GetRequiredService<Admission>().Record(http.Request, Door.Mcp, problem);
            return Failure(problem);
        }
    }

    private static Tool Tool(QueryTemplate query) => new()
    {
        Name = query.Template.Name,
        Title = query.Template.Summary,
        Description = Describe(query.Template),
        InputSchema = InputSchema(query.Template.RequestParameters),
        Annotations = new() { ReadOnlyHint = true, DestructiveHint = false, IdempotentHint = true, OpenWorldHint = false },
    };

    private static Tool Tool(LoadTemplate load) => new()
    {
        Name = LoadName(load),
        Title = load.Template.Summary,
        Description = $"{Describe(load.Template)} Runs a load into the table {load.Target} (mode {load.Mode.ToString().ToLowerInvariant()}).",
        InputSchema = InputSchema(load.Template.RequestParameters),
        Annotations = new() { ReadOnlyHint = false, DestructiveHint = load.Mode != LoadMode.Append, IdempotentHint = load.Mode != LoadMode.Append, OpenWorldHint = true },
    };

    private static string Describe(Template template) =>
        string.Join("\n\n", ((string?[])[template.Summary, template.Description]).Where(text => text is not null).DefaultIfEmpty(template.Name));

    private static JsonElement InputSchema(IReadOnlyList<Parameter> parameters)
    {
        using var text = new StringWriter();
        ParameterSchema.OfAll(parameters).SerializeAsV31(new OpenApiJsonWriter(text, new OpenApiJsonWriterSettings { Terse = true }));
        return JsonSerializer.Deserialize<JsonElement>(text.ToString());
    }

    private async Task<CallToolResult> CallAsync(QueryTemplate query, HttpContext http, IDictionary<string, JsonElement> arguments, CancellationToken cancellationToken)
    {
        var values = TemplateInput.Read(arguments, query.Template.Parameters, Caller.Of(http));
        var answer = await _queries.CollectAsync(query, values, _options.MaxRows, Caller.Of(http), cancellationToken);
        var rows = Encoding.UTF8.GetString(answer.Body);
        var cut = answer.Truncated ? $"Only the first {Math.Min(_options.MaxRows, query.MaxRows == 0 ? int.MaxValue : query.MaxRows)} rows are here; there are more. Narrow the parameters to see others." : null;
        var structured = JsonSerializer.Deserialize<JsonElement>($"{{\"rows\":{rows},\"truncated\":{(answer.Truncated ? "true" : "false")}}}");
        return new()
        {
            Content = cut is null ? [new TextContentBlock { Text = rows }] : [new TextContentBlock { Text = rows }, new TextContentBlock { Text = cut }],
            StructuredContent = structured,
        };
    }

    private async Task<CallToolResult> CallAsync(LoadTemplate load, HttpContext http, IDictionary<string, JsonElement> arguments)
    {
        var values = TemplateInput.Read(arguments, load.Template.Parameters, Caller.Of(http));
        try
        {
            // It goes on when the caller goes away, as a run by HTTP does.
            var run = await _loads.RunAsync(new LoadRequest(load, Guid.NewGuid().ToString(), "http", _time.GetUtcNow(), values) { Caller = Caller.Of(http) }, TimeSpan.Zero);
            var json = JsonSerializer.SerializeToElement(run, JsonSerializerOptions.Web);
            return new() { Content = [new TextContentBlock { Text = json.GetRawText() }], StructuredContent = json };
        }
        catch (LoadException e)
        {
            return Failure(e.Problem);
        }
    }

    private static CallToolResult Failure(Problem problem) => new()
    {
        IsError = true,
        Content = [new TextContentBlock { Text = $"{problem.Title}. {problem.Detail}".TrimEnd() }],
    };
}
