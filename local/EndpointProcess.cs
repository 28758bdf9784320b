using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Local;

/// <summary>The local MotherDuck endpoint (<c>local/endpoint</c>), a Node.js process that ends when this one does.</summary>
public sealed class EndpointProcess : IAsyncDisposable
{
    private readonly Process _process;

    private EndpointProcess(Process process, int port, string caFile) => (_process, Port, CaFile) = (process, port, caFile);

    /// <summary>The port it listens on, at localhost.</summary>
    public int Port { get; }

    /// <summary>The PEM file of the certificate authority that signed its certificate.</summary>
    public string CaFile { get; }

    /// <summary>The process, for tests that kill it.</summary>
    public Process Process => _process;

    /// <summary>Starts the endpoint and waits until it takes connections.</summary>
    /// <param name="folder">The folder of its package.</param>
    /// <param name="arguments">Its command line.</param>
    /// <param name="token">The access token it accepts; handed over in the environment, where no process list shows it.</param>
    /// <param name="logger">Where its log lines go.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="LocalException">It did not start; the message has its own words.</exception>
    public static async Task<EndpointProcess> StartAsync(
        string folder, IEnumerable<string> arguments, string token, ILogger logger, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("node", ["bin/motherduck-local-endpoint.js", "--exit-with-stdin", .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true, // It stops when this pipe closes, however we end.
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["MOTHERDUCK_LOCAL_TOKEN"] = token;
        var process = Process.Start(start)!;

        var lastWords = new Queue<string>();
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null)
                return;
            lock (lastWords)
            {
                lastWords.Enqueue(line.Data);
                if (lastWords.Count > 20)
                    lastWords.Dequeue();
            }
            logger.LogDebug("{Line}", line.Data);
        };
        process.BeginErrorReadLine();

        if (await process.StandardOutput.ReadLineAsync(cancellationToken) is not { } ready)
        {
            await process.WaitForExitAsync(cancellationToken);
            lock (lastWords)
                throw new LocalException($"The local endpoint did not start (exit code {process.ExitCode}): {string.Join('\n', lastWords)}");
        }
        var said = JsonSerializer.Deserialize<JsonElement>(ready);
        return new EndpointProcess(process, said.GetProperty("port").GetInt32(), said.GetProperty("caFile").GetString()!);
    }

    /// <summary>Stops the endpoint: asks first, and kills it after five seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();
            try
            {
                await _process.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(5)).Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }
        _process.Dispose();
    }
}
