using System.Text.Json;
using MdFunctions.Engine.Access;
using MdFunctions.Engine.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MdFunctions.Engine.Mcp;

/// <summary>
/// What <c>/api/mcp</c> answers: the Model Context Protocol over Streamable HTTP, without sessions, so that any instance can answer any request.
/// </summary>
public sealed class McpRequests
{
    private const int MaxBodyBytes = 1024 * 1024;
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(2);

    private readonly McpTools _tools;
    private readonly AllowedOrigins _origins;
    private readonly AccessOptions _access;
    private readonly PublicUrl _url;
    private readonly ILoggerFactory _loggers;
    private readonly IServiceProvider _services;

    internal McpRequests(McpTools tools, AllowedOrigins origins, AccessOptions access, PublicUrl url, ILoggerFactory loggers, IServiceProvider services) =>
        (_tools, _origins, _access, _url, _loggers, _services) = (tools, origins, access, url, loggers, services);

    /// <summary>Answers a message of a client.</summary>
    public Task<IResult> RunAsync(HttpRequest request) => Guard.RunAsync(request, Door.Mcp, async () =>
    {
        // There are no sessions to read from or to end.
        if (request.Method != "POST")
            return Problem.MethodNotAllowed(request.Method, "POST");
        // A page of another site must not speak to a server on this machine or in this network.
        if (!_origins.Allows(request))
            return new Problem(403, "Forbidden", "Origin is another site. Add it to the setting Cors:Origins if it may call this app.");
        if (!Accepts(request))
            return new Problem(406, "Not acceptable", "Accept has to name application/json and text/event-stream.");
        if (!request.HasJsonContentType())
            return new Problem(415, "Unsupported media type", "A message is posted with Content-Type: application/json.");
        var body = await RequestBody.ReadAsync(request, MaxBodyBytes, "A message", request.HttpContext.RequestAborted);
        var (message, fault) = McpMessage.Read(request.Headers, body);
        return fault is null ? new McpAnswer(this, message!) : fault;
    });

    /// <summary>Answers where a client of the protocol gets a token: protected resource metadata (RFC 9728); 404 where no tokens are asked for.</summary>
    public Task<IResult> MetadataAsync(HttpRequest request) => Guard.RunAsync(request, Door.Open, () =>
    {
        if (request.Method is not ("GET" or "HEAD"))
            return Task.FromResult<IResult>(Problem.MethodNotAllowed(request.Method, "GET, HEAD"));
        _url.Protect(request.HttpContext.Response);
        return Task.FromResult(_access.Authority is null ? Problem.NotFound("authority", "Auth:Authority") : Results.Json(new Dictionary<string, object>
        {
            ["resource"] = $"{_url.Of(request)}/api/mcp",
            ["authorization_servers"] = new[] { _access.Authority },
            ["scopes_supported"] = _access.Scope.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            ["bearer_methods_supported"] = new[] { "header" },
            ["resource_name"] = "MotherDuck behind Azure Functions",
        }));
    });

    private static bool Accepts(HttpRequest request) =>
        MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted)
        && ((string[])["application/json", "text/event-stream"]).All(type => accepted.Any(range => range.MatchesMediaType(type)));

    private sealed class McpAnswer(McpRequests owner, JsonRpcMessage message) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.ContentType = "text/event-stream";
            response.Headers.CacheControl = "no-cache, no-store";
            httpContext.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
            message.Context = new() { ProtocolVersion = httpContext.Request.Headers["MCP-Protocol-Version"].FirstOrDefault() };

            await using var transport = new StreamableHttpServerTransport(owner._loggers) { Stateless = true };
            await using var server = McpServer.Create(transport, owner.Options(httpContext), owner._loggers, owner._services);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted);
            var running = server.RunAsync(stop.Token);
            try
            {
                if (!await transport.HandlePostRequestAsync(message, response.Body, httpContext.RequestAborted))
                {
                    response.ContentType = null;
                    response.StatusCode = StatusCodes.Status202Accepted;
                }
            }
            finally
            {
                await transport.DisposeAsync();
                await stop.CancelAsync();
                await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private McpServerOptions Options(HttpContext http) => new()
    {
        ServerInfo = new() { Name = "mdfunctions", Title = "MotherDuck behind Azure Functions", Version = typeof(McpRequests).Assembly.GetName().Version?.ToString(3) ?? "0" },
        ServerInstructions = "Each tool runs one SQL query with typed parameters on MotherDuck (DuckDB) and answers its rows.",
        ScopeRequests = false,
        Capabilities = new() { Tools = new() },
        Handlers = new()
        {
            // All tools are one page, so that nobody was given a cursor.
            ListToolsHandler = (context, _) => context.Params?.Cursor is null
                ? ValueTask.FromResult(new ListToolsResult { Tools = [.. _tools.For(Caller.Of(http))] })
                : throw new McpProtocolException("There is no such cursor: the list is one page.", McpErrorCode.InvalidParams),
            CallToolHandler = (context, cancellationToken) => CallAsync(context, http, cancellationToken),
        },
    };

    private async ValueTask<CallToolResult> CallAsync(RequestContext<CallToolRequestParams> context, HttpContext http, CancellationToken cancellationToken)
    {
        var call = context.Params ?? throw new McpProtocolException("The call has no parameters.", McpErrorCode.InvalidParams);
        var work = _tools.CallAsync(call.Name, http, call.Arguments ?? new Dictionary<string, JsonElement>(), cancellationToken);
        if (call.ProgressToken is { } token)
            await ReportAsync(context.Server, token, work, cancellationToken);
        return await work ?? throw new McpProtocolException($"There is no tool named '{call.Name}'.", McpErrorCode.InvalidParams);
    }

    // A long query would look dead to a client that waits for progress.
    private static async Task ReportAsync(McpServer server, ProgressToken token, Task work, CancellationToken cancellationToken)
    {
        var seconds = 0f;
        while (await Task.WhenAny(work, Task.Delay(ProgressInterval, cancellationToken)) != work && !cancellationToken.IsCancellationRequested)
        {
            seconds += (float)ProgressInterval.TotalSeconds;
            await server.NotifyProgressAsync(token, new() { Progress = seconds, Message = $"Running for {seconds:0} s" }, cancellationToken: cancellationToken);
        }
    }
}
