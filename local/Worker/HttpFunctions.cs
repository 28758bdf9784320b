using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Local.Worker;

/// <summary>Serves HTTP functions under <c>/api</c> the way the Functions host does, its unhelpful answers included.</summary>
public static class HttpFunctions
{
    /// <summary>Maps every HTTP function. What is mapped to nothing, wrong methods included, is an empty 404.</summary>
    public static void MapHttpFunctions(this WebApplication app, IEnumerable<FunctionMethod> functions)
    {
        foreach (var function in functions.Where(f => f.Http is not null))
        {
            var pattern = "/api/" + (function.Http!.Route ?? function.Name);
            var methods = function.Http.Methods;
            var endpoint = methods.Length == 0
                ? app.Map(pattern, context => InvokeAsync(function, context))
                : app.MapMethods(pattern, methods, context => InvokeAsync(function, context));
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

    private static async Task InvokeAsync(FunctionMethod function, HttpContext http)
    {
        var context = new FunctionContext(Guid.NewGuid().ToString(), http.RequestAborted);
        try
        {
            var result = await function.InvokeAsync(http.RequestServices, parameter => parameter.ParameterType switch
            {
                var type when type == typeof(HttpRequest) => http.Request,
                var type when type == typeof(FunctionContext) => context,
                var type when type == typeof(CancellationToken) => http.RequestAborted,
                var type when type == typeof(string) => http.GetRouteValue(parameter.Name!)?.ToString(),
                var type => throw new InvalidOperationException(
                    $"Function '{function.Name}': this host cannot bind the parameter '{parameter.Name}' of type {type.Name}."),
            });
            if (result is IResult answer)
                await answer.ExecuteAsync(http);
        }
        catch (Exception e) when (!(e is OperationCanceledException && http.RequestAborted.IsCancellationRequested))
        {
            app(http).LogError(e, "Executed 'Functions.{Function}' (Failed, Id={InvocationId})", function.Name, context.InvocationId);
            if (http.Response.HasStarted)
            {
                http.Abort();
                return;
            }
            http.Response.Clear();
            http.Response.StatusCode = StatusCodes.Status500InternalServerError;
        }

        static ILogger app(HttpContext http) => http.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Worker");
    }
}
