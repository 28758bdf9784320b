using System.Diagnostics.Metrics;
using System.Text.Json;
using MdFunctions.Engine.Access;
using MdFunctions.Engine.Http;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Templates;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Engine.Loads;

/// <summary>Takes storage events from Azure Event Grid and runs the loads that want them.</summary>
public sealed class StorageEvents
{
    /// <summary>The most bytes a delivery may have: Event Grid's largest batch is one MiB, and its largest event as much.</summary>
    internal const int MaxBodyBytes = 2 * 1024 * 1024;

    private readonly LoadRunner _runner;
    private readonly LoadTemplate[] _loads;
    private readonly LoadOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Counter<long> _events;

    /// <summary>Finds the loads that want events.</summary>
    internal StorageEvents(LoadRunner runner, TemplateCatalog templates, LoadOptions options, TimeProvider time, IMeterFactory meters, ILogger<StorageEvents> logger)
    {
        (_runner, _options, _time, _logger) = (runner, options, time, logger);
        _loads = [.. templates.Loads.Values.Where(load => load.Events is not null).OrderBy(load => load.Name, StringComparer.Ordinal)];
        _events = meters.Create(Telemetry.Name).CreateCounter<long>("mdfunctions.storage.events", "{event}", "Storage events received, by outcome.");
    }

    private enum Outcome
    {
        Loaded,
        Unmatched,
        Malformed,
        Refused,
        Postponed,
        Ignored,
    }

    /// <summary>
    /// Answers a delivery so that Event Grid sends again what another try can cure (503), and nothing else (200, or 400 for its dead-letter store). A batch that
    /// was put into that store is taken as it is.
    /// </summary>
    public Task<IResult> ReceiveAsync(HttpRequest request) => Guard.RunAsync(request, Door.Events, () => ReceiveEventsAsync(request));

    private async Task<IResult> ReceiveEventsAsync(HttpRequest request)
    {
        if (request.Method == "OPTIONS")
            return Permit(request);
        if (request.Method != "POST")
            return Problem.MethodNotAllowed(request.Method, "POST, OPTIONS");
        using var json = await ReadAsync(request);
        var events = json.RootElement.ValueKind == JsonValueKind.Array ? json.RootElement.EnumerateArray().Select(StorageEvent.Read).ToList() : [StorageEvent.Read(json.RootElement)];
        if (events is [{ ValidationCode: { } code }])
        {
            _logger.LogInformation("Event Grid validated its subscription");
            return Results.Json(new { validationResponse = code });
        }

        var outcomes = (await Task.WhenAll(events.Select(one => HandleAsync(one, Caller.Of(request.HttpContext))))).SelectMany(outcome => outcome).ToList();
        foreach (var group in outcomes.CountBy(outcome => outcome))
            _events.Add(group.Value, new KeyValuePair<string, object?>("outcome", group.Key.ToString().ToLowerInvariant()));
        var counts = Enum.GetValues<Outcome>().ToDictionary(outcome => outcome.ToString().ToLowerInvariant(), outcome => outcomes.Count(other => other == outcome));
        var summary = string.Join(", ", counts.Select(count => $"{count.Value} {count.Key}"));
        if (outcomes.Contains(Outcome.Postponed))
            return new Problem(503, "Try again", $"Of this delivery: {summary}. What was loaded is not loaded again.") { RetryAfter = TimeSpan.FromSeconds(10) };
        if (outcomes.Contains(Outcome.Malformed) || outcomes.Contains(Outcome.Refused))
            return new Problem(400, "Events refused", $"Of this delivery: {summary}. Sending it again would change nothing; the log and load_runs say why.");
        return Results.Json(counts);
    }

    private async Task<IReadOnlyList<Outcome>> HandleAsync(StorageEvent? storageEvent, Caller caller)
    {
        if (storageEvent is null)
        {
            _logger.LogWarning("An event was malformed, or its blob's URL is not one of a single blob");
            return [Outcome.Malformed];
        }
        var matches = storageEvent.Blob is { } blob ? _loads.Where(load => load.Events!.Takes(blob)).ToList() : [];
        if (matches.Count == 0)
        {
            _logger.LogInformation("No load takes the event {Type} of {Url}", storageEvent.Type, storageEvent.Blob);
            return [Outcome.Unmatched];
        }
        if (storageEvent.NoFile is not { } why)
            return await Task.WhenAll(matches.Select(load => LoadAsync(load, storageEvent, caller)));
        _logger.LogInformation("The event {Type} of {Url} loads nothing: {Reason}", storageEvent.Type, storageEvent.Blob, why);
        return [Outcome.Ignored];
    }

    private async Task<Outcome> LoadAsync(LoadTemplate load, StorageEvent storageEvent, Caller caller)
    {
        if (!caller.May(load.Template.Access))
        {
            _logger.LogWarning("Load {Load} is not for who sent the event of {Url}: the token lacks its role or scope", load.Name, storageEvent.Blob);
            return Outcome.Refused;
        }
        if (load.Events!.Url(storageEvent.Blob!) is not { } url)
        {
            _logger.LogError("Load {Load} cannot read {Url}: behind az:// the '?' in its name would be a glob", load.Name, storageEvent.Blob);
            return Outcome.Refused;
        }
        ParameterValue?[] values = [.. load.Template.Parameters.Select(parameter => parameter.Default)];
        var request = new LoadRequest(load, $"{storageEvent.Blob} {storageEvent.Version}", "event", _time.GetUtcNow(), values) { Url = url, Bytes = storageEvent.Bytes, Caller = caller };
        try
        {
            await _runner.RunAsync(request, _options.EventWait);
            return Outcome.Loaded;
        }
        catch (LoadException e)
        {
            return e.CanRetry ? Outcome.Postponed : Outcome.Refused;
        }
    }

    private static IResult Permit(HttpRequest request)
    {
        if (request.Headers["WebHook-Request-Origin"] is not [{ Length: > 0 } origin])
            return Problem.BadRequest("OPTIONS asks for permission to send events, and needs the header WebHook-Request-Origin.");
        request.HttpContext.Response.Headers["WebHook-Allowed-Origin"] = origin;
        request.HttpContext.Response.Headers["WebHook-Allowed-Rate"] = "*";
        request.HttpContext.Response.Headers.Allow = "POST, OPTIONS";
        return Results.Ok();
    }

    private static async Task<JsonDocument> ReadAsync(HttpRequest request)
    {
        var body = await RequestBody.ReadAsync(request, MaxBodyBytes, "A delivery of events", request.HttpContext.RequestAborted);
        var json = RequestBody.ParseJson(body, mayRepeat: true);
        if (json.RootElement.ValueKind is JsonValueKind.Array or JsonValueKind.Object)
            return json;
        json.Dispose();
        throw new ProblemException(Problem.BadRequest("The body is not JSON in the Event Grid schema (an array of events) or CloudEvents 1.0 (an event, or an array of them)."));
    }
}
