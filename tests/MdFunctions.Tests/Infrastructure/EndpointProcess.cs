using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using MdFunctions.Local;

namespace MdFunctions.Tests.Infrastructure;

/// <summary>The local MotherDuck endpoint in a process of its own, which a test can kill or look at. It behaves as the live one was observed to.</summary>
public sealed class EndpointProcess : IAsyncDisposable
{
    private bool _isDisposed;

    private EndpointProcess(Process process, int port, string caFile) => (Process, Port, CaFile) = (process, port, caFile);

    /// <summary>The port it listens on, at localhost.</summary>
    public int Port { get; }

    /// <summary>The PEM file of the certificate authority that signed its certificate.</summary>
    public string CaFile { get; }

    /// <summary>The process.</summary>
    public Process Process { get; }

    /// <summary>Starts the endpoint and waits until it takes connections.</summary>
    /// <param name="token">The access token it accepts; handed over in the environment, where no process list shows it.</param>
    /// <param name="port">The port; 0 for any free one.</param>
    /// <param name="arguments">More of its command line.</param>
    public static async Task<EndpointProcess> StartAsync(string token, int port = 0, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet",
        [
            Path.Combine(AppContext.BaseDirectory, "MdFunctions.Endpoint.dll"), "--exit-with-stdin", "--quiet", "--behaviour", "observed",
            "--port", port.ToString(CultureInfo.InvariantCulture), "--ca-dir", Path.Combine(LocalHost.RepositoryRoot(), "local", ".data", "ca"), .. arguments,
        ])
        {
            RedirectStandardInput = true, // It stops when this pipe closes, however we end.
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["MOTHERDUCK_LOCAL_TOKEN"] = token;
        var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        if (await process.StandardOutput.ReadLineAsync() is not { } ready)
            throw new InvalidOperationException($"The endpoint did not start: {await errors}");
        _ = process.StandardOutput.ReadToEndAsync();
        var said = JsonSerializer.Deserialize<JsonElement>(ready);
        return new EndpointProcess(process, said.GetProperty("port").GetInt32(), said.GetProperty("caFile").GetString()!);
    }

    /// <summary>Kills it, as a crash would.</summary>
    public async Task KillAsync()
    {
        Process.Kill();
        await Process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        if (!Process.HasExited)
            await KillAsync();
        Process.Dispose();
    }
}
