using System.Diagnostics;
using MdFunctions.Local;

namespace MdFunctions.Benchmarks;

/// <summary>node-postgres behind Node's own HTTP server: what a team on Node.js would write.</summary>
public sealed class NodeServer : IDisposable
{
    private readonly Process _process;

    private NodeServer(Process process, string url) => (_process, Url) = (process, url);

    public string Url { get; }

    /// <summary>Starts a script of this folder, which prints its URL, and finds node-postgres among the endpoint's packages.</summary>
    public static async Task<NodeServer> StartAsync(string script, params IReadOnlyList<(string Name, string Value)> environment)
    {
        var endpoint = Path.Combine(LocalHost.RepositoryRoot(), "local", "endpoint");
        await NodeModules.EnsureAsync(endpoint, forTests: true, Console.WriteLine, CancellationToken.None);
        var start = new ProcessStartInfo("node", [Path.Combine(AppContext.BaseDirectory, script)])
        {
            WorkingDirectory = endpoint,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var process = Process.Start(start)!;
        return new NodeServer(process, (await process.StandardOutput.ReadLineAsync())!);
    }

    public void Dispose()
    {
        _process.Kill();
        _process.Dispose();
    }
}
