using MdFunctions.Local.Host.Rpc;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Local.Host;

/// <summary>Log lines of the worker, which it sends to its host.</summary>
internal static class WorkerLog
{
    /// <summary>Writes a line under the worker's own category.</summary>
    public static void WriteTo(this RpcLog line, ILoggerFactory loggers)
    {
        if (line.LogCategory == RpcLog.Types.RpcLogCategory.CustomMetric)
            return;
        var exception = line.Exception is null ? null : new WorkerException(line.Exception);
        loggers.CreateLogger(line.Category).Log((LogLevel)line.Level, default, line.Message, exception, static (message, _) => message);
    }
}

/// <summary>An exception that the worker told of.</summary>
internal sealed class WorkerException(RpcException exception) : Exception(exception.Message)
{
    // The worker's message is its whole text, stack and all.
    public override string ToString() => Message;
}
