using System.Diagnostics.Metrics;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>What a pool's connections are doing.</summary>
/// <param name="InUse">How many serve a request.</param>
/// <param name="Idle">How many are open and free.</param>
/// <param name="Waiting">How many requests wait for one.</param>
/// <param name="Maximum">The most there can be.</param>
public sealed record PoolState(int InUse, int Idle, int Waiting, int Maximum)
{
    /// <summary>Asks Npgsql, which tells its pools' state through its metrics only.</summary>
    /// <param name="pool">The name of the data source.</param>
    /// <param name="waiting">How many requests wait.</param>
    /// <param name="maximum">The pool's size.</param>
    public static PoolState Read(string pool, int waiting, int maximum)
    {
        var (inUse, idle) = (0, 0);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument is { Meter.Name: "Npgsql", Name: "db.client.connection.count" })
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<int>((_, count, tags, _) =>
        {
            object? name = null, state = null;
            foreach (var (key, value) in tags)
            {
                if (key == "db.client.connection.pool.name")
                    name = value;
                else if (key == "db.client.connection.state")
                    state = value;
            }
            if (!pool.Equals(name))
                return;
            if ("idle".Equals(state))
                idle += count;
            else
                inUse += count;
        });
        listener.Start();
        listener.RecordObservableInstruments();
        return new(inUse, idle, waiting, maximum);
    }
}
