using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using MdFunctions.Engine.Access;
using MdFunctions.Engine.Http;
using MdFunctions.Engine.Queries;
using MdFunctions.Engine.Templates;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Loads;

/// <summary>What <c>/api/loads</c> answers.</summary>
public sealed partial class LoadRequests
{
    /// <summary>The header that names the occurrence of a run by HTTP.</summary>
    internal const string IdempotencyKey = "Idempotency-Key";

    private static readonly IReadOnlyCollection<string> Reserved = ["code", "run_time", "url"];

    private readonly TemplateCatalog _templates;
    private readonly LoadRunner _runner;
    private readonly LoadLedger _ledger;
    private readonly TimeProvider _time;
    private readonly PublicUrl _url;
    private readonly Audit _audit;

    internal LoadRequests(TemplateCatalog templates, LoadRunner runner, LoadLedger ledger, TimeProvider time, PublicUrl url, Audit audit) =>
        (_templates, _runner, _ledger, _time, _url, _audit) = (templates, runner, ledger, time, url, audit);

    /// <summary>Lists the loads that the caller may run, with the run that is under way and the last one that ended.</summary>
    public Task<IResult> ListAsync(HttpRequest request) => Guard.RunAsync(request, () => _audit.CallAsync(request, "list", "loads", () => ListLoadsAsync(request)));

    /// <summary>Runs a load and answers its run; the one that was made before if its key is known.</summary>
    /// <param name="request">The request, a <c>POST</c>.</param>
    /// <param name="name">The load's name: that of its file without <c>.sql</c>.</param>
    public Task<IResult> RunAsync(HttpRequest request, string name) => Guard.RunAsync(request, () => RunLoadAsync(request, name));

    /// <summary>Pages through a load's runs, the newest first.</summary>
    /// <param name="request">The request, a <c>GET</c>; <c>limit</c> (1 to 1000) and <c>before</c> choose the page.</param>
    /// <param name="name">The load's name: that of its file without <c>.sql</c>.</param>
    public Task<IResult> HistoryAsync(HttpRequest request, string name) => Guard.RunAsync(request, () => _audit.CallAsync(request, "runs", name, () => ReadHistoryAsync(request, name)));

    private async Task<IResult> RunLoadAsync(HttpRequest request, string name)
    {
        if (!_templates.Loads.TryGetValue(name, out var load))
            return Problem.NotFound("load", name);
        Caller.Of(request.HttpContext).Demand(load.Template.Access, $"load {name}");
        if (request.Method != "POST")
            return Problem.MethodNotAllowed(request.Method, "POST");
        try
        {
            return Results.Json(await _runner.RunAsync(await ReadAsync(request, load), TimeSpan.Zero));
        }
        catch (LoadException e)
        {
            return e.Problem;
        }
    }

    private async Task<IResult> ListLoadsAsync(HttpRequest request)
    {
        if (request.Method is not ("GET" or "HEAD"))
            return Problem.MethodNotAllowed(request.Method, "GET, HEAD");
        _url.Protect(request.HttpContext.Response);
        var last = new List<LoadRun>();
        var running = new List<RunningLoad>();
        var caller = Caller.Of(request.HttpContext);
        var loads = _templates.Loads.Values.Where(load => caller.May(load.Template.Access)).OrderBy(load => load.Name, StringComparer.Ordinal).ToList();
        foreach (var database in loads.Where(load => !load.Template.HasClaims).Select(load => load.Target.Database).Distinct(StringComparer.OrdinalIgnoreCase))
        {
            last.AddRange(await _ledger.LastAsync(database, request.HttpContext.RequestAborted));
            running.AddRange(await _ledger.RunningAsync(database, request.HttpContext.RequestAborted));
        }
        return Results.Json(loads.Select(load => new
        {
            load.Name,
            load.Template.Summary,
            Url = $"{_url.Of(request)}/api/loads/{load.Name}",
            Target = load.Target.ToString(),
            Mode = load.Mode.ToString().ToLowerInvariant(),
            load.Keys,
            load.Schedule,
            load.After,
            Events = load.Events?.ToString(),
            Timeout = Duration.Write(load.Timeout),
            Parameters = load.Template.RequestParameters.Select(CatalogParameter.Of),
            // Runs of a load with claims are of several tenants, and nobody's to see.
            Running = load.Template.HasClaims ? null : running.FirstOrDefault(run => run.Load == load.Name),
            LastRun = load.Template.HasClaims ? null : last.FirstOrDefault(run => run.Load == load.Name),
        }).ToList()); // The worker serializes a result once more when the request is gone.
    }

