using System.Net.Sockets;

namespace MdFunctions.Endpoint;

/// <summary>Why an endpoint did not start, on one line.</summary>
/// <param name="message">What happened, and what to do.</param>
/// <param name="cause">What was thrown.</param>
public sealed class EndpointStartException(string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>Whether another program has the port.</summary>
    public bool IsPortTaken { get; private init; }

    internal static Exception Of(Exception error, LocalEndpointOptions options) => error switch
    {
        OperationCanceledException => error,
        SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } => new EndpointStartException(
            $"port {options.Port} on {options.Host} is taken by another program; choose another with --port", error)
        { IsPortTaken = true },
        _ when error.Message.Contains("Could not set lock on file", StringComparison.Ordinal) => new EndpointStartException(
            "the data folder is in use by another endpoint; stop that one, or choose another folder with --data", error),
        _ => new EndpointStartException(error.Message.Split('\n')[0], error),
    };
}
