using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace MdFunctions.Endpoint.Tests.Infrastructure;

/// <summary>The endpoint as a process of its own, as other people's test suites start it.</summary>
internal sealed class EndpointProgram : IAsyncDisposable
{
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(60);
    private readonly StringBuilder _log = new();

    private EndpointProgram(Process process) => Process = process;

    public Process Process { get; }

    public JsonElement Ready { get; private set; }

    public int Port => Ready.GetProperty("port").GetInt32();

    public string CaFile => Ready.GetProperty("caFile").GetString()!;

    public string Log
    {
        get
        {
            lock (_log)
                return _log.ToString();
        }
    }

    public static async Task<EndpointProgram> StartAsync(params string[] arguments)
    {
        var program = new EndpointProgram(Launch(["--port", "0", .. arguments], []));
        program.ReadLog();
        if (await program.Process.StandardOutput.ReadLineAsync().WaitAsync(MaxWait) is not { } line)
            throw new InvalidOperationException($"the endpoint did not start: {program.Log}");
        program.Ready = JsonSerializer.Deserialize<JsonElement>(line);
        return program;
    }

    /// <summary>Runs it to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var process = Launch(arguments, []);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(MaxWait);
        return (process.ExitCode, await output, await error);
    }

    public static async Task<EndpointProgram> StartAsync(Dictionary<string, string> environment)
    {
        var program = new EndpointProgram(Launch(["--port", "0"], environment));
        program.ReadLog();
        program.Ready = JsonSerializer.Deserialize<JsonElement>((await program.Process.StandardOutput.ReadLineAsync().WaitAsync(MaxWait))!);
        return program;
    }

    /// <summary>Sends a signal as the shell does.</summary>
    public async Task SignalAsync(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", Process.Id.ToString()]);
        await kill.WaitForExitAsync();
    }

    public async Task<int> WaitForExitAsync()
    {
        await Process.WaitForExitAsync().WaitAsync(MaxWait);
        return Process.ExitCode;
    }

    public async Task<int> StopAsync()
    {
        Process.StandardInput.Close();
        return await WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!Process.HasExited)
            Process.Kill();
        await Process.WaitForExitAsync();
        Process.Dispose();
    }

    private static Process Launch(IEnumerable<string> arguments, Dictionary<string, string> environment)
    {
        var name = OperatingSystem.IsWindows() ? "MdFunctions.Endpoint.exe" : "MdFunctions.Endpoint";
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, name), [.. arguments, "--exit-with-stdin"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var variable in new[] { "MOTHERDUCK_LOCAL_TOKEN", "MOTHERDUCK_LOCAL_READ_ONLY_TOKEN", "AZURE_STORAGE_CONNECTION_STRING" })
            start.Environment.Remove(variable);
        foreach (var (variable, value) in environment)
            start.Environment[variable] = value;
        return Process.Start(start)!;
    }

    private void ReadLog()
    {
        Process.ErrorDataReceived += (_, line) =>
        {
            lock (_log)
                _log.AppendLine(line.Data);
        };
        Process.BeginErrorReadLine();
    }
}
