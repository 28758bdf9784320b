using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;

namespace MdFunctions.Local;

/// <summary>Node.js and the npm packages of the local endpoint.</summary>
public static class NodeModules
{
    private const int MinimumNodeVersion = 20;

    /// <summary>Runs <c>npm ci</c> in a folder unless its packages are already those of its <c>package-lock.json</c>.</summary>
    /// <param name="folder">The folder of the package.</param>
    /// <param name="forTests">Whether its development packages (a storage emulator, another PostgreSQL client) are needed too.</param>
    /// <param name="say">Gets a line for the person at the keyboard before this takes long.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LocalException">Node.js is missing or too old, or the installation failed.</exception>
    public static async Task EnsureAsync(string folder, bool forTests, Action<string> say, CancellationToken cancellationToken)
    {
        await CheckNodeAsync(cancellationToken);

        // Several hosts may start at once (test runs do); one installs and the others wait for it.
        await using var turn = await LockAsync(Path.Combine(folder, ".install.lock"), cancellationToken);
        var wanted = Convert.ToHexString(SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(folder, "package-lock.json"), cancellationToken)));
        var stamp = Path.Combine(folder, "node_modules", ".installed");
        var installed = File.Exists(stamp) ? await File.ReadAllTextAsync(stamp, cancellationToken) : "";
        if (installed == wanted + " with development packages" || (installed == wanted && !forTests))
            return;

        say("Installing the local endpoint's npm packages (once)...");
        string[] install = ["ci", "--no-audit", "--no-fund", .. forTests ? (string[])[] : ["--omit=dev"]];
        // npm is a script (npm.cmd) on Windows, which only a shell starts.
        var (exitCode, output) = OperatingSystem.IsWindows()
            ? await RunAsync("cmd.exe", ["/c", "npm", .. install], folder, cancellationToken)
            : await RunAsync("npm", install, folder, cancellationToken);
        if (exitCode != 0)
            throw new LocalException($"'npm ci' failed in {folder} (exit code {exitCode}):\n{string.Join('\n', output.Trim().Split('\n').Take(15))}");
        await File.WriteAllTextAsync(stamp, forTests ? wanted + " with development packages" : wanted, cancellationToken);
    }

    private static async Task CheckNodeAsync(CancellationToken cancellationToken)
    {
        var (_, output) = await RunAsync("node", ["--version"], Directory.GetCurrentDirectory(), cancellationToken);
        if (!Version.TryParse(output.Trim().TrimStart('v'), out var version) || version.Major < MinimumNodeVersion)
            throw new LocalException($"Node.js {MinimumNodeVersion} or later is needed; 'node --version' says '{output.Trim()}'. Get it from https://nodejs.org.");
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(
        string file, string[] arguments, string folder, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return (process.ExitCode, await output + await errors);
        }
        catch (Win32Exception e)
        {
            throw new LocalException(
                $"'{file}' was not found. The local MotherDuck endpoint runs on Node.js {MinimumNodeVersion} or later: get it from https://nodejs.org.", e);
        }
    }

    private static async Task<FileStream> LockAsync(string path, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
            }
            catch (Exception e) when (e is IOException and not DirectoryNotFoundException || e is UnauthorizedAccessException && OperatingSystem.IsWindows())
            {
                await Task.Delay(100, cancellationToken);
            }
        }
    }
}
