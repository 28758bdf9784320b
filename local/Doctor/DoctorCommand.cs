using System.Runtime.InteropServices;
using MdFunctions.Engine;
using MdFunctions.Engine.MotherDuck;
using Microsoft.Extensions.Configuration;

namespace MdFunctions.Local.Doctor;

/// <summary>The command <c>doctor</c>: asks, prints, and writes the report.</summary>
/// <param name="options">Its part of the command line.</param>
/// <param name="input">Where the answer to its question comes from; null if nobody is there.</param>
/// <param name="output">What people read.</param>
internal sealed class DoctorCommand(DoctorOptions options, TextReader? input, TextWriter output)
{
    private const string PublicCsv = "https://raw.githubusercontent.com/duckdb/duckdb-web/main/data/weather.csv";

    private readonly List<Diagnosis> _diagnoses = [];

    /// <summary>Runs it as the program does: the settings come from the environment and local.settings.json, and Ctrl+C ends it in order.</summary>
    /// <returns>The exit code: 0, 1 or 2.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> args)
    {
        try
        {
            var options = DoctorOptions.Parse(args);
            using var stop = new CancellationTokenSource();
            using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
            using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
            return await new DoctorCommand(options, Console.IsInputRedirected ? null : Console.In, Console.Out).RunAsync(stop.Token);

            void Stop(PosixSignalContext signal)
            {
                signal.Cancel = true; // The schema is dropped first.
                stop.Cancel();
            }
        }
        catch (Exception e) when (e is LocalException or StartupException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 2;
        }
    }

    /// <summary>Runs it.</summary>
    /// <returns>The exit code: 0, 1 or 2.</returns>
    /// <exception cref="LocalException">The report cannot be written, or nobody can be asked whether to go on.</exception>
    /// <exception cref="StartupException">A setting is wrong.</exception>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        if (options.Help || options.Facts)
        {
            await output.WriteLineAsync(options.Help ? DoctorOptions.HelpText : FactsPage.Write());
            return 0;
        }
        if (options.MotherDuck)
            await AskAccountAsync(cancellationToken);
        else
            await AskLocalAsync(cancellationToken);
        if (_diagnoses.Count == 0)
            return 2;
        if (options.Json is { } file)
            await WriteReportAsync(file);
        return _diagnoses.Max(diagnosis => diagnosis.ExitCode);
    }

    /// <summary>Asks one endpoint and prints what it says.</summary>
    /// <param name="name">Which one, without its address.</param>
    /// <param name="motherDuck">How it is reached.</param>
    /// <param name="patientOptions">What is asked beside it.</param>
    /// <param name="groups">The probes.</param>
    /// <param name="cancellationToken">Ends it; the schema is dropped all the same.</param>
    public async Task<Diagnosis> AskAsync(
        string name, MotherDuckOptions motherDuck, PatientOptions patientOptions, IReadOnlyList<ProbeGroup> groups, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        Patient? patient = null;
        string? stopped = null;
        try
        {
            patient = await Patient.StartAsync(motherDuck, patientOptions, cancellationToken).WhileAsync("Connecting", output.WriteLine);
            await output.WriteLineAsync($"{name}, DuckDB {patient.Version}: {groups.Sum(group => group.Probes.Count)} probes in the schema {patient.Schema}");
            foreach (var group in groups)
            {
                await output.WriteLineAsync($"\n{group.Subject}");
                await Examination.RunAsync(patient, group.Probes, Found, cancellationToken).WhileAsync($"  ... {group.Subject}", output.WriteLine);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            stopped = "Stopped before everything was asked.";
        }
        catch (LocalException e)
        {
            stopped = e.Message;
        }
        if (patient is not null)
        {
            if (await patient.DropAsync() is { } byHand)
                stopped = stopped is null ? byHand : $"{stopped} {byHand}";
            await patient.DisposeAsync();
        }
        var diagnosis = new Diagnosis(name, patient?.Version, findings, stopped);
        _diagnoses.Add(diagnosis);
        await output.WriteLineAsync(findings.Count == 0 && stopped is not null ? stopped : diagnosis.Summary());
        return diagnosis;

        void Found(Finding finding)
        {
            findings.Add(finding);
            var word = finding.Outcome switch { Outcome.Held => "held", Outcome.Differs => "DIFFERS", _ => "not asked" };
            output.WriteLine($"  {word,-9}  {finding.Probe.Name,-20}  {Short(finding.Seen)}");
        }
    }

    private async Task AskAccountAsync(CancellationToken cancellationToken)
    {
        var configuration = new ConfigurationManager();
        configuration.AddEnvironmentVariables();
        configuration.AddInMemoryCollection(LocalSettings.Read(LocalHost.RepositoryRoot()));
        var settings = new Settings(configuration);
        var motherDuck = MotherDuckOptions.Read(settings);
        if (settings.Faults.Count > 0)
            throw new StartupException(settings.Faults);
        await output.WriteLineAsync($"""
            This asks the MotherDuck account of your settings for {AllProbes.Groups.Sum(group => group.Probes.Count)} things that the app relies on, and takes some three minutes, a minute of
            which it rests. Its statements take less than a minute of engine time; MotherDuck bills the time that its engine is awake, which may be
            as long as this runs. It writes only into a schema of its own, mdfunctions_doctor_..., of the database that your settings name, and drops
            it at the end. It reads one public file: {PublicCsv}
            """);
        if (!options.Yes && !await AgreesAsync())
            return;
        await AskAsync("MotherDuck", motherDuck, new PatientOptions { Csv = new Uri(PublicCsv) }, AllProbes.Groups, cancellationToken);
    }

    private async Task AskLocalAsync(CancellationToken cancellationToken)
    {
        await using var files = await SampleFiles.StartAsync(cancellationToken);
        foreach (var behaviour in Enum.GetValues<Endpoint.Behaviour>())
        {
            await using var endpoint = await LocalPatient.StartAsync(behaviour, cancellationToken);
            await AskAsync(
                $"The local endpoint, {behaviour.ToString().ToLowerInvariant()}", endpoint.MotherDuck, new PatientOptions { Csv = files.Csv, Rest = TimeSpan.FromSeconds(1) }, AllProbes.Groups, cancellationToken);
            await output.WriteLineAsync();
        }
    }

    private async Task<bool> AgreesAsync()
    {
        if (input is null)
            throw new LocalException("Nobody is there to say yes. --yes goes on without a question.");
        await output.WriteAsync("Go on? [y/N] ");
        await output.FlushAsync();
        if ((await input.ReadLineAsync())?.Trim().ToLowerInvariant() is "y" or "yes")
            return true;
        await output.WriteLineAsync("Nothing was asked.");
        return false;
    }

    private async Task WriteReportAsync(string file)
    {
        try
        {
            await File.WriteAllTextAsync(file, Diagnosis.Report(_diagnoses, DateTimeOffset.UtcNow) + "\n");
            await output.WriteLineAsync($"The report is in {file}. It holds no token, no host and no data.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LocalException($"--json: {e.Message}", e);
        }
    }

    private static string Short(string seen) => seen.Length <= 100 ? seen : $"{seen[..100]}...";
}
