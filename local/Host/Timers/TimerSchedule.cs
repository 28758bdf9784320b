using System.Globalization;
using Microsoft.Extensions.Configuration;
using NCrontab;

namespace MdFunctions.Local.Host.Timers;

/// <summary>When a timer fires, in local time: an NCRONTAB expression of five or six fields, or a length of time.</summary>
internal sealed class TimerSchedule
{
    private readonly Func<DateTime, DateTime> _next;

    private TimerSchedule(string expression, bool keepsStatus, Func<DateTime, DateTime> next) => (Expression, KeepsStatus, _next) = (expression, keepsStatus, next);

    /// <summary>What the setting says.</summary>
    public string Expression { get; }

    /// <summary>False where occurrences are less than a minute apart: the host keeps no status of those.</summary>
    public bool KeepsStatus { get; }

    /// <summary>The first occurrence behind a moment.</summary>
    public DateTime Next(DateTime after) => DateTime.SpecifyKind(_next(after), DateTimeKind.Local);

    /// <summary>A timer's schedule with its <c>%SETTING%</c> resolved; null where there is no such setting or it cannot be read: such a timer never fires.</summary>
    public static TimerSchedule? Read(TimerTrigger timer, IConfiguration settings) => Resolve(timer, settings) is { } expression ? Parse(expression) : null;

    /// <summary>A timer's expression; null where it is a setting that is not there.</summary>
    public static string? Resolve(TimerTrigger timer, IConfiguration settings) =>
        timer.Schedule.Length > 2 && timer.Schedule.StartsWith('%') && timer.Schedule.EndsWith('%') ? settings[timer.Schedule[1..^1]] : timer.Schedule;

    private static TimerSchedule? Parse(string expression)
    {
        var fields = expression.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (CrontabSchedule.TryParse(expression, new CrontabSchedule.ParseOptions { IncludingSeconds = fields.Length == 6 }) is { } cron)
            return new(expression, fields.Length == 5 || !SeveralAMinute(fields, cron), cron.GetNextOccurrence);
        if (TimeSpan.TryParse(expression, CultureInfo.InvariantCulture, out var every) && every > TimeSpan.Zero)
            return new(expression, every >= TimeSpan.FromMinutes(1), after => after + every);
        return null;
    }

    private static bool SeveralAMinute(string[] fields, CrontabSchedule cron)
    {
        var now = DateTime.Now;
        return fields.Skip(1).All(field => field == "*") && cron.GetNextOccurrences(now, now.AddMinutes(1)).Take(2).Count() == 2;
    }
}
