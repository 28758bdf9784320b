using System.Diagnostics;
using System.Globalization;
using MdFunctions.Local;

namespace MdFunctions.Benchmarks;

/// <summary>node-postgres behind Node's own HTTP server: what a team on Node.js would write.</summary>
public sealed class NodeServer : IDisposable
{
    private readonly Process _process;

    private NodeServer(Process process, string url) => (_process, Url) = (process, url);

    public string Url { get; }

    public static async Task<NodeServer> StartAsync(int port)
    {
        var endpoint = Path.Combine(LocalHost.RepositoryRoot(), "local", "endpoint");
        await NodeModules.EnsureAsync(endpoint, forTests: true, Console.WriteLine, CancellationToken.None);
        var process = Process.Start(new ProcessStartInfo("node", [Path.Combine(AppContext.BaseDirectory, "node-postgres.mjs"), port.ToString(CultureInfo.InvariantCulture)])
        {
            WorkingDirectory = endpoint,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        })!;
        return new NodeServer(process, (await process.StandardOutput.ReadLineAsync())!);
    }

    public void Dispose()
    {
        _process.Kill();
        _process.Dispose();
    }
}
