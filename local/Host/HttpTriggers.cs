using System.Diagnostics;
using System.Net;
using System.Threading.RateLimiting;
using MdFunctions.Local.Host.Rpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Forwarder;

namespace MdFunctions.Local.Host;

/// <summary>
/// Calls HTTP functions as the Functions host does: the request goes to the worker's own HTTP server, and a gRPC message with the same id tells the worker which
/// function it is for.
/// </summary>
internal sealed class HttpTriggers(WorkerChannel worker, string workerAddress, IHttpForwarder forwarder, ILogger logger) : IDisposable
{
    private const string InvocationId = "x-ms-invocation-id";
    private static readonly TypedData Proxied = new() { Http = new RpcHttp() }; // Empty: the request itself goes over HTTP.

    // The Functions host has no such limit on Flex Consumption. Here callers, host, worker and endpoint are one process as a rule, which has four sockets for each call and no more than this machine
    // gives it. It is far more than the app lets wait, so that the app's own refusals show; what is beyond waits here, and no address behind another.
    private readonly PartitionedRateLimiter<PathString> _gate = PartitionedRateLimiter.Create<PathString, string>(path => RateLimitPartition.GetConcurrencyLimiter(
        path.Value ?? "", _ => new ConcurrencyLimiterOptions { PermitLimit = 1000, QueueLimit = int.MaxValue }));
    private readonly ForwarderRequestConfig _forwarding = new() { ActivityTimeout = TimeSpan.FromSeconds(240) };

    // As the Functions host has it: a header that is not ASCII cannot be sent on, and the call ends in a 500 there too.
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(20), // What a burst needed is not kept.
    });

    /// <summary>Maps every HTTP function. What is mapped to nothing, wrong methods included, is an empty 404.</summary>
    public void Map(WebApplication app, string prefix, IEnumerable<Function> functions)
    {
        foreach (var function in functions.Where(function => function.Http is not null))
        {
            var pattern = $"/{prefix}/{function.Http!.Route}";
            var endpoint = function.Http.Methods.Count == 0
                ? app.Map(pattern, context => InvokeAsync(function, context))
                : app.MapMethods(pattern, function.Http.Methods, context => InvokeAsync(function, context));
            endpoint.WithDisplayName(function.Name);
        }

        // ASP.NET Core routing answers 405 to a method that no route takes; the Functions host answers 404.
        app.Use(async (context, next) =>
        {
            await next(context);
            if (context.GetEndpoint()?.DisplayName == "405 HTTP Method Not Supported" && !context.Response.HasStarted)
            {
                context.Response.Clear();
                context.Response.StatusCode = StatusCodes.Status404NotFound;
            }
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        _gate.Dispose();
    }

    private async Task InvokeAsync(Function function, HttpContext context)
    {
        RateLimitLease turn;
        try
        {
            turn = await _gate.AcquireAsync(context.Request.Path, 1, context.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            return; // The caller is gone.
        }
        using (turn)
            await InvokeAsync(function, context, Guid.NewGuid().ToString(), turn);
    }

    private async Task InvokeAsync(Function function, HttpContext context, string id, RateLimitLease turn)
    {
        var started = Stopwatch.GetTimestamp();
        context.Request.Headers.TryAdd(InvocationId, id);
        // As Azure's front end does.
        if (context.Connection.RemoteIpAddress is { } address)
            context.Request.Headers.Append("X-Forwarded-For", new IPEndPoint(address, context.Connection.RemotePort).ToString());
        var forwarding = forwarder.SendAsync(context, workerAddress, _client, _forwarding).AsTask();
        Exception? failure = null;
        var isCallers = false;
        try
        {
            StatusResult result;
            var invocation = worker.InvokeAsync(Request(function, context, id));
            using (context.RequestAborted.Register(() => _ = CancelAsync(forwarding, id)))
                result = await invocation;
            turn.Dispose(); // Who reads slowly keeps nobody waiting.
            // The worker ends a failed call's response as if all were well, so the answer is whole only once both halves are good.
            var error = await forwarding;
            isCallers = error == ForwarderError.RequestBodyClient && IsCutShort(context.GetForwarderErrorFeature()?.Exception);
            if (error != ForwarderError.None)
                failure = new InvalidOperationException($"Failed to proxy request with ForwarderError: {error}", context.GetForwarderErrorFeature()?.Exception);
            else if (result.Status != StatusResult.Types.Status.Success)
                failure = new WorkerException(result.Exception ?? new RpcException { Message = "cancelled" });
        }
        catch (WorkerLostException e)
        {
            failure = e;
            // Its HTTP server went with it, as a rule.
            if (await Task.WhenAny(forwarding, Task.Delay(TimeSpan.FromSeconds(1))) != forwarding)
                context.Abort();
            await forwarding;
        }
        // A body that ends early is noticed before the connection is known to be gone.
        if (failure is not null && (isCallers || context.RequestAborted.IsCancellationRequested))
        {
            // Nobody's fault.
            logger.LogDebug("Executed 'Functions.{Function}' (the caller went away, Id={InvocationId})", function.Name, id);
            return;
        }
        logger.Executed(function, id, started, failure);
        if (failure is null)
            return;
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }
        context.Response.Clear();
        context.Response.StatusCode = StatusCodes.Status500InternalServerError;
    }

    // Other bodies that cannot be read have a caller who waits for an answer. Kestrel tells them apart by its words only.
    private static bool IsCutShort(Exception? exception) => exception switch
    {
        AggregateException all => all.InnerExceptions.Any(IsCutShort),
        BadHttpRequestException bad => bad.Message.StartsWith("Unexpected end of request content", StringComparison.Ordinal),
        _ => exception?.InnerException is { } inner && IsCutShort(inner),
    };

    // Cancelled while its two halves meet, a call would leave the request half alone, which is an error of the worker's server.
    private async Task CancelAsync(Task forwarding, string id)
    {
        await forwarding;
        worker.Cancel(id);
    }

    private static InvocationRequest Request(Function function, HttpContext context, string id)
    {
        var request = new InvocationRequest
        {
            InvocationId = id,
            FunctionId = function.Id,
            InputData = { new ParameterBinding { Name = function.Parameter, Data = Proxied } },
            TraceContext = Trace.Current(),
        };
        foreach (var (name, value) in context.Request.RouteValues)
        {
            if (value is not null)
                request.TriggerMetadata[name] = new TypedData { String = value.ToString() };
        }
        return request;
    }
}
