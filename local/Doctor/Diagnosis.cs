using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using MdFunctions.Engine;
using Npgsql;

namespace MdFunctions.Local.Doctor;

/// <summary>What an endpoint is like.</summary>
/// <param name="Endpoint">Which one, without its address.</param>
/// <param name="DuckDb">DuckDB's version there; null if it was not reached.</param>
/// <param name="Findings">What was found, in the order of the probes.</param>
/// <param name="Stopped">Why not everything was asked; null if it was.</param>
internal sealed record Diagnosis(string Endpoint, string? DuckDb, IReadOnlyList<Finding> Findings, string? Stopped)
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>0: all is as the app knows it. 1: something differs, and the app copes. 2: something of the app would fail, or could not be asked for.</summary>
    public int ExitCode =>
        Stopped is not null || Differing.Any(finding => finding.Probe.Severity == Severity.Fails) ? 2
        : Differing.Any() ? 1 : 0;

    private IEnumerable<Finding> Differing => Findings.Where(finding => finding.Outcome == Outcome.Differs);

    /// <summary>What differs, in words, and the sum of it all.</summary>
    public string Summary()
    {
        var text = new StringWriter();
        foreach (var finding in Differing)
        {
            text.WriteLine($"""

                {finding.Probe.Name} differs: {(finding.Probe.Severity == Severity.Fails ? "something in the app fails." : "the app copes.")}
                  Fact:       {finding.Probe.Fact}
                  Known:      {string.Join("; or ", finding.Probe.Known)}
                  Seen:       {finding.Seen}
                  The app:    {finding.Probe.App}
                  Otherwise:  {finding.Probe.Otherwise}
                """);
        }
        text.WriteLine();
        text.WriteLine($"{Count(Outcome.Held)} held, {Count(Outcome.Differs)} differ, {Count(Outcome.NotAsked)} were not asked.");
        text.Write(this switch
        {
            { Stopped: { } why } => why,
            { ExitCode: 0 } => "The endpoint is as the app knows it.",
            { ExitCode: 1 } => "The endpoint differs from what the app knows, and the app copes.",
            _ => "The endpoint differs from what the app relies on: see above for what fails, and what to set.",
        });
        return text.ToString();

        int Count(Outcome outcome) => Findings.Count(finding => finding.Outcome == outcome);
    }

    /// <summary>A report to file: without token, host and data.</summary>
    public static string Report(IReadOnlyList<Diagnosis> diagnoses, DateTimeOffset at) => JsonSerializer.Serialize(new
    {
        at,
        versions = new
        {
            app = VersionOf(typeof(EngineServices)),
            npgsql = VersionOf(typeof(NpgsqlConnection)),
            dotnet = Environment.Version.ToString(),
            os = RuntimeInformation.OSDescription,
        },
        endpoints = diagnoses.Select(diagnosis => new
        {
            endpoint = diagnosis.Endpoint,
            duckdb = diagnosis.DuckDb,
            exitCode = diagnosis.ExitCode,
            stopped = diagnosis.Stopped is not null,
            probes = diagnosis.Findings.Select(finding => new
            {
                name = finding.Probe.Name,
                outcome = finding.Outcome switch { Outcome.Held => "held", Outcome.Differs => "differs", _ => "not asked" },
                seen = finding.Seen,
                known = finding.Probe.Known,
                severity = finding.Probe.Severity == Severity.Fails ? "fails" : "copes",
                milliseconds = (long)finding.Took.TotalMilliseconds,
                fact = finding.Probe.Fact,
                source = FactsPage.Word(finding.Probe.Source),
            }),
        }),
    }, Json);

    private static string VersionOf(Type type) =>
        type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";
}
