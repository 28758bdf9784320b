using System.Diagnostics.Metrics;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>What a pool's connections are doing.</summary>
/// <param name="InUse">How many serve a request.</param>
/// <param name="Idle">How many are open and free.</param>
/// <param name="Waiting">How many requests wait for one.</param>
/// <param name="Maximum">The most there can be.</param>
internal sealed record PoolState(int InUse, int Idle, int Waiting, int Maximum)
{
    /// <summary>Counts open connections that are free; Npgsql tells them through its metrics only.</summary>
    /// <param name="pool">What the names of the data sources begin with.</param>
    internal static int CountIdle(string pool)
    {
        var idle = 0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument is { Meter.Name: "Npgsql", Name: "db.client.connection.count" })
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<int>((_, count, tags, _) =>
        {
            var (mine, free) = (false, false);
            foreach (var (key, value) in tags)
            {
                mine |= key == "db.client.connection.pool.name" && value is string name && name.StartsWith(pool, StringComparison.Ordinal);
                free |= key == "db.client.connection.state" && "idle".Equals(value);
            }
            if (mine && free)
                idle += count;
        });
        listener.Start();
        listener.RecordObservableInstruments();
        return idle;
    }
}
