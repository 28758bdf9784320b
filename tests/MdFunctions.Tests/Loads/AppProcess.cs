using System.Collections.Concurrent;
using System.Diagnostics;

namespace MdFunctions.Tests.Loads;

/// <summary>The local host as a process of its own, which a test can kill.</summary>
public sealed class AppProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _folder;

    private AppProcess(Process process, string folder) => (_process, _folder) = (process, folder);

    public HttpClient Client { get; private set; } = null!;

    /// <summary>What it printed.</summary>
    public ConcurrentQueue<string> Lines { get; } = new();

    /// <summary>Starts the functions on an endpoint that runs already.</summary>
    /// <param name="files">Its SQL files.</param>
    /// <param name="settings">Its settings, by way of the environment.</param>
    public static async Task<AppProcess> StartAsync(IReadOnlyDictionary<string, string> files, IReadOnlyDictionary<string, string?> settings)
    {
        var folder = Directory.CreateTempSubdirectory("mdfunctions-tests-").FullName;
        foreach (var (name, text) in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, name))!);
            await File.WriteAllTextAsync(Path.Combine(folder, name), text);
        }
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "MdFunctions.Local.dll"), "--motherduck", "--port", "0"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["SqlDirectory"] = folder;
        foreach (var (key, value) in settings)
            start.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        var app = new AppProcess(Process.Start(start)!, folder);
        var ready = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Take(object _, DataReceivedEventArgs line)
        {
            if (line.Data is null)
            {
                ready.TrySetException(new InvalidOperationException("the app ended: " + string.Join('\n', app.Lines)));
                return;
            }
            app.Lines.Enqueue(line.Data);
            if (line.Data.IndexOf("http://localhost:", StringComparison.Ordinal) is > 0 and var at && line.Data.Contains("/api/health", StringComparison.Ordinal))
                ready.TrySetResult(new Uri(line.Data[at..line.Data.IndexOf("api/health", StringComparison.Ordinal)]));
        }
        app._process.OutputDataReceived += Take;
        app._process.ErrorDataReceived += Take;
        app._process.BeginOutputReadLine();
        app._process.BeginErrorReadLine();
        app.Client = new HttpClient { BaseAddress = await ready.Task.WaitAsync(TimeSpan.FromSeconds(30)) };
        return app;
    }

    /// <summary>Kills it, as a crash would.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await KillAsync();
        _process.Dispose();
        Client.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
