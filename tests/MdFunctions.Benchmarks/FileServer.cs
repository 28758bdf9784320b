using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace MdFunctions.Benchmarks;

/// <summary>Serves a folder's files over HTTP from a process of its own, with ETags as blob storage has them.</summary>
internal sealed class FileServer : IDisposable
{
    /// <summary>The word on this program's command line that makes it one.</summary>
    public const string Word = "serve";

    private readonly Process _process;

    private FileServer(Process process, string url) => (_process, Url) = (process, url);

    /// <summary>Where the files are.</summary>
    public string Url { get; }

    /// <summary>Starts a process that serves a folder until this is disposed.</summary>
    public static async Task<FileServer> StartAsync(string folder)
    {
        var process = Process.Start(new ProcessStartInfo("dotnet", [typeof(FileServer).Assembly.Location, Word, folder]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        return new FileServer(process, (await process.StandardOutput.ReadLineAsync())!);
    }

    /// <summary>Serves a folder until standard input ends.</summary>
    public static async Task RunAsync(string folder)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0));
        await using var app = builder.Build();
        app.MapGet("/{file}", (string file) =>
        {
            var info = new FileInfo(Path.Combine(folder, Path.GetFileName(file)));
            return Results.File(info.FullName, entityTag: new EntityTagHeaderValue($"\"{info.Length.ToString(CultureInfo.InvariantCulture)}-{info.LastWriteTimeUtc.Ticks.ToString(CultureInfo.InvariantCulture)}\""));
        });
        await app.StartAsync();
        Console.WriteLine(app.Urls.First());
        await Console.In.ReadToEndAsync();
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
