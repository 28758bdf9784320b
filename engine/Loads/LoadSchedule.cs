using System.Globalization;
using MdFunctions.Engine.Templates;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Engine.Loads;

/// <summary>Runs the loads of a schedule.</summary>
public sealed class LoadSchedule
{
    private readonly LoadRunner _runner;
    private readonly TemplateCatalog _templates;
    private readonly LoadOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    internal LoadSchedule(LoadRunner runner, TemplateCatalog templates, LoadOptions options, TimeProvider time, ILogger<LoadSchedule> logger) =>
        (_runner, _templates, _options, _time, _logger) = (runner, templates, options, time, logger);

    /// <summary>Runs all loads of a schedule for the occurrence that a timer fired for.</summary>
    /// <param name="schedule">The schedule's name.</param>
    /// <param name="next">What the timer's status calls the next occurrence; null where the host keeps no status.</param>
    /// <param name="invocationId">The host's id of this call.</param>
    /// <exception cref="InvalidOperationException">Some did not succeed; the message names them. It is for the host, which retries and alerts.</exception>
    public Task RunAsync(string schedule, DateTime? next, string invocationId)
    {
        var now = _time.GetUtcNow();
        // A run by hand is told a future occurrence; taking it as its own would make the real one look done.
        return next?.ToUniversalTime() is { } due && due <= now.UtcDateTime
            ? RunAsync(schedule, due.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture), due)
            : RunAsync(schedule, invocationId, now);
    }

    /// <summary>
    /// Runs all loads of a schedule, each behind those that its <c>after</c> names. One that fails does not stop the others, but those behind it are skipped.
    /// Called again with the same occurrence, it runs what did not succeed.
    /// </summary>
    /// <param name="schedule">The schedule's name.</param>
    /// <param name="occurrence">What the run is for.</param>
    /// <param name="runTime">The time that the loads are told.</param>
    /// <exception cref="InvalidOperationException">Some did not succeed; the message names them. It is for the host, which retries and alerts.</exception>
    internal async Task RunAsync(string schedule, string occurrence, DateTimeOffset runTime)
    {
        var results = new Dictionary<string, Task<bool>>(StringComparer.Ordinal);
        foreach (var load in LoadOrder.Sort(_templates.Loads.Values.Where(load => load.Schedule == schedule)))
        {
            var before = load.After.Select(name => (name, results[name])).ToList();
            results[load.Name] = RunAsync(new LoadRequest(load, occurrence, "timer", runTime, [.. load.Template.Parameters.Select(parameter => parameter.Default)]), before);
        }
        await Task.WhenAll(results.Values);
        var failed = results.Where(result => !result.Value.Result).Select(result => result.Key).ToList();
        if (failed.Count > 0)
            throw new InvalidOperationException($"{failed.Count} of the {results.Count} {schedule} loads did not succeed: {string.Join(", ", failed)}. The log and load_runs say why.");
    }

    private async Task<bool> RunAsync(LoadRequest request, IReadOnlyList<(string Name, Task<bool> Succeeded)> before)
    {
        foreach (var (name, succeeded) in before)
        {
            if (await succeeded)
                continue;
            _logger.LogWarning("Load {Load} skipped: it comes after {Before}, which did not succeed", request.Load.Name, name);
            await _runner.SkipAsync(request, $"it comes after '{name}', which did not succeed");
            return false;
        }
        try
        {
            // Another app may run the same occurrence: wait for it to succeed, or to fail and leave it to us.
            await _runner.RunAsync(request, request.Load.Timeout + 2 * _options.LeaseDuration);
            return true;
        }
        catch (LoadException e)
        {
            if (e.Problem.Status == 409)
                _logger.LogError("Load {Load} did not run: {Error}", request.Load.Name, e.Message);
            return false;
        }
    }
}
