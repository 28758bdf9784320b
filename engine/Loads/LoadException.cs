using MdFunctions.Engine.Http;
using MdFunctions.Engine.MotherDuck;
using Npgsql;

namespace MdFunctions.Engine.Loads;

/// <summary>A load that did not succeed. Its message is for the log and the record of runs, its problem for callers.</summary>
internal sealed class LoadException(string message, Problem problem, bool canRetry, Exception? inner = null) : Exception(message, inner)
{
    private bool _overtaken;

    /// <summary>What an HTTP caller is told.</summary>
    public Problem Problem { get; } = problem;

    /// <summary>Whether trying again, with nothing else changed, may help.</summary>
    public bool CanRetry { get; } = canRetry;

    /// <summary>The rows are not what the load's owner allows: a check, a column, a key. The same rows will not do next time either.</summary>
    public static LoadException Unfit(string what) => new(what, new Problem(422, "Load refused", $"Nothing was loaded: {what}."), canRetry: false);

    /// <summary>The key was used before, for something else.</summary>
    public static LoadException OtherRequest() => new(
        "the same key was used with other parameters",
        new Problem(422, "Key used already", "A run with this Idempotency-Key was made with other parameters, and nothing was loaded now. Another run needs another key."), canRetry: false);

    /// <summary>The app stops.</summary>
    public static LoadException Stopping(Exception inner) => new(
        "the app stopped", new Problem(503, "Stopping", "The app is stopping, and the load was cancelled.") { RetryAfter = TimeSpan.FromSeconds(10) }, canRetry: true, inner);

    /// <summary>The load is running already.</summary>
    public static LoadException Busy(string load) => new(
        $"load '{load}', or one that fills the same table, is running", new Problem(409, "Load running", $"The load '{load}', or one that fills the same table, is running already."), canRetry: true);

    /// <summary>Another run got ahead of this one.</summary>
    public static LoadException Overtaken(string how, Exception? inner = null) =>
        new(how, new Problem(409, "Load running", "Another run of the load got ahead of this one. Try again."), canRetry: true, inner) { _overtaken = true };

    /// <summary>The load's own time is over.</summary>
    public static LoadException TimedOut(LoadTemplate load, Exception inner) => new(
        $"it took longer than its timeout, {Duration.Write(load.Timeout)}",
        new Problem(504, "Load timed out", $"The load took longer than its timeout, {Duration.Write(load.Timeout)}, and was cancelled."), canRetry: true, inner);

    /// <summary>MotherDuck failed.</summary>
    public static LoadException From(MotherDuckError error, Exception exception) =>
        new(error.Message, Guard.ToProblem(error), error.Kind != MotherDuckErrorKind.Rejected || IsConflict(exception) || error.Reason == "Out of Memory Error", exception);

    /// <summary>Whether another transaction was in the way, so that the same work may succeed when it is done again.</summary>
    public static bool IsConflict(Exception exception) => exception is LoadException { _overtaken: true } || MotherDuckError.IsConflict(exception);

    /// <summary>Whether a row with the same primary key was there.</summary>
    public static bool IsDuplicate(PostgresException exception) => exception.MessageText.StartsWith("Constraint Error: Duplicate key", StringComparison.Ordinal);
}
