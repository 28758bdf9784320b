using MdFunctions.Engine.Loads;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace MdFunctions;

/// <summary>The triggers of loads: a timer for each schedule, and <c>/api/loads</c>.</summary>
public sealed class LoadFunctions(LoadSchedule schedule, LoadRequests requests)
{
    // Another schedule is these five lines again, with another name and setting.

    /// <summary>Runs the loads whose schedule is <c>hourly</c>.</summary>
    [Function("LoadsHourly")]
    [ExponentialBackoffRetry(3, "00:00:30", "00:10:00")]
    public Task Hourly([TimerTrigger("%LOADS_HOURLY_SCHEDULE%")] TimerInfo timer, FunctionContext context) =>
        schedule.RunAsync("hourly", timer.ScheduleStatus?.Next, context.InvocationId, context.RetryContext?.RetryCount);

    /// <summary>Runs the loads whose schedule is <c>daily</c>.</summary>
    [Function("LoadsDaily")]
    [ExponentialBackoffRetry(3, "00:00:30", "00:10:00")]
    public Task Daily([TimerTrigger("%LOADS_DAILY_SCHEDULE%")] TimerInfo timer, FunctionContext context) =>
        schedule.RunAsync("daily", timer.ScheduleStatus?.Next, context.InvocationId, context.RetryContext?.RetryCount);

    /// <summary><c>GET /api/loads</c>: all loads, with what each is doing and did last.</summary>
    [Function("Loads")]
    public Task<IResult> List([HttpTrigger(AuthorizationLevel.Function, Route = "loads")] HttpRequest request) => requests.ListAsync(request);

    /// <summary><c>POST /api/loads/NAME</c>: runs a load now.</summary>
    [Function("Load")]
    public Task<IResult> Run([HttpTrigger(AuthorizationLevel.Function, Route = "loads/{name}")] HttpRequest request, string name) =>
        requests.RunAsync(request, name);

    /// <summary><c>GET /api/loads/NAME/runs</c>: a load's history, the newest run first.</summary>
    [Function("LoadRuns")]
    public Task<IResult> Runs([HttpTrigger(AuthorizationLevel.Function, Route = "loads/{name}/runs")] HttpRequest request, string name) =>
        requests.HistoryAsync(request, name);
}
