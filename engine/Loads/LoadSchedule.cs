using System.Globalization;
using MdFunctions.Engine.Templates;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Engine.Loads;

/// <summary>Runs the loads of a schedule.</summary>
public sealed class LoadSchedule
{
    private readonly LoadRunner _runner;
    private readonly TemplateCatalog _templates;
    private readonly TimerSchedules _timers;
    private readonly LoadOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Firing> _last = new(StringComparer.Ordinal);

    internal LoadSchedule(LoadRunner runner, TemplateCatalog templates, TimerSchedules timers, LoadOptions options, TimeProvider time, ILogger<LoadSchedule> logger) =>
        (_runner, _templates, _timers, _options, _time, _logger) = (runner, templates, timers, options, time, logger);

    /// <summary>
    /// Runs all loads of a schedule: for the occurrence that a timer fired for, or, when it was started by hand, for an occurrence of its own.
    /// </summary>
    /// <param name="schedule">The schedule's name.</param>
    /// <param name="next">What the timer's status calls the next occurrence, in UTC or in the host's local time; null where the host keeps no status.</param>
    /// <param name="invocationId">The host's id of this call.</param>
    /// <param name="retry">Which retry of a failed call this is, from 1; 0 or null for a first call.</param>
    /// <exception cref="InvalidOperationException">Some did not succeed; the message names them. It is for the host, which retries and alerts. A run by hand does
    /// not throw: the host gives each of its retries a new id, so that what succeeded would be loaded again.</exception>
    public async Task RunAsync(string schedule, DateTime? next, string invocationId, int? retry = null)
    {
        var now = _time.GetUtcNow();
        if (next is { } time && Utc(time, now) is var due && IsTimers(schedule, due, invocationId, retry > 0, now) is { } firing)
        {
            await RunAsync(schedule, due.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture), due);
            firing.Succeeded = true;
        }
        else if (retry > 0)
        {
            _logger.LogError("A run by hand of the {Schedule} loads broke off. It is not tried again, as what it had loaded would be loaded twice", schedule);
        }
        else
        {
            try
            {
                await RunAsync(schedule, invocationId, now);
            }
            catch (InvalidOperationException e)
            {
                _logger.LogError("A run by hand is not tried again: {Error}", e.Message);
            }
        }
    }

    // A run by hand is told an occurrence to come. While the timer's own run goes on or waits for a retry, that is the timer's, too; but it has another id.
    private Firing? IsTimers(string schedule, DateTimeOffset due, string invocationId, bool isRetry, DateTimeOffset now)
    {
        if (due > now + Early(schedule))
            return null;
        lock (_lock)
        {
            if (_last.TryGetValue(schedule, out var last) && last.Due == due)
                return isRetry || last.Succeeded || last.InvocationId == invocationId ? last : null;
            return _last[schedule] = new Firing(due, invocationId);
        }
    }

    // A timer of the host may fire a little before its time.
    private TimeSpan Early(string schedule)
    {
        var most = TimeSpan.FromSeconds(10);
        return _timers.Period(schedule, _time.GetLocalNow().DateTime) / 10 is { } tenth && tenth < most ? tenth : most;
    }

    // An hour that comes twice when summer time ends is told apart by the clock: a timer fires at its time.
    private DateTimeOffset Utc(DateTime time, DateTimeOffset now)
    {
        if (time.Kind == DateTimeKind.Utc)
            return time;
        var zone = _time.LocalTimeZone;
        var local = DateTime.SpecifyKind(time, DateTimeKind.Unspecified);
        if (zone.IsAmbiguousTime(local))
            return zone.GetAmbiguousTimeOffsets(local).Select(offset => new DateTimeOffset(local, offset).ToUniversalTime()).MinBy(moment => (moment - now).Duration());
        return new DateTimeOffset(local, zone.GetUtcOffset(local)).ToUniversalTime();
    }

    /// <summary>
    /// Runs all loads of a schedule, each behind those that its <c>after</c> names. One that fails does not stop the others, but those behind it are skipped.
    /// Called again with the same occurrence, it runs what did not succeed.
    /// </summary>
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

    // A timer's call for one occurrence.
    private sealed record Firing(DateTimeOffset Due, string InvocationId)
    {
        public bool Succeeded { get; set; }
    }
}
