using System.Diagnostics;
using System.Text.Json;
using MdFunctions.Local.Host.Rpc;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Local.Host.Timers;

/// <summary>
/// Fires timer functions on their schedules, and retries them, as the Functions host does. A timer never runs twice at once, its retries included; what comes due
/// meanwhile is skipped. What was missed while the host was down is made up for, once, when it starts.
/// </summary>
internal sealed class TimerTriggers : IAsyncDisposable
{
    private readonly WorkerChannel _worker;
    private readonly ILogger _logger;
    private readonly TimerStatuses _statuses;
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<(Function Function, TimerSchedule Schedule)> _timers;
    private Task _running = Task.CompletedTask;

    /// <summary>Reads all schedules. A timer without one that can be read is disabled, without a word, as on the Functions host.</summary>
    public TimerTriggers(WorkerChannel worker, IEnumerable<Function> functions, IConfiguration settings, string? statusFile, ILogger logger)
    {
        (_worker, _logger, _statuses) = (worker, logger, new TimerStatuses(statusFile));
        _timers = [.. functions.Where(function => function.Timer is not null)
            .Select(function => (function, TimerSchedule.Read(function.Timer!, settings)!))
            .Where(timer => timer.Item2 is not null)];
    }

    /// <summary>Starts waiting for occurrences.</summary>
    public void Start() => _running = Task.WhenAll(_timers.Select(timer =>
    {
        var now = DateTime.Now;
        // At once: a run by hand is told the status.
        var pastDue = KeepsStatus(timer.Function, timer.Schedule) && _statuses.IsPastDue(timer.Function.Name, timer.Schedule, now);
        return Task.Run(() => FireAsync(timer.Function, timer.Schedule, now, pastDue));
    }));

    /// <summary>Runs a timer's function now, in the background, as <c>POST /admin/functions/NAME</c> does. One that is disabled does nothing.</summary>
    public void RunNow(Function function)
    {
        foreach (var (_, schedule) in _timers.Where(timer => timer.Function == function))
        {
            // It is told the status as it was last written: the occurrence to come, or the one whose retries wait at this moment.
            var status = KeepsStatus(function, schedule) ? _statuses[function.Name] : null;
            _ = Task.Run(() => RunAsync(function, () => Guid.NewGuid().ToString(), new TimerInfo(status, IsPastDue: false)));
        }
    }

    /// <summary>Stops waiting, and asks what runs to stop.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        // What does not stop when asked is left to the end of the worker.
        await Task.WhenAny(_running, Task.Delay(TimeSpan.FromSeconds(10)));
    }

    private static bool KeepsStatus(Function function, TimerSchedule schedule) => function.Timer!.UseMonitor && schedule.KeepsStatus;

    private async Task FireAsync(Function function, TimerSchedule schedule, DateTime now, bool pastDue)
    {
        var keepsStatus = KeepsStatus(function, schedule);
        var status = (keepsStatus ? _statuses[function.Name] : null) ?? TimerStatus.First(schedule, now);
        var atOnce = pastDue || function.Timer!.RunOnStartup;
        while (!_stopping.IsCancellationRequested)
        {
            if (!atOnce && !await WaitAsync(status.Next))
                return;
            var invoked = DateTime.Now;
            var id = Guid.NewGuid().ToString();
            await RunAsync(function, () => id, new TimerInfo(keepsStatus ? status : null, pastDue));
            if (_stopping.IsCancellationRequested)
                return;
            // A timer that fired a moment too early must not fire again for the same occurrence.
            if (!atOnce && status.Next > invoked)
                invoked = status.Next;
            status = new TimerStatus(invoked, schedule.Next(invoked), invoked);
            if (keepsStatus)
                _statuses.Update(function.Name, status);
            (atOnce, pastDue) = (false, false);
        }
    }

    private async Task<bool> WaitAsync(DateTime until)
    {
        try
        {
            // Task.Delay takes at most some 49 days; a schedule such as "every 29 February" has longer gaps.
            for (var wait = until - DateTime.Now; wait > TimeSpan.Zero; wait = until - DateTime.Now)
                await Task.Delay(wait < TimeSpan.FromDays(1) ? wait : TimeSpan.FromDays(1), _stopping.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task RunAsync(Function function, Func<string> invocationId, TimerInfo timer)
    {
        var delays = function.Retry is null ? null : new RetryDelays(function.Retry);
        Exception? failure = null;
        for (var retries = 0; ; retries++)
        {
            failure = await InvokeAsync(function, invocationId(), timer, retries, failure);
            if (failure is null || delays is null || _stopping.IsCancellationRequested || (function.Retry!.MaxRetryCount >= 0 && retries >= function.Retry.MaxRetryCount))
                return;
            if (!await WaitAsync(DateTime.Now + delays.Next()))
                return;
        }
    }

    private async Task<Exception?> InvokeAsync(Function function, string id, TimerInfo timer, int retries, Exception? before)
    {
        var started = Stopwatch.GetTimestamp();
        var request = new InvocationRequest
        {
            InvocationId = id,
            FunctionId = function.Id,
            InputData = { new ParameterBinding { Name = function.Parameter, Data = new TypedData { Json = JsonSerializer.Serialize(timer) } } },
            TraceContext = Trace.Current(),
        };
        if (before is not null)
            request.RetryContext = new RetryContext { RetryCount = retries, MaxRetryCount = function.Retry!.MaxRetryCount, Exception = new RpcException { Message = before.Message } };
        Exception? failure;
        try
        {
            using var cancelling = _stopping.Token.Register(() => _worker.Cancel(id));
            var result = await _worker.InvokeAsync(request);
            failure = result.Status == StatusResult.Types.Status.Success ? null : new WorkerException(result.Exception ?? new RpcException { Message = "cancelled" });
        }
        catch (WorkerLostException e)
        {
            failure = e;
        }
        _logger.Executed(function, id, started, failure);
        return failure;
    }

    /// <summary>What a function is told.</summary>
    private sealed record TimerInfo(TimerStatus? ScheduleStatus, bool IsPastDue);
}
