namespace MdFunctions.Engine.MotherDuck;

/// <summary>
/// The process's two pools. They are apart even when both log in with the same token, so that loads that run for minutes never keep queries waiting.
/// </summary>
public sealed class MotherDuckDataSources : IAsyncDisposable
{
    internal MotherDuckDataSources(MotherDuckDataSource read, MotherDuckDataSource write) => (Read, Write) = (read, write);

    /// <summary>For queries: logs in with the read token where one is set.</summary>
    public MotherDuckDataSource Read { get; }

    /// <summary>For loads and ingests: always logs in with the read-write token.</summary>
    public MotherDuckDataSource Write { get; }

    /// <summary>Closes all connections.</summary>
    public async ValueTask DisposeAsync()
    {
        await Read.DisposeAsync();
        await Write.DisposeAsync();
    }
}
