using System.Globalization;
using MdFunctions.Http;
using MdFunctions.Templates;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace MdFunctions.Loads;

/// <summary>The triggers of loads: a timer for each schedule, and <c>POST /api/loads/NAME</c>.</summary>
public sealed class LoadFunctions(LoadRunner runner, TemplateCatalog templates, TimeProvider time)
{
    /// <summary>Runs the loads whose schedule is <c>hourly</c>.</summary>
    [Function("LoadsHourly")]
    [ExponentialBackoffRetry(3, "00:00:30", "00:10:00")]
    public Task Hourly([TimerTrigger("%LOADS_HOURLY_SCHEDULE%")] TimerInfo timer, FunctionContext context) =>
        runner.RunScheduleAsync("hourly", Occurrence(timer, context), context.CancellationToken);

    /// <summary>Runs the loads whose schedule is <c>daily</c>.</summary>
    [Function("LoadsDaily")]
    [ExponentialBackoffRetry(3, "00:00:30", "00:10:00")]
    public Task Daily([TimerTrigger("%LOADS_DAILY_SCHEDULE%")] TimerInfo timer, FunctionContext context) =>
        runner.RunScheduleAsync("daily", Occurrence(timer, context), context.CancellationToken);

    /// <summary><c>POST /api/loads/NAME</c>: runs a load now.</summary>
    [Function("Load")]
    public Task<IResult> Run([HttpTrigger(AuthorizationLevel.Function, Route = "loads/{name}")] HttpRequest request, string name) =>
        Guard.RunAsync(request, async () =>
        {
            if (!templates.Loads.TryGetValue(name, out var load))
                return Problem.NotFound("load", name);
            if (request.Method != "POST")
                return Problem.MethodNotAllowed(request.Method, "POST");
            var values = await TemplateInput.ReadAsync(request, load.Template.Parameters, ["code"], request.HttpContext.RequestAborted);
            return Results.Json(await runner.RunAsync(load, Guid.NewGuid().ToString(), "http", values, request.HttpContext.RequestAborted));
        });

    // A run by hand is told a future occurrence; taking it as its own would make the real one look done.
    private string Occurrence(TimerInfo timer, FunctionContext context) =>
        timer.ScheduleStatus is { } status && status.Next.ToUniversalTime() <= time.GetUtcNow()
            ? status.Next.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture)
            : context.InvocationId;
}
