using System.Globalization;
using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NCrontab;

namespace MdFunctions.Local.Worker;

/// <summary>
/// Fires timer functions on their schedules and retries them by their retry attributes, as the Functions host does.
/// A timer never runs twice at once; an occurrence that comes due while it still runs is skipped. Where the setting <see cref="StateSetting"/> names a file,
/// the occurrences to come are kept there, and one that was missed while the host was down is made up for, once, when it starts.
/// </summary>
public sealed class TimerFunctions : BackgroundService
{
    private readonly IServiceProvider _services;
    private readonly ILogger<TimerFunctions> _logger;
    /// <summary>The setting that names the file of the timers' state.</summary>
    public const string StateSetting = "Local:TimerState";

    private readonly TimerState _state;
    private readonly Dictionary<string, (FunctionMethod Function, CrontabSchedule Schedule)> _timers = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Reads all schedules.</summary>
    /// <exception cref="InvalidOperationException">A schedule names a setting that is not there, or is not a six-field NCRONTAB expression.</exception>
    public TimerFunctions(IReadOnlyList<FunctionMethod> functions, IConfiguration configuration, IServiceProvider services, ILogger<TimerFunctions> logger)
    {
        (_services, _logger, _state) = (services, logger, new TimerState(configuration[StateSetting]));
        foreach (var function in functions.Where(f => f.Timer is not null))
        {
            var expression = Resolve(function, configuration);
            var schedule = CrontabSchedule.TryParse(expression, new CrontabSchedule.ParseOptions { IncludingSeconds = true })
                ?? throw new InvalidOperationException(
                    $"Function '{function.Name}': '{expression}' is not a six-field NCRONTAB expression such as '0 30 2 * * *'.");
            _timers.Add(function.Name, (function, schedule));
        }
    }

    /// <summary>A timer's schedule with its <c>%SETTING%</c> resolved.</summary>
    /// <exception cref="InvalidOperationException">The setting is not there.</exception>
    public static string Resolve(FunctionMethod function, IConfiguration configuration)
    {
        var schedule = function.Timer!.Schedule;
        if (!schedule.StartsWith('%') || !schedule.EndsWith('%'))
            return schedule;
        var setting = schedule.Trim('%');
        return configuration[setting] ?? throw new InvalidOperationException(
            $"Function '{function.Name}': its schedule is the setting {setting}, which is not set.");
    }

    /// <summary>Starts a timer's function now, in the background, as <c>POST /admin/functions/NAME</c> does.</summary>
    /// <returns>False if there is no such timer.</returns>
    public bool RunNow(string name, CancellationToken stopping)
    {
        if (!_timers.TryGetValue(name, out var timer))
            return false;
        // As on the real host: the next occurrence of the schedule, which is still to come.
        var now = DateTime.Now;
        _ = RunAsync(timer.Function, now, timer.Schedule.GetNextOccurrence(now), pastDue: false, stopping);
        return true;
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(_timers.Values.Select(timer => FireAsync(timer.Function, timer.Schedule, stoppingToken)));

    private async Task FireAsync(FunctionMethod function, CrontabSchedule schedule, CancellationToken stopping)
    {
        var last = DateTime.Now;
        if (function.Timer!.RunOnStartup)
            await RunAsync(function, last, last, pastDue: false, stopping);
        if (function.Timer.UseMonitor && _state.Next(function.Name) is { } missed && missed <= DateTime.Now)
        {
            await RunAsync(function, last, missed, pastDue: true, stopping);
            last = missed;
        }
        while (!stopping.IsCancellationRequested)
        {
            var next = schedule.GetNextOccurrence(DateTime.Now);
            _state.Expect(function.Name, next);
            try
            {
                // Task.Delay takes at most some 49 days; a schedule such as "every 29 February" has longer gaps.
                for (var wait = next - DateTime.Now; wait > TimeSpan.Zero; wait = next - DateTime.Now)
                    await Task.Delay(wait < TimeSpan.FromDays(1) ? wait : TimeSpan.FromDays(1), stopping);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            await RunAsync(function, last, next, pastDue: false, stopping);
            last = next;
        }
    }

    private async Task RunAsync(FunctionMethod function, DateTime last, DateTime next, bool pastDue, CancellationToken stopping)
    {
        var invocationId = Guid.NewGuid().ToString();
        var retry = function.Method.GetCustomAttribute<RetryAttribute>();
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                using var scope = _services.CreateScope();
                await function.InvokeAsync(scope.ServiceProvider, parameter => parameter.ParameterType switch
                {
                    var type when type == typeof(TimerInfo) => new TimerInfo
                    {
                        IsPastDue = pastDue,
                        ScheduleStatus = new ScheduleStatus { Last = last, Next = next, LastUpdated = last },
                    },
                    var type when type == typeof(FunctionContext) => new FunctionContext(invocationId, stopping) { RetryContext = new RetryContext(attempt) },
                    var type when type == typeof(CancellationToken) => stopping,
                    var type => throw new InvalidOperationException(
                        $"Function '{function.Name}': this host cannot bind the parameter '{parameter.Name}' of type {type.Name}."),
                });
                _logger.LogInformation("Executed 'Functions.{Function}' (Succeeded, Id={InvocationId})", function.Name, invocationId);
                return;
            }
            catch (Exception e) when (!stopping.IsCancellationRequested)
            {
                _logger.LogError(e, "Executed 'Functions.{Function}' (Failed, Id={InvocationId})", function.Name, invocationId);
                if (retry is null || (retry.MaxRetryCount >= 0 && attempt >= retry.MaxRetryCount))
                    return;
                try
                {
                    await Task.Delay(Delay(retry, attempt), stopping);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
            catch (Exception) when (stopping.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private static TimeSpan Delay(RetryAttribute retry, int attempt) => retry switch
    {
        FixedDelayRetryAttribute fixedDelay => TimeSpan.Parse(fixedDelay.DelayInterval, CultureInfo.InvariantCulture),
        ExponentialBackoffRetryAttribute backoff => TimeSpan.FromSeconds(Math.Min(
            TimeSpan.Parse(backoff.MinimumInterval, CultureInfo.InvariantCulture).TotalSeconds * Math.Pow(2, attempt),
            TimeSpan.Parse(backoff.MaximumInterval, CultureInfo.InvariantCulture).TotalSeconds)),
        _ => throw new InvalidOperationException($"Unknown retry attribute {retry.GetType().Name}."),
    };
}
