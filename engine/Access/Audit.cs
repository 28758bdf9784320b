using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text.Json;
using MdFunctions.Engine.Http;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Templates;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Engine.Access;

/// <summary>
/// Who did what: a structured log line, of the category <c>MdFunctions.Engine.Audit</c>, for each call that was answered or refused. Metrics know whether a caller had a
/// token or a key, and no names.
/// </summary>
internal sealed class Audit(AccessOptions options, ILoggerFactory loggers, IMeterFactory meters)
{
    private const int MaxText = 4000;

    private readonly ILogger _logger = loggers.CreateLogger("MdFunctions.Engine.Audit");
    private readonly Counter<long> _refused = meters.Create(Telemetry.Name).CreateCounter<long>("mdfunctions.calls.refused", "{call}", "Calls that were not let in, by status.");

    /// <summary>What to tell of a call; null where nothing is.</summary>
    /// <param name="caller">Who calls; null for a timer.</param>
    /// <param name="kind"><c>query</c>, <c>load</c>, <c>list</c>...</param>
    /// <param name="template">What is run.</param>
    /// <param name="values">Its parameters' values; null where they were not read.</param>
    public AuditedCall? Of(Caller? caller, string kind, Template template, IReadOnlyList<ParameterValue?>? values) => caller is null || !options.Audit ? null
        : new(caller, this, kind, template.Name, () => template.AuditsParameters && values is not null ? Parameters(template, values) : null);

    /// <summary>Runs what has no template, and tells of it.</summary>
    public async Task<IResult> CallAsync(HttpRequest request, string kind, string name, Func<Task<IResult>> work)
    {
        if (!options.Audit)
            return await work();
        var (start, outcome) = (Stopwatch.GetTimestamp(), "failed");
        try
        {
            var result = await work();
            outcome = result is Problem { Status: < 500 } ? "caller" : result is Problem ? "failed" : "ok";
            return result;
        }
        catch (ProblemException e) when (e.Problem.Status < 500)
        {
            outcome = "caller";
            throw;
        }
        finally
        {
            Write(Caller.Of(request.HttpContext), kind, name, outcome, null, Stopwatch.GetElapsedTime(start).TotalSeconds, null);
        }
    }

    /// <summary>Tells of a call that was not let in.</summary>
    /// <param name="caller">Who called, where that is known.</param>
    /// <param name="what">The method and the path.</param>
    /// <param name="status">The answer's status.</param>
    public void Refused(Caller? caller, string what, int status)
    {
        if (!options.Audit)
            return;
        _refused.Add(1, new("status", status), new("caller", caller is null ? "none" : Fact(caller)));
        Write(caller, "call", what, $"refused {status}", null, 0, null);
    }

    private void Write(Caller? caller, string kind, string name, string outcome, long? rows, double seconds, string? parameters) => _logger.LogInformation(
        "Audit: {Caller} {Subject} {CallerName} {Kind} {Target} {Outcome}, rows {Rows}, {Seconds:0.000} s, parameters {Parameters}",
        caller is null ? "none" : Fact(caller), Line(caller?.Subject), Line(caller?.Name), kind, Line(name), outcome, rows, seconds, parameters);

    private static string Fact(Caller caller) => caller.HasToken ? "token" : "key";

    // Names come from tokens: none begins a line of its own.
    private static string? Line(string? text) => text is null ? null : string.Concat(text.Take(256).Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? '?' : c));

    private static string Parameters(Template template, IReadOnlyList<ParameterValue?> values)
    {
        var text = JsonSerializer.Serialize(template.Parameters.Select((parameter, i) => (parameter.Name, values[i]?.Text)).ToDictionary(pair => pair.Name, pair => pair.Text));
        return text.Length <= MaxText ? text : $"{text[..MaxText]}…";
    }

    /// <summary>A call under way.</summary>
    internal sealed class AuditedCall(Caller caller, Audit audit, string kind, string name, Func<string?> parameters)
    {
        /// <summary><c>token</c> or <c>key</c>: what is known of the caller without a name.</summary>
        public string Fact => Audit.Fact(caller);

        /// <summary>It has ended.</summary>
        public void End(string outcome, long rows, double seconds) => audit.Write(caller, kind, name, outcome, rows, seconds, parameters());
    }
}
