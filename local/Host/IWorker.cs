namespace MdFunctions.Local.Host;

/// <summary>A worker: the functions' own process, or the same code within this one.</summary>
internal interface IWorker : IAsyncDisposable
{
    /// <summary>Completes when it ended by itself; the text says how.</summary>
    Task<string> Ended { get; }

    /// <summary>Starts it.</summary>
    /// <param name="host">The host's gRPC server.</param>
    /// <param name="workerId">What it has to call itself there.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task StartAsync(Uri host, string workerId, CancellationToken cancellationToken);
}
