using NCrontab;

namespace MdFunctions.Engine;

/// <summary>When the app's timers fire.</summary>
internal sealed class TimerSchedules
{
    private const string Form = "a six-field NCRONTAB expression, {second} {minute} {hour} {day} {month} {day of the week}, such as '0 30 2 * * *' (every day at 02:30)";

    private readonly Dictionary<string, CrontabSchedule> _schedules = new(StringComparer.Ordinal);

    private TimerSchedules()
    {
    }

    /// <summary>
    /// Reads the schedules of all timers. The Functions host switches a timer off without a word where its setting is missing or wrong; here it is a fault of
    /// <paramref name="settings"/>.
    /// </summary>
    public static TimerSchedules Read(Settings settings, AppTriggers triggers)
    {
        var schedules = new TimerSchedules();
        foreach (var (name, schedule) in triggers.Timers.Concat(triggers.Others))
        {
            var setting = schedule is ['%', _, .., '%'] ? schedule.Trim('%') : null;
            var expression = setting is null ? schedule : settings.Text(setting)?.Trim();
            var fault = string.IsNullOrEmpty(expression) ? $"is not set, and the timer '{name}' runs by it; expected {Form}" : Fault(expression);
            if (fault is null)
                schedules._schedules[name] = Parse(expression!)!;
            else
                settings.Fault(setting ?? $"(timer '{name}')", fault);
        }
        return schedules;
    }

    /// <summary>How long the shortest wait between two of the next occurrences of a timer is, from a time in the host's zone; null for a timer that is not known.</summary>
    public TimeSpan? Period(string name, DateTime from)
    {
        if (!_schedules.TryGetValue(name, out var schedule))
            return null;
        var times = schedule.GetNextOccurrences(from, from.AddYears(10)).Take(10).ToList();
        return times.Count < 2 ? TimeSpan.FromDays(1) : times.Zip(times.Skip(1), (a, b) => b - a).Min();
    }

    /// <summary>A timer's next occurrence after a time in the host's zone, and its NCRONTAB expression; null for a timer that is not known.</summary>
    public (DateTime Time, string Expression)? Next(string name, DateTime from) =>
        _schedules.TryGetValue(name, out var schedule) ? (schedule.GetNextOccurrence(from), schedule.ToString()) : null;

    private static string? Fault(string expression)
    {
        var fields = expression.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length;
        if (fields == 5)
            return $"'{expression}' has five fields, as cron has them, and lacks the seconds: '0 {expression}' would be the same; expected {Form}";
        if (Parse(expression) is not { } schedule)
            return $"'{expression}' is not a schedule; expected {Form}";
        // From a year that 29 February comes soon after.
        return schedule.GetNextOccurrences(new DateTime(2027, 1, 1), new DateTime(2037, 1, 1)).Any() ? null : $"'{expression}' never comes; expected {Form}";
    }

    private static CrontabSchedule? Parse(string expression) => CrontabSchedule.TryParse(expression, new CrontabSchedule.ParseOptions { IncludingSeconds = true });
}
