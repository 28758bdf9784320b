using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using MdFunctions.Endpoint;

CommandLine line;
try
{
    line = CommandLine.Parse(args, Environment.GetEnvironmentVariable);
}
catch (OptionException error)
{
    return Fail(error.Message, 2);
}
if (line.WantsHelp)
{
    Console.Out.Write(CommandLine.Help);
    return 0;
}

var stopped = new TaskCompletionSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
if (line.ExitsWithStdin)
    new Thread(WaitForStdin) { IsBackground = true }.Start();
try
{
    await using var endpoint = await LocalEndpoint.StartAsync(line.Options with { Log = line.IsQuiet ? null : Log });
    var ready = new { @event = "ready", host = endpoint.Host, port = endpoint.Port, caFile = endpoint.CaFile, databases = endpoint.Databases };
    Console.Out.WriteLine(JsonSerializer.Serialize(ready));
    await stopped.Task;
    return 0;
}
catch (EndpointStartException error)
{
    return Fail(error.Message, error.IsPortTaken ? 3 : 1);
}

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stopped.TrySetResult();
}

void WaitForStdin()
{
    using var input = Console.OpenStandardInput();
    Span<byte> ignored = stackalloc byte[256];
    try
    {
        while (input.Read(ignored) > 0)
        {
        }
    }
    catch (IOException)
    {
        // Closed as well.
    }
    stopped.TrySetResult();
}

static int Fail(string message, int code)
{
    Console.Error.WriteLine($"motherduck-local-endpoint: {message}");
    return code;
}

static void Log(string text)
    => Console.Error.WriteLine($"{DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture)} {text}");