    private async Task<IResult> ReadHistoryAsync(HttpRequest request, string name)
    {
        if (!_templates.Loads.TryGetValue(name, out var load))
            return Problem.NotFound("load", name);
        Caller.Of(request.HttpContext).Demand(load.Template.Access, $"load {name}");
        if (load.Template.HasClaims)
            return new Problem(403, "Forbidden", $"The runs of load {name} belong to several callers: each is for a claim of a token. None sees them here.");
        if (request.Method is not ("GET" or "HEAD"))
            return Problem.MethodNotAllowed(request.Method, "GET, HEAD");
        _url.Protect(request.HttpContext.Response);
        var limit = 50;
        var before = request.Query["before"].FirstOrDefault();
        if (request.Query["limit"].FirstOrDefault() is { } text
            && !(int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) && limit is >= 1 and <= 1000))
            return Problem.BadInput(new Dictionary<string, string[]> { ["limit"] = ["'limit' is not a whole number from 1 to 1000."] });
        var runs = await _ledger.HistoryAsync(load, limit + 1, before, request.HttpContext.RequestAborted);
        // Pages continue behind an occurrence, not at a number, so that runs that end meanwhile shift nothing.
        var next = runs.Count <= limit ? null
            : $"{_url.Of(request)}/api/loads/{name}/runs?limit={limit}&before={Uri.EscapeDataString(runs[limit - 1].Occurrence)}";
        return Results.Json(new { runs = runs.Take(limit), next });
    }

    private async Task<LoadRequest> ReadAsync(HttpRequest request, LoadTemplate load)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        var now = _time.GetUtcNow();
        var runTime = now;
        if (request.Query.TryGetValue("run_time", out var times) && !(times is [{ } moment] && TryReadTime(moment, out runTime)))
            errors["run_time"] = ["'run_time' is not one ISO 8601 time such as 2025-01-31T02:30:00Z (a '+' in a query string is written %2B)."];
        string? url = null;
        if (load.UsesUrl)
        {
            if (request.Query["url"] is not [{ } given] || (url = load.Events!.Accept(given)) is null)
                errors["url"] = [$"'url' is not the URL of one file that begins with {load.Events}."];
        }
        else if (request.Query.ContainsKey("url") && !load.Template.Parameters.Any(parameter => parameter.Name == "url"))
            errors["url"] = ["'url' is unknown: this load takes none."];
        string? occurrence = null;
        if (request.Headers.TryGetValue(IdempotencyKey, out var keys)
            && (occurrence = keys is [{ Length: >= 1 and <= 255 } key] && key.All(c => c is > ' ' and <= '~') ? key : null) is null)
            errors[IdempotencyKey] = [$"'{IdempotencyKey}' is not one key of 1 to 255 visible ASCII characters."];

        ParameterValue?[] values = [];
        try
        {
            var reserved = Reserved.Where(word => !load.Template.Parameters.Any(parameter => parameter.Name == word)).ToList();
            values = await TemplateInput.ReadAsync(request, load.Template.Parameters, reserved, request.HttpContext.RequestAborted);
        }
        catch (ProblemException e) when (e.Problem.Errors is { } others)
        {
            foreach (var (name, faults) in others)
                errors[name] = faults;
        }
        return errors.Count > 0
            ? throw new ProblemException(Problem.BadInput(errors))
            : new LoadRequest(load, occurrence is null ? Guid.NewGuid().ToString() : Occurrence(occurrence), "http", runTime, values)
            {
                Url = url,
                Caller = Caller.Of(request.HttpContext),
                Fingerprint = occurrence is null ? null : Fingerprint(load, values, url, times.Count == 0 ? null : runTime),
            };
    }

    // A timer's occurrence is a time, an event's has a space in it. A key that looks like a time must not be taken for tonight's run.
    private static string Occurrence(string key) => TimerOccurrence().IsMatch(key) ? $"key {key}" : key;

    private static bool TryReadTime(string text, out DateTimeOffset time)
    {
        time = default;
        return IsoTime().IsMatch(text) && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);
    }

    private static string Fingerprint(LoadTemplate load, ParameterValue?[] values, string? url, DateTimeOffset? runTime)
    {
        var named = load.Template.Parameters.Select((parameter, i) => (parameter.Name, values[i]?.Text)).OrderBy(value => value.Name, StringComparer.Ordinal);
        string?[] parts = [.. named.SelectMany(value => (string?[])[value.Name, value.Text]), url, runTime?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture)];
        return Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(parts)))[..32];
    }

    [GeneratedRegex(@"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,7})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?\z")]
    private static partial Regex IsoTime();

    [GeneratedRegex(@"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\z", RegexOptions.IgnoreCase)]
    private static partial Regex TimerOccurrence();
}
