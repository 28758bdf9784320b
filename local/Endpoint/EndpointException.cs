namespace MdFunctions.Endpoint;

/// <summary>An error that goes to a client as an ErrorResponse: DuckDB's own message, or a refusal in words.</summary>
/// <param name="message">What happened, as the client shall read it.</param>
/// <param name="sqlState">Its SQLSTATE, one of <see cref="SqlState"/>.</param>
internal class EndpointException(string message, string sqlState = SqlState.Engine) : Exception(message)
{
    /// <summary>The SQLSTATE as <see cref="Behaviour.Documented"/> tells it.</summary>
    public string Code { get; } = sqlState;

    /// <summary>After a fatal error the connection is closed.</summary>
    public bool IsFatal { get; init; }

    /// <summary>A statement that the real endpoint, and so this one, does not take.</summary>
    public static EndpointException Refused(string message) => new($"Permission Error: {message}", SqlState.NotSupported);

    /// <summary>An error after which the connection is closed.</summary>
    public static EndpointException Fatal(string message, string sqlState = SqlState.Engine) => new(message, sqlState) { IsFatal = true };

    /// <summary>What a cancelled statement ends with.</summary>
    public static EndpointException Interrupted() => new("INTERRUPT Error: Interrupted!", SqlState.Cancelled);

    /// <summary>The error that DuckDB reported, with its message as it is.</summary>
    public static EndpointException FromEngine(string message) => new(message, message switch
    {
        _ when message.StartsWith("INTERRUPT Error", StringComparison.Ordinal) => SqlState.Cancelled,
        _ when message.StartsWith("Parser Error", StringComparison.Ordinal) => SqlState.Unparsable,
        _ when message.Contains("Current transaction is aborted", StringComparison.Ordinal) => SqlState.FailedTransaction,
        _ => SqlState.Engine,
    });

    /// <summary>The SQLSTATE that a client is told: the observed endpoint knows four of them, and XX000 for all else.</summary>
    public string CodeFor(Behaviour behaviour) =>
        behaviour == Behaviour.Documented || Code is SqlState.WrongToken or SqlState.UnknownDatabase or SqlState.Cancelled or SqlState.Unparsable
            ? Code
            : SqlState.Engine;
}

/// <summary>The SQLSTATEs that the endpoint uses. Nearly everything is XX000, and the message says what happened.</summary>
internal static class SqlState
{
    public const string Engine = "XX000";
    public const string WrongToken = "28P01";
    public const string UnknownDatabase = "3D000";
    public const string Cancelled = "57014";
    public const string Unparsable = "42601";
    public const string NotSupported = "0A000";
    public const string FailedTransaction = "25P02";
    public const string ProtocolViolation = "08P01";
    public const string UnknownSetting = "42704";
    public const string InvalidSetting = "22023";
    public const string UnknownStatement = "26000";
    public const string DuplicateStatement = "42P05";
    public const string UnknownPortal = "34000";
    public const string DuplicatePortal = "42P03";
}
