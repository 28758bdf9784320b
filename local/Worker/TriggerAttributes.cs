// The trigger attributes of the Azure Functions worker packages, as far as functions/ uses them: same names, same
// namespace, same meaning. The real ones are in Microsoft.Azure.Functions.Worker.Extensions.{Abstractions,Http,Timer}.

#pragma warning disable CA1813 // unsealed attributes: as in the worker packages

namespace Microsoft.Azure.Functions.Worker;

/// <summary>Marks a method as a function and gives it its name.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FunctionAttribute(string name) : Attribute
{
    /// <summary>The function's name, unique in the app.</summary>
    public string Name { get; } = name;
}

/// <summary>Who may call an HTTP function. Checked by the Azure platform; local hosts check nothing.</summary>
public enum AuthorizationLevel
{
    /// <summary>Anyone.</summary>
    Anonymous,

    /// <summary>A signed-in user.</summary>
    User,

    /// <summary>Holders of a function key or a host key.</summary>
    Function,

    /// <summary>The host itself.</summary>
    System,

    /// <summary>Holders of the master key.</summary>
    Admin,
}

/// <summary>Runs the function when an HTTP request arrives.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class HttpTriggerAttribute(AuthorizationLevel authLevel, params string[] methods) : Attribute
{
    /// <summary>Who may call.</summary>
    public AuthorizationLevel AuthLevel { get; } = authLevel;

    /// <summary>The HTTP methods served; empty for all of them.</summary>
    public string[] Methods { get; } = methods;

    /// <summary>The route below the prefix <c>api</c>; the function's name when null.</summary>
    public string? Route { get; set; }
}

/// <summary>Runs the function on a schedule.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class TimerTriggerAttribute(string schedule) : Attribute
{
    /// <summary>A six-field NCRONTAB expression, or <c>%SETTING%</c> to read it from configuration.</summary>
    public string Schedule { get; } = schedule;

    /// <summary>Whether the schedule's state is kept between starts of the host.</summary>
    public bool UseMonitor { get; set; } = true;

    /// <summary>Whether to run once when the host starts.</summary>
    public bool RunOnStartup { get; set; }
}

/// <summary>What the host does when the function fails.</summary>
[AttributeUsage(AttributeTargets.Method)]
public abstract class RetryAttribute : Attribute
{
    /// <summary>How often to retry at most; -1 for ever.</summary>
    public int MaxRetryCount { get; protected set; }
}

/// <summary>Retries after the same delay each time.</summary>
public sealed class FixedDelayRetryAttribute : RetryAttribute
{
    /// <summary>Creates the policy.</summary>
    public FixedDelayRetryAttribute(int maxRetryCount, string delayInterval) =>
        (MaxRetryCount, DelayInterval) = (maxRetryCount, delayInterval);

    /// <summary>The delay, as <c>hh:mm:ss</c>.</summary>
    public string DelayInterval { get; }
}

/// <summary>Retries after delays that double, between two bounds.</summary>
public sealed class ExponentialBackoffRetryAttribute : RetryAttribute
{
    /// <summary>Creates the policy.</summary>
    public ExponentialBackoffRetryAttribute(int maxRetryCount, string minimumInterval, string maximumInterval) =>
        (MaxRetryCount, MinimumInterval, MaximumInterval) = (maxRetryCount, minimumInterval, maximumInterval);

    /// <summary>The first delay, as <c>hh:mm:ss</c>.</summary>
    public string MinimumInterval { get; }

    /// <summary>The longest delay, as <c>hh:mm:ss</c>.</summary>
    public string MaximumInterval { get; }
}
