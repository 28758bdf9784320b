using System.Diagnostics.Metrics;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Templates;
using Microsoft.Extensions.Hosting;

namespace MdFunctions.Engine.Loads;

/// <summary>
/// Tells telemetry when each scheduled load is due next. Timers have been seen to stop without a word: an alert finds the load that did not succeed in its time.
/// </summary>
internal sealed class DueLoads(Telemetry telemetry, TemplateCatalog templates, TimerSchedules timers, TimeProvider time) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        telemetry.ObserveDue(Due);
        return Task.CompletedTask;
    }

    private IEnumerable<Measurement<double>> Due()
    {
        var now = time.GetLocalNow().DateTime;
        foreach (var load in templates.Loads.Values)
        {
            if (timers.Next(load.Schedule, now) is not var (next, expression))
                continue;
            var due = new DateTimeOffset(next, time.LocalTimeZone.GetUtcOffset(next)).ToUnixTimeSeconds();
            yield return new(due, new KeyValuePair<string, object?>("name", load.Name), new KeyValuePair<string, object?>("schedule", expression));
        }
    }
}
