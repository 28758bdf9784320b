using System.Diagnostics;
using Npgsql;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>Keeps SQL and data out of Npgsql's spans: a statement's text may hold literals, such as a signed URL, and so may the message of its failure.</summary>
internal static class Tracing
{
    /// <summary>The name of Npgsql's activity source and of its meter.</summary>
    public const string Npgsql = "Npgsql";

    // Never sampled by itself; it is there to be asked how an exception is recorded.
    private static readonly ActivityListener Listener = new()
    {
        ShouldListenTo = source => source.Name == Npgsql,
        ExceptionRecorder = (Activity _, Exception exception, ref TagList tags) =>
        {
            tags.Add("exception.message", MotherDuckError.From(exception)?.Reason ?? exception.GetType().Name);
            tags.Add("exception.stacktrace", "");
        },
    };

    static Tracing() => ActivitySource.AddActivityListener(Listener);

    /// <summary>Configures the spans of a data source.</summary>
    public static void Configure(NpgsqlTracingOptionsBuilder tracing) => tracing
        .EnableFirstResponseEvent(false)
        .ConfigureCommandSpanNameProvider(command => Operation(command.CommandText))
        .ConfigureCommandEnrichmentCallback((activity, command) => activity
            .SetTag("db.query.text", null)
            .SetTag("db.system.name", "motherduck")
            .SetTag("db.operation.name", Operation(command.CommandText)));

    // The statement's first word.
    private static string Operation(string sql)
    {
        var start = sql.AsSpan().TrimStart();
        var length = start.IndexOfAnyExcept(System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"));
        return length <= 0 ? "statement" : start[..length].ToString().ToUpperInvariant();
    }
}
