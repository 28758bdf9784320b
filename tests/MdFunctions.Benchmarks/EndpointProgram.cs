using System.Diagnostics;
using System.Text.Json;

namespace MdFunctions.Benchmarks;

/// <summary>The local endpoint as a process of its own, whose processor time and memory can be told from the client's.</summary>
internal sealed class EndpointProgram : IDisposable
{
    private readonly Process _process;

    private EndpointProgram(Process process, int port) => (_process, Port) = (process, port);

    public int Port { get; }

    /// <summary>The processor time that it has used.</summary>
    public TimeSpan Processor
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Its memory in bytes.</summary>
    public long Memory
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Starts it, and waits until it listens.</summary>
    public static async Task<EndpointProgram> StartAsync()
    {
        var program = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "MdFunctions.Endpoint.exe" : "MdFunctions.Endpoint");
        var process = Process.Start(new ProcessStartInfo(program, ["--port", "0", "--quiet", "--exit-with-stdin"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var ready = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The endpoint did not start.");
        return new EndpointProgram(process, JsonSerializer.Deserialize<JsonElement>(ready).GetProperty("port").GetInt32());
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
