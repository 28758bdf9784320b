using System.Globalization;
using MdFunctions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace MdFunctions.Loads;

/// <summary>The triggers of loads: a timer for each schedule, and <c>/api/loads</c>.</summary>
public sealed class LoadFunctions(LoadSchedule schedule, LoadRequests requests, TimeProvider time)
{
    /// <summary>The schedules that a load's front matter can name: the timers below, in lower case.</summary>
    public static IReadOnlyList<string> Schedules { get; } =
    [
        .. typeof(LoadFunctions).GetMethods()
            .Where(method => method.GetParameters() is [{ ParameterType: var first }, ..] && first == typeof(TimerInfo))
            .Select(method => method.Name.ToLowerInvariant()),
    ];

    // Another schedule is these five lines again, with another name and setting.

    /// <summary>Runs the loads whose schedule is <c>hourly</c>.</summary>
    [Function("LoadsHourly")]
    [ExponentialBackoffRetry(3, "00:00:30", "00:10:00")]
    public Task Hourly([TimerTrigger("%LOADS_HOURLY_SCHEDULE%")] TimerInfo timer, FunctionContext context) => RunAsync("hourly", timer, context);

    /// <summary>Runs the loads whose schedule is <c>daily</c>.</summary>
    [Function("LoadsDaily")]
    [ExponentialBackoffRetry(3, "00:00:30", "00:10:00")]
    public Task Daily([TimerTrigger("%LOADS_DAILY_SCHEDULE%")] TimerInfo timer, FunctionContext context) => RunAsync("daily", timer, context);

    /// <summary><c>GET /api/loads</c>: all loads, with what each is doing and did last.</summary>
    [Function("Loads")]
    public Task<IResult> List([HttpTrigger(AuthorizationLevel.Function, Route = "loads")] HttpRequest request) =>
        Guard.RunAsync(request, () => requests.ListAsync(request));

    /// <summary><c>POST /api/loads/NAME</c>: runs a load now.</summary>
    [Function("Load")]
    public Task<IResult> Run([HttpTrigger(AuthorizationLevel.Function, Route = "loads/{name}")] HttpRequest request, string name) =>
        Guard.RunAsync(request, () => requests.RunAsync(request, name));

    /// <summary><c>GET /api/loads/NAME/runs</c>: a load's history, the newest run first.</summary>
    [Function("LoadRuns")]
    public Task<IResult> Runs([HttpTrigger(AuthorizationLevel.Function, Route = "loads/{name}/runs")] HttpRequest request, string name) =>
        Guard.RunAsync(request, () => requests.HistoryAsync(request, name));

    // A run by hand is told a future occurrence; taking it as its own would make the real one look done.
    private Task RunAsync(string name, TimerInfo timer, FunctionContext context)
    {
        var now = time.GetUtcNow();
        return timer.ScheduleStatus is { } status && status.Next.ToUniversalTime() is var due && due <= now.UtcDateTime
            ? schedule.RunAsync(name, due.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture), due)
            : schedule.RunAsync(name, context.InvocationId, now);
    }
}
