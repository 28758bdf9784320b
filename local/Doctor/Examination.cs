using System.Diagnostics;
using MdFunctions.Engine.MotherDuck;

namespace MdFunctions.Local.Doctor;

/// <summary>Asks an endpoint every probe, one after the other.</summary>
internal static class Examination
{
    /// <summary>Asks.</summary>
    /// <param name="patient">The endpoint.</param>
    /// <param name="probes">What to ask.</param>
    /// <param name="report">Gets each finding when it is there.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="LocalException">The endpoint went away meanwhile.</exception>
    public static async Task<List<Finding>> RunAsync(Patient patient, IEnumerable<Probe> probes, Action<Finding> report, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        foreach (var probe in probes)
        {
            var finding = await AskAsync(patient, probe, cancellationToken);
            findings.Add(finding);
            report(finding);
        }
        return findings;
    }

    private static async Task<Finding> AskAsync(Patient patient, Probe probe, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patient.Options.Limit + patient.Options.Rest);
        var start = Stopwatch.GetTimestamp();
        try
        {
            // What does not end when it is cancelled is left to itself: its connection is in nobody's way.
            var seen = await Task.Run(() => probe.AskAsync(patient, limit.Token), CancellationToken.None).WaitAsync(limit.Token);
            return Finding(probe.Known.Contains(seen) ? Outcome.Held : Outcome.Differs, seen);
        }
        catch (NotAskedException e)
        {
            return Finding(Outcome.NotAsked, e.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Finding(Outcome.Differs, "no answer in time");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            var finding = Finding(Outcome.Differs, patient.Redact(e));
            if (MotherDuckError.From(e)?.Kind is MotherDuckErrorKind.Unreachable or MotherDuckErrorKind.Timeout or MotherDuckErrorKind.LoginRefused)
                await CheckAsync(patient, cancellationToken);
            return finding;
        }

        Finding Finding(Outcome outcome, string seen) => new(probe, outcome, seen, Stopwatch.GetElapsedTime(start));
    }

    // One probe that broke its connection is a finding; an endpoint that is gone is the end.
    private static async Task CheckAsync(Patient patient, CancellationToken cancellationToken)
    {
        try
        {
            await patient.Sources.Write.RunAsync(patient.MotherDuck.ConnectTimeout, (connection, stop) => connection.ScalarAsync("SELECT 1", stop), MotherDuckError.IsTransientFailure, cancellationToken);
        }
        catch (Exception e) when (MotherDuckError.From(e) is not null)
        {
            throw new LocalException(patient.Explain(e), e);
        }
    }
}
