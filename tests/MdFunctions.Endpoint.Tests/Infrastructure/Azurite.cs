using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace MdFunctions.Endpoint.Tests.Infrastructure;

/// <summary>Azure's own storage emulator, from npm. It is installed once, into a folder beside the tests' other output.</summary>
public sealed class Azurite : IAsyncDisposable
{
    private const string Version = "3.35.0";

    // Azurite's own, published in its documentation.
    public const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private readonly Process _process;

    private Azurite(Process process, string connectionString) => (_process, ConnectionString) = (process, connectionString);

    public string ConnectionString { get; }

    public static async Task<Azurite> StartAsync()
    {
        var home = await InstallAsync();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        listener.Stop();
        var process = Process.Start(new ProcessStartInfo(
            "node", ["node_modules/azurite/dist/src/blob/main.js", "--blobHost", "127.0.0.1", "--blobPort", port, "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"])
        {
            WorkingDirectory = home,
            RedirectStandardOutput = true,
        })!;
        for (string? line; (line = await process.StandardOutput.ReadLineAsync()) is not null && !line.Contains("successfully", StringComparison.Ordinal);) { }
        Assert.False(process.HasExited, "Azurite did not start");
        _ = process.StandardOutput.ReadToEndAsync();
        return new(process, $"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={Key};BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1;");
    }

    private static async Task<string> InstallAsync()
    {
        var home = Path.Combine(AppContext.BaseDirectory, $"azurite-{Version}");
        if (File.Exists(Path.Combine(home, "node_modules", "azurite", "dist", "src", "blob", "main.js"))) return home;
        Directory.CreateDirectory(home);
        await File.WriteAllTextAsync(Path.Combine(home, "package.json"), "{ \"private\": true }");
        using var npm = Process.Start(new ProcessStartInfo("npm", ["install", "--no-audit", "--no-fund", "--silent", $"azurite@{Version}"]) { WorkingDirectory = home })!;
        await npm.WaitForExitAsync();
        Assert.True(npm.ExitCode == 0, $"npm could not install azurite {Version}");
        return home;
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}

/// <summary>A test that needs programs on the PATH, and is skipped by name where one is missing.</summary>
public abstract class NeedsFactAttribute : FactAttribute
{
    protected NeedsFactAttribute(params ReadOnlySpan<string> programs)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        foreach (var program in programs)
            if (!folders.Any(folder => File.Exists(Path.Combine(folder, program)) || File.Exists(Path.Combine(folder, $"{program}.exe")))) Skip = $"{program} is not installed";
    }
}

/// <summary>A test that needs psql.</summary>
public sealed class PsqlFactAttribute() : NeedsFactAttribute("psql");

/// <summary>A test that needs Azurite, which needs Node.</summary>
public sealed class AzuriteFactAttribute() : NeedsFactAttribute("node", "npm");
