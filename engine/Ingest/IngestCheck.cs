using MdFunctions.Engine.Exact;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Templates;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Engine.Ingest;

/// <summary>
/// Compares each ingest with its target in the background when the app starts, so that the log says what does not fit before the first delivery does. As it asks
/// MotherDuck, it goes with <c>MotherDuck:WarmUp</c>.
/// </summary>
internal sealed class IngestCheck(MotherDuckDataSources dataSources, TemplateCatalog templates, MotherDuckOptions options, ILogger<IngestCheck> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.WarmUp || templates.Ingests.Count == 0)
            return;
        await Task.Yield(); // The start of the app does not wait for it.
        foreach (var ingest in templates.Ingests.Values)
        {
            try
            {
                var faults = await dataSources.Write.ReadAsync(TableWriter.SetupLimit, async (connection, stop) =>
                {
                    var target = await ingest.Target.ColumnsAsync(connection, stop);
                    return target.Count == 0 ? [] : IngestTargets.Faults(ingest, await Column.DescribeAsync(connection, ingest.EmptySelect, stop), target);
                }, stoppingToken);
                if (faults.Count > 0)
                    logger.LogError("Ingest {Ingest} will store nothing: {Faults}", ingest.Name, string.Join("; ", faults));
            }
            catch (Exception e) when (MotherDuckError.From(e) is { } error)
            {
                logger.LogWarning("Ingest {Ingest} could not be compared with its target: {Error}", ingest.Name, error.Message);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }
}
