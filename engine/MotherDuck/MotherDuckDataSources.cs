namespace MdFunctions.Engine.MotherDuck;

/// <summary>
/// The process's two pools. They are apart even when both log in with the same token, so that loads that run for minutes never keep queries waiting.
/// </summary>
/// <param name="Read">For queries: logs in with the read token where one is set.</param>
/// <param name="Write">For loads and ingests: always logs in with the read-write token.</param>
public sealed record MotherDuckDataSources(MotherDuckDataSource Read, MotherDuckDataSource Write) : IAsyncDisposable
{
    /// <summary>Closes all connections.</summary>
    public async ValueTask DisposeAsync()
    {
        await Read.DisposeAsync();
        await Write.DisposeAsync();
    }
}
