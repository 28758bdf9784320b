using System.Diagnostics;

namespace MdFunctions.Benchmarks;

/// <summary>node-postgres behind Node's own HTTP server: what a team on Node.js would write.</summary>
public sealed class NodeServer : IDisposable
{
    // The version that figures are compared with.
    private const string Peer = "pg@8.23.1";

    private readonly Process _process;

    private NodeServer(Process process, string url) => (_process, Url) = (process, url);

    public string Url { get; }

    /// <summary>Starts a script of this folder, which prints its URL, and installs node-postgres beside it.</summary>
    public static async Task<NodeServer> StartAsync(string script, params IReadOnlyList<(string Name, string Value)> environment)
    {
        using (var npm = Process.Start(new ProcessStartInfo("npm", ["install", "--no-audit", "--no-fund", "--silent", Peer]) { WorkingDirectory = AppContext.BaseDirectory })!)
            await npm.WaitForExitAsync();
        var start = new ProcessStartInfo("node", [Path.Combine(AppContext.BaseDirectory, script)])
        {
            WorkingDirectory = AppContext.BaseDirectory,
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
