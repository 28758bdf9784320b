using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>
/// Opens one connection for queries in the background when the app starts, so that the first request finds the token read and the TLS handshake done. It runs no
/// query, yet a login may wake MotherDuck's engine: <c>MotherDuck:WarmUp=false</c> leaves all that to the first request.
/// </summary>
internal sealed class WarmUp(MotherDuckDataSources dataSources, MotherDuckOptions options, ILogger<WarmUp> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.WarmUp)
            return;
        await Task.Yield(); // The start of the app does not wait for it.
        try
        {
            await dataSources.Read.RunAsync(options.ConnectTimeout, (_, _) => Task.CompletedTask, MotherDuckError.IsTransientFailure, stoppingToken);
            logger.LogInformation("Connected to {Host}", options.Host);
        }
        catch (Exception e) when (MotherDuckError.From(e) is { } error)
        {
            logger.LogWarning("No connection to {Host} at the start; the first request will try again. {Error}", options.Host, error.Message);
        }
        catch (OperationCanceledException)
        {
            // The app stops already.
        }
    }
}
