using System.Text.Json;
using MdFunctions.Local.Host.Timers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Local.Host;

/// <summary><c>POST /admin/functions/NAME</c>: runs a function by hand, in the background.</summary>
internal static class AdminRoutes
{
    /// <summary>
    /// Maps the route. It takes any function and wants a JSON object. What becomes of the call only the log says. HTTP functions cannot be called this way: the Functions host
    /// accepts the call all the same, and fails in the background.
    /// </summary>
    public static void MapAdmin(this WebApplication app, IReadOnlyList<Function> functions, TimerTriggers timers, ILogger logger) =>
        app.MapPost("/admin/functions/{name}", async context => context.Response.StatusCode = await RunAsync(context.Request, functions, timers, logger));

    private static async Task<int> RunAsync(HttpRequest request, IReadOnlyList<Function> functions, TimerTriggers timers, ILogger logger)
    {
        var name = (string)request.RouteValues["name"]!;
        if (!request.HasJsonContentType())
            return StatusCodes.Status415UnsupportedMediaType;
        if (!await HasInvocationAsync(request))
            return StatusCodes.Status400BadRequest;
        if (functions.FirstOrDefault(function => function.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is not { } function)
            return StatusCodes.Status404NotFound;
        if (function.Timer is not null)
            timers.RunNow(function);
        else
            logger.LogError("Executed 'Functions.{Function}' (Failed): an HTTP function is called by its route; an HttpRequest is required", function.Name);
        return StatusCodes.Status202Accepted;
    }

    // {"input": "..."}; the input goes nowhere, as triggers here take none.
    private static async Task<bool> HasInvocationAsync(HttpRequest request)
    {
        try
        {
            using var body = await JsonDocument.ParseAsync(request.Body, cancellationToken: request.HttpContext.RequestAborted);
            return body.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
