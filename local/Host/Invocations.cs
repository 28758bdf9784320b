using System.Diagnostics;
using MdFunctions.Local.Host.Rpc;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Local.Host;

/// <summary>What all triggers tell of a call.</summary>
internal static class Invocations
{
    /// <summary>Logs how a call ended, in the Functions host's words.</summary>
    public static void Executed(this ILogger logger, Function function, string id, long started, Exception? failure)
    {
        var duration = (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        if (failure is null)
            logger.LogInformation("Executed 'Functions.{Function}' (Succeeded, Id={InvocationId}, Duration={Duration}ms)", function.Name, id, duration);
        else
            logger.LogError(failure, "Executed 'Functions.{Function}' (Failed, Id={InvocationId}, Duration={Duration}ms)", function.Name, id, duration);
    }
}

/// <summary>The trace that a call belongs to.</summary>
internal static class Trace
{
    /// <summary>The current one; empty where nobody traces.</summary>
    public static RpcTraceContext Current() => Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity
        ? new RpcTraceContext { TraceParent = activity.Id, TraceState = activity.TraceStateString ?? "" }
        : new RpcTraceContext();
}
