using MdFunctions.Engine.Access;
using MdFunctions.Engine.MotherDuck;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Engine.Http;

/// <summary>
/// Turns what a handler throws into problem details. Under the worker an exception that leaves a trigger is an empty 500 and no ASP.NET Core middleware
/// can be added, so each trigger wraps its work in this.
/// </summary>
public static class Guard
{
    /// <summary>
    /// Runs a handler and answers its result, or the problem that its exception stands for. Where the setting <c>Auth:Authority</c> is set, a request without a
    /// valid token gets a 401 instead.
    /// </summary>
    public static Task<IResult> RunAsync(HttpRequest request, Func<Task<IResult>> handler) => RunAsync(request, Door.Token, handler);

    /// <summary>The same for a route that asks for something else of its callers.</summary>
    internal static async Task<IResult> RunAsync(HttpRequest request, Door door, Func<Task<IResult>> handler)
    {
        var admission = request.HttpContext.RequestServices.GetRequiredService<Admission>();
        try
        {
            await admission.AdmitAsync(request, door);
            return QueryText.Check(request) ?? await handler();
        }
        catch (Exception e)
        {
            var problem = ToProblem(e, request.HttpContext);
            admission.Record(request, door, problem);
            return problem;
        }
    }

    /// <summary>The problem an exception stands for; logs what only the log may say.</summary>
    internal static Problem ToProblem(Exception exception, HttpContext httpContext)
    {
        if (exception is ProblemException known)
            return known.Problem;
        var logger = httpContext.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("MdFunctions.Engine.Http");
        var traceId = Problem.TraceId(httpContext);
        if (HasGone(exception, httpContext))
        {
            logger.LogDebug("The caller went away (trace {TraceId})", traceId);
            // Nobody is left to read it, and an answer whose length is said already must not end as if it were whole.
            httpContext.Abort();
            return new Problem(499, "Client closed request");
        }
        if (MotherDuckError.From(exception) is not { } error)
        {
            logger.LogError(exception, "Unexpected failure, trace {TraceId}", traceId);
            return new Problem(500, "Internal error", "The log has the details under this trace id.");
        }
        logger.LogWarning("{Kind}: {Message} (trace {TraceId})", error.Kind, error.Message, traceId);
        return ToProblem(error);
    }

    /// <summary>Whether a request ended because its caller went away, and for no other reason.</summary>
    internal static bool HasGone(Exception exception, HttpContext httpContext) => httpContext.RequestAborted.IsCancellationRequested
        && exception is OperationCanceledException or IOException or ObjectDisposedException;

    /// <summary>503: all connections are in use, and too many wait.</summary>
    internal static Problem Busy(TimeSpan retryAfter) => new(503, "Busy", "All connections to MotherDuck are in use. Try again shortly.") { RetryAfter = retryAfter };

    /// <summary>The problem a failure at MotherDuck stands for.</summary>
    internal static Problem ToProblem(MotherDuckError error) => error.Kind switch
    {
        MotherDuckErrorKind.Timeout => new Problem(504, "MotherDuck timed out", $"The time allowed is over: {error.Reason}."),
        MotherDuckErrorKind.PoolExhausted => Busy(error.RetryAfter ?? TimeSpan.FromSeconds(1)),
        MotherDuckErrorKind.Unreachable => new Problem(503, "MotherDuck is unreachable", $"MotherDuck could not be reached: {error.Reason}.") { RetryAfter = TimeSpan.FromSeconds(5) },
        MotherDuckErrorKind.LoginRefused => new Problem(502, "Rejected by MotherDuck", $"MotherDuck refused the login: {error.Reason}."),
        MotherDuckErrorKind.SourceUnavailable => new Problem(502, "Source unavailable", $"MotherDuck could not read the source: {error.Reason}."),
        _ => new Problem(502, "Rejected by MotherDuck", $"MotherDuck rejected the statement: {error.Reason}. The log has the details under this trace id."),
    };
}
