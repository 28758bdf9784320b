using System.Security.Authentication;
using System.Text.RegularExpressions;
using Npgsql;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>The kinds of failure that callers have to tell apart.</summary>
internal enum MotherDuckErrorKind
{
    /// <summary>MotherDuck answered and refused the statement: wrong SQL, a missing table, a value that does not fit.</summary>
    Rejected,

    /// <summary>The statement's source, a file in remote storage, could not be read.</summary>
    SourceUnavailable,

    /// <summary>The token was refused.</summary>
    LoginRefused,

    /// <summary>No connection, or it broke.</summary>
    Unreachable,

    /// <summary>Every connection of the pool stayed in use.</summary>
    PoolExhausted,

    /// <summary>The time allowed was over.</summary>
    Timeout,
}

/// <summary>What went wrong at MotherDuck.</summary>
/// <param name="Kind">What to do about it.</param>
/// <param name="Reason">DuckDB's own category (<c>Catalog Error</c>) or a few words; holds no SQL and no data, so callers may see it.</param>
/// <param name="Message">The full message for the log, on one line; query strings of URLs, which may hold signatures, are cut.</param>
internal sealed partial record MotherDuckError(MotherDuckErrorKind Kind, string Reason, string Message)
{
    /// <summary>Whether a connection broke and another may do better: what only reads may be run again at once. False where logging in already took its time.</summary>
    public bool IsTransient { get; init; }

    /// <summary>When to come again, where that is known.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Classifies what Npgsql threw: by DuckDB's prefix of the message first, by SQLSTATE second, as the endpoint's codes say little.</summary>
    /// <returns>Null if the exception is not one of MotherDuck's or Npgsql's.</returns>
    public static MotherDuckError? From(Exception exception) => exception switch
    {
        MotherDuckException e => e.Error,
        PostgresException e => FromServer(e),
        NpgsqlException { InnerException: TimeoutException } e => new(MotherDuckErrorKind.Timeout, "no answer in time", OneLine(e.Message)),
        NpgsqlException { InnerException: AuthenticationException inner } => new(MotherDuckErrorKind.Unreachable, "no TLS connection", $"TLS failed: {OneLine(inner.Message)}"),
        NpgsqlException e => new(MotherDuckErrorKind.Unreachable, "no connection", OneLine(e.InnerException?.Message ?? e.Message)) { IsTransient = true },
        TimeoutException => new(MotherDuckErrorKind.Timeout, "no answer in time", OneLine(exception.Message)),
        _ => null,
    };

    /// <summary>DuckDB's own category of an error, such as <c>Catalog Error</c>; null if the message has none.</summary>
    public static string? DuckDbReason(string message) => Prefix().Match(message) is { Success: true } prefix ? prefix.Value.TrimEnd(':') : null;

    /// <summary>Whether a failure is <see cref="IsTransient"/>.</summary>
    public static bool IsTransientFailure(Exception exception) => From(exception) is { IsTransient: true };

    /// <summary>Whether another transaction was in the way, so that the same work may succeed when it is done again.</summary>
    public static bool IsConflict(Exception exception) => exception is PostgresException e && e.MessageText.StartsWith("TransactionContext Error:", StringComparison.Ordinal)
        && (e.MessageText.Contains("onflict", StringComparison.Ordinal) || e.MessageText.Contains("Failed to commit", StringComparison.Ordinal));

    /// <summary>Whether what the server said while a connection was opened is about the token. Its code need not say so, as the endpoint's codes say little.</summary>
    public static bool IsLoginRefused(PostgresException exception) =>
        FromServer(exception).Kind == MotherDuckErrorKind.LoginRefused || AboutTheToken().IsMatch(exception.MessageText);

    /// <summary>A message on one line, without DuckDB's excerpt of the statement, the query strings of URLs, and anything that looks like a token.</summary>
    public static string OneLine(string message)
    {
        var excerpt = message.IndexOf("\nLINE ", StringComparison.Ordinal);
        var text = excerpt < 0 ? message : message[..excerpt];
        return Jwt().Replace(WithoutSecrets(text.ReplaceLineEndings(" ").Trim()), "[token]");
    }

    /// <summary>A text whose URLs have no users, passwords and query strings, which may be secrets. Of a password with a slash in it no part stays.</summary>
    public static string WithoutSecrets(string text) => QueryString().Replace(Credentials().Replace(text, "$1$2"), "$1?...");

    private static MotherDuckError FromServer(PostgresException e)
    {
        var message = OneLine(e.MessageText);
        if (DuckDbReason(message) is { } reason)
        {
            return reason switch
            {
                "INTERRUPT Error" => new(MotherDuckErrorKind.Timeout, "the statement was cancelled", message),
                "HTTP Error" or "IO Error" => new(MotherDuckErrorKind.SourceUnavailable, reason, message),
                _ => new(MotherDuckErrorKind.Rejected, reason, message),
            };
        }
        return e.SqlState switch
        {
            "28P01" or "28000" => new(MotherDuckErrorKind.LoginRefused, "the access token was refused", message),
            "57014" => new(MotherDuckErrorKind.Timeout, "the statement was cancelled", message),
            ['0', '8', ..] or ['5', '3', ..] or ['5', '7', ..] => new(MotherDuckErrorKind.Unreachable, "MotherDuck is not ready", message) { IsTransient = true },
            _ => new(MotherDuckErrorKind.Rejected, $"SQLSTATE {e.SqlState}", message),
        };
    }

    // All that DuckDB 1.5's sources have (exception.cpp), and no other words: what is no prefix may be data.
    [GeneratedRegex("^(?:Invalid|Out of Range|Conversion|Unknown Type|Decimal|Mismatch Type|Divide by Zero|Object Size|Invalid type|Serialization|TransactionContext"
        + "|Not implemented|Expression|Catalog|Parser|Binder|Planner|Scheduler|Executor|Constraint|Index|Stat|Connection|Syntax|Settings|Optimizer|NullPointer|IO"
        + "|INTERRUPT|FATAL|INTERNAL|Invalid Input|Out of Memory|Permission|Parameter Not Resolved|Parameter Not Allowed|Dependency|Missing Extension|HTTP"
        + "|Extension Autoloading|Sequence|Invalid Configuration) Error:")]
    private static partial Regex Prefix();

    [GeneratedRegex("""((?:https?|az|azure|abfss?|s3|gcs|gs|r2)://[^\s?'"]*)\?[^\s'"]*""", RegexOptions.IgnoreCase)]
    private static partial Regex QueryString();

    [GeneratedRegex("""((?:https?|ftp)://)[^\s'"]*:[^\s'"]*@|((?:https?|ftp|azure?|s3|gcs|gs|r2|hf)://)[^\s'"/?@]*@""", RegexOptions.IgnoreCase)]
    private static partial Regex Credentials();

    [GeneratedRegex("eyJ[A-Za-z0-9_-]{8,}([.][A-Za-z0-9_-]*){0,2}")]
    private static partial Regex Jwt();

    [GeneratedRegex("\\b(jwt|token|authentication failed|unauthenticated|unauthorized)\\b", RegexOptions.IgnoreCase)]
    private static partial Regex AboutTheToken();
}
