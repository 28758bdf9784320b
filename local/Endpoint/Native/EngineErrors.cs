namespace MdFunctions.Endpoint.Native;

/// <summary>DuckDB's messages, as they are, with the few SQLSTATEs that there are for them.</summary>
internal static class EngineErrors
{
    /// <summary>The message of every interrupted statement.</summary>
    public const string InterruptMessage = "INTERRUPT Error: Interrupted!";

    public static EndpointException From(string? message) => message switch
    {
        null or "" => new EndpointException("Error: the statement failed, and DuckDB does not say why"),
        _ when message.StartsWith("INTERRUPT Error", StringComparison.Ordinal) => new EndpointException(message, SqlStates.Cancelled),
        _ when message.StartsWith("Parser Error", StringComparison.Ordinal) => new EndpointException(message, SqlStates.Unparsable),
        _ => new EndpointException(message),
    };

    public static EndpointException Interrupted() => new(InterruptMessage, SqlStates.Cancelled);
}
