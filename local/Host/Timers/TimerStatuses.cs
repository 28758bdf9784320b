using System.Text.Json;

namespace MdFunctions.Local.Host.Timers;

/// <summary>What the host knows of a timer's schedule, in local time; functions are told it.</summary>
/// <param name="Last">The last occurrence that was run; the default if there was none.</param>
/// <param name="Next">The occurrence it waits for, or runs now.</param>
/// <param name="LastUpdated">When this was written.</param>
internal sealed record TimerStatus(DateTime Last, DateTime Next, DateTime LastUpdated)
{
    /// <summary>Where a timer that never ran begins.</summary>
    public static TimerStatus First(TimerSchedule schedule, DateTime now) => new(default, schedule.Next(now), now);
}

/// <summary>The statuses of all timers, kept in a file as the Functions host keeps them in its storage account.</summary>
/// <param name="file">The file; null to keep them in memory only.</param>
internal sealed class TimerStatuses(string? file)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, TimerStatus> _statuses = Read(file);

    /// <summary>A timer's status as it was last written; null if it never was.</summary>
    public TimerStatus? this[string timer]
    {
        get
        {
            lock (_lock)
                return _statuses.GetValueOrDefault(timer);
        }
    }

    /// <summary>Writes a timer's status.</summary>
    public void Update(string timer, TimerStatus status)
    {
        lock (_lock)
        {
            _statuses[timer] = status;
            if (file is null)
                return;
            File.WriteAllText(file + ".new", JsonSerializer.Serialize(_statuses));
            File.Move(file + ".new", file, overwrite: true);
        }
    }

    /// <summary>
    /// Whether an occurrence passed while the host was down. A schedule that was changed since then has missed nothing; it begins anew.
    /// </summary>
    public bool IsPastDue(string timer, TimerSchedule schedule, DateTime now)
    {
        var status = this[timer];
        if (status is null)
        {
            Update(timer, TimerStatus.First(schedule, now));
            return false;
        }
        var basis = status.Last != default ? status.Last : status.LastUpdated != default ? status.LastUpdated : now;
        var expected = schedule.Next(basis);
        if (status.Next != expected)
        {
            status = now > expected ? TimerStatus.First(schedule, now) : new TimerStatus(default, expected, basis);
            Update(timer, status);
        }
        return now > status.Next;
    }

    private static Dictionary<string, TimerStatus> Read(string? file)
    {
        try
        {
            return file is not null && File.Exists(file) ? JsonSerializer.Deserialize<Dictionary<string, TimerStatus>>(File.ReadAllText(file))! : [];
        }
        catch (JsonException)
        {
            return []; // Of another version, or cut by a crash: nothing was missed that we know of.
        }
    }
}
