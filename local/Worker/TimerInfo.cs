namespace Microsoft.Azure.Functions.Worker;

/// <summary>What a timer-triggered function is told of its schedule.</summary>
public sealed class TimerInfo
{
    /// <summary>The schedule's state.</summary>
    public ScheduleStatus? ScheduleStatus { get; set; }

    /// <summary>Whether the run comes later than its occurrence was due.</summary>
    public bool IsPastDue { get; set; }
}

/// <summary>The state of a timer's schedule, in local time as the host has it.</summary>
public sealed class ScheduleStatus
{
    /// <summary>The occurrence before this one.</summary>
    public DateTime Last { get; set; }

    /// <summary>The occurrence that fired; for a run by hand, one in the future.</summary>
    public DateTime Next { get; set; }

    /// <summary>When the state was last written.</summary>
    public DateTime LastUpdated { get; set; }
}
