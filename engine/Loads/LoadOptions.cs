using MdFunctions.Engine.MotherDuck;

namespace MdFunctions.Engine.Loads;

/// <summary>How loads run. Every property is the setting <c>Loads:NAME</c>.</summary>
internal sealed record LoadOptions
{
    private static readonly LoadOptions Defaults = new();

    /// <summary>How many loads run at once in this app, from 1; less than <c>MotherDuck:MaxWritePoolSize</c>. Default 2. Others wait for their turn.</summary>
    public int Concurrency { get; init; } = 2;

    /// <summary>
    /// How long a load that crashed blocks its next run, from 1s to 1h. Default 1m. A load that runs renews its lease three times in that time.
    /// </summary>
    public TimeSpan LeaseDuration { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a storage event waits for its load to be free before Event Grid is told to come again, from 0s to 3m. Default 20s: Event Grid itself waits 30.</summary>
    public TimeSpan EventWait { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Reads the options; faults go to <paramref name="settings"/>.</summary>
    public static LoadOptions Read(Settings settings, MotherDuckOptions motherDuck)
    {
        var concurrency = settings.Integer("Loads:Concurrency", Math.Clamp(motherDuck.MaxWritePoolSize - 1, 1, Defaults.Concurrency), 1, 99);
        // A lease is renewed on a connection of its own: with none left for that, every load would lose its lease.
        if (concurrency >= motherDuck.MaxWritePoolSize)
            settings.Fault("Loads:Concurrency", $"{concurrency} loads at once need MotherDuck:MaxWritePoolSize to be {concurrency + 1} or more, not {motherDuck.MaxWritePoolSize}");
        return new LoadOptions
        {
            Concurrency = concurrency,
            LeaseDuration = settings.Duration("Loads:LeaseDuration", Defaults.LeaseDuration, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)),
            EventWait = settings.Duration("Loads:EventWait", Defaults.EventWait, TimeSpan.Zero, TimeSpan.FromMinutes(3)),
        };
    }
}
