namespace MdFunctions.Engine.Queries;

/// <summary>What holds for all queries. Every property is the setting <c>Queries:NAME</c>.</summary>
internal sealed record QueryOptions
{
    /// <summary>The longest that a request can take: the Functions host ends it then.</summary>
    public static readonly TimeSpan MaxTimeout = TimeSpan.FromSeconds(240);

    private static readonly QueryOptions Defaults = new();

    /// <summary>How long a query may take when its file does not say. Default 30 seconds; the Functions host gives a request 240.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The most rows of an answer when a query's file does not say; 0 for no limit. Default 0.</summary>
    public int MaxRows { get; init; }

    /// <summary>How many bytes of answers are kept for queries with <c>cache</c>; an answer over a sixteenth of it is not kept. Default 64 MiB.</summary>
    public int CacheBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>How many bytes of answers may wait in memory for their readers; one answer gets a sixteenth of it. Default 64 MiB.</summary>
    public int BufferBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>How many bytes a second a reader must take while others wait for its connection; 0 for no such limit. Default 64 KiB.</summary>
    public int SlowReaderBytes { get; init; } = 64 * 1024;

    /// <summary>How long a reader may take less than that. Default 10 seconds; a tenth of it while all connections wait for readers.</summary>
    public TimeSpan SlowReaderGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How many refusals for want of a connection are answered a second; what is more waits for its refusal, or for a place in the queue. 0 for no such limit. Default 100.</summary>
    public int RefusalRate { get; init; } = 100;

    /// <summary>Reads the options; faults go to <paramref name="settings"/>.</summary>
    public static QueryOptions Read(Settings settings) => new()
    {
        Timeout = settings.Duration("Queries:Timeout", Defaults.Timeout, TimeSpan.FromMilliseconds(1), MaxTimeout),
        MaxRows = settings.Integer("Queries:MaxRows", Defaults.MaxRows, 0, int.MaxValue - 1),
        CacheBytes = settings.Integer("Queries:CacheBytes", Defaults.CacheBytes, 0, int.MaxValue),
        BufferBytes = settings.Integer("Queries:BufferBytes", Defaults.BufferBytes, 0, int.MaxValue),
        SlowReaderBytes = settings.Integer("Queries:SlowReaderBytes", Defaults.SlowReaderBytes, 0, int.MaxValue),
        RefusalRate = settings.Integer("Queries:RefusalRate", Defaults.RefusalRate, 0, 100_000),
        SlowReaderGrace = settings.Duration("Queries:SlowReaderGrace", Defaults.SlowReaderGrace, TimeSpan.FromMilliseconds(100), MaxTimeout),
    };
}
