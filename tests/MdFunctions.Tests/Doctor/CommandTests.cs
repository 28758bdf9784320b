using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using MdFunctions.Endpoint;
using MdFunctions.Local.Doctor;
using MdFunctions.Tests.Smoke;

namespace MdFunctions.Tests.Doctor;

/// <summary>The doctor as it is started from a shell.</summary>
public sealed class CommandTests
{
    [Theory]
    [InlineData("Unknown option '--moterduck'", "--moterduck")]
    [InlineData("--json needs the name of a file", "--json")]
    public async Task A_wrong_option_is_named(string message, params string[] arguments)
    {
        var (exitCode, _, errors) = await RunAsync([], arguments);
        Assert.Equal(2, exitCode);
        Assert.Contains(message, errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_tells_options_and_exit_codes()
    {
        var (exitCode, output, _) = await RunAsync([], ["--help"]);
        Assert.Equal(0, exitCode);
        Assert.All((string[])["--motherduck", "--yes", "--json FILE", "--facts", "Exit code: 0"], word => Assert.Contains(word, output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Missing_settings_are_named()
    {
        var (exitCode, output, errors) = await RunAsync([], ["--motherduck", "--yes"]);
        Assert.Equal(2, exitCode);
        Assert.Empty(output);
        Assert.Contains("MotherDuck:Region", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_asked_of_an_account_without_a_yes()
    {
        await using var endpoint = await LocalPatient.StartAsync(Behaviour.Observed, CancellationToken.None);
        var (exitCode, output, errors) = await RunAsync(SettingsOf(endpoint), ["--motherduck"]);
        Assert.Equal(2, exitCode);
        Assert.Contains("MotherDuck bills", output, StringComparison.Ordinal);
        Assert.Contains("--yes goes on without a question", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("Connection", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Both_behaviours_are_asked_and_the_report_holds_neither_token_nor_host()
    {
        var file = Path.GetTempFileName();
        try
        {
            var (exitCode, output, errors) = await RunAsync([], ["--json", file]);
            Assert.True(exitCode == 0, output + errors);
            Assert.Equal(2, output.Split("The endpoint is as the app knows it.").Length - 1);
            var text = await File.ReadAllTextAsync(file);
            Assert.DoesNotContain("localhost", text, StringComparison.Ordinal);
            Assert.DoesNotContain("127.0.0.1", text, StringComparison.Ordinal);
            var report = JsonSerializer.Deserialize<JsonElement>(text);
            Assert.Equal(["The local endpoint, documented", "The local endpoint, observed"], report.GetProperty("endpoints").EnumerateArray().Select(endpoint => endpoint.GetProperty("endpoint").GetString()));
            Assert.All(report.GetProperty("endpoints").EnumerateArray(), endpoint => Assert.Equal(AllProbes.Groups.Sum(group => group.Probes.Count), endpoint.GetProperty("probes").GetArrayLength()));
            Assert.StartsWith("10.", report.GetProperty("versions").GetProperty("npgsql").GetString(), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    // What an account whose settings are in the environment sees; the public file cannot be read everywhere that tests run.
    [LinuxFact]
    public Task Ctrl_C_drops_the_schema() => StopsAsync("-INT");

    [LinuxFact]
    public Task A_request_to_end_drops_the_schema() => StopsAsync("-TERM");

    private static async Task StopsAsync(string signal)
    {
        await using var endpoint = await LocalPatient.StartAsync(Behaviour.Observed, CancellationToken.None);
        using var process = Start(SettingsOf(endpoint), ["--motherduck", "--yes"]);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var output = "";
        while (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line && !line.Contains("text-parameter", StringComparison.Ordinal))
            output += line + "\n";
        Assert.Equal(1, await SchemasAsync(endpoint));
        using (var kill = Process.Start("kill", [signal, process.Id.ToString(CultureInfo.InvariantCulture)]))
            await kill.WaitForExitAsync(limit.Token);
        output += await process.StandardOutput.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        Assert.Equal(2, process.ExitCode);
        Assert.Contains("Stopped before everything was asked.", output, StringComparison.Ordinal);
        Assert.DoesNotContain(endpoint.MotherDuck.Token!, output, StringComparison.Ordinal);
        Assert.Equal(0, await SchemasAsync(endpoint));
    }

    private static async Task<int> SchemasAsync(LocalPatient endpoint)
    {
        await using var patient = await Patient.StartAsync(endpoint.MotherDuck with { SessionName = "looks" }, await DoctorEndpoint.PatientAsync(), CancellationToken.None);
        return int.Parse(await patient.OnAsync(connection =>
            connection.RowAsync("SELECT count(*) - 1 FROM duckdb_schemas() WHERE schema_name LIKE 'mdfunctions_doctor_%'", CancellationToken.None), CancellationToken.None), CultureInfo.InvariantCulture);
    }

    private static Dictionary<string, string?> SettingsOf(LocalPatient endpoint) => new()
    {
        ["MOTHERDUCK_TOKEN"] = endpoint.MotherDuck.Token,
        ["MotherDuck__Host"] = "localhost",
        ["MotherDuck__Port"] = endpoint.MotherDuck.Port.ToString(CultureInfo.InvariantCulture),
        ["MotherDuck__SslMode"] = "Require",
    };

    private static Process Start(Dictionary<string, string?> settings, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, [Path.Combine(AppContext.BaseDirectory, "MdFunctions.Local.dll"), "doctor", .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("MOTHERDUCK_TOKEN");
        foreach (var (name, value) in settings)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync(Dictionary<string, string?> settings, IEnumerable<string> arguments)
    {
        using var process = Start(settings, arguments);
        process.StandardInput.Close();
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output, await errors);
    }
}
