using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using MdFunctions.Local.Host;

namespace MdFunctions.Tests.Smoke;

/// <summary>The published app in a process of its own, started as the Functions host starts it.</summary>
internal sealed class ChildWorker(string folder, IReadOnlyDictionary<string, string?> settings) : IWorker
{
    // A worker does not end when its host is killed. This one does: its standard input closes then, whatever became of us.
    private const string Script = """exec 3<&0; (cat <&3; kill -9 $$) >/dev/null 2>&1 & exec dotnet "$@" """;

    private readonly TaskCompletionSource<string> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<string> _errors = new();
    private Process? _process;
    private bool _isDisposed;

    public Task<string> Ended => _ended.Task;

    /// <summary>What it wrote to standard error.</summary>
    public IReadOnlyCollection<string> Errors => _errors;

    public Task StartAsync(Uri host, string workerId, CancellationToken cancellationToken)
    {
        var request = Guid.NewGuid().ToString();
        var length = int.MaxValue.ToString(CultureInfo.InvariantCulture);
        string[] arguments =
        [
            "--host", host.Host, "--port", host.Port.ToString(CultureInfo.InvariantCulture), "--workerId", workerId, "--requestId", request, "--grpcMaxMessageLength", length,
            "--functions-uri", host.ToString(), "--functions-worker-id", workerId, "--functions-request-id", request, "--functions-grpc-max-message-length", length,
        ];
        var program = Path.GetFileName(Directory.EnumerateFiles(folder, "*.runtimeconfig.json").Single()).Replace(".runtimeconfig.json", ".dll", StringComparison.Ordinal);
        var start = new ProcessStartInfo("sh", ["-c", Script, "worker", program, .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["FUNCTIONS_APPLICATION_DIRECTORY"] = folder;
        start.Environment["FUNCTIONS_WORKER_DIRECTORY"] = folder;
        foreach (var (name, value) in settings)
            start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not null)
                _errors.Enqueue(line.Data);
        };
        _process.Start();
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        _ = WatchAsync(_process);
        return Task.CompletedTask;
    }

    /// <summary>What it has used of the processors since its start.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process!.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Kills it, as the system does when memory runs out.</summary>
    public void Kill() => _process!.Kill();

    public async ValueTask DisposeAsync()
    {
        // A host whose start failed has disposed of it already.
        if (Interlocked.Exchange(ref _isDisposed, true) || _process is null)
            return;
        // The host has told it to end; it drains for some seconds.
        if (await Task.WhenAny(Ended, Task.Delay(TimeSpan.FromSeconds(20))) != Ended)
            _process.Kill();
        await Ended;
        await _process.StandardInput.DisposeAsync();
        _process.Dispose();
    }

    private async Task WatchAsync(Process process)
    {
        await process.WaitForExitAsync();
        _ended.TrySetResult($"exit code {process.ExitCode}: {string.Join('\n', _errors)}");
    }
}
