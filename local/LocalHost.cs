using System.Globalization;
using System.Net;
using System.Net.Sockets;
using MdFunctions.Endpoint;
using MdFunctions.Engine;
using MdFunctions.Local.Host;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Local;

/// <summary>The functions and the local MotherDuck endpoint, running together on this machine.</summary>
public sealed class LocalHost : IAsyncDisposable
{
    private readonly FunctionsHost _host;
    private readonly InProcessWorker _worker;

    private LocalHost(FunctionsHost host, InProcessWorker worker, LocalEndpoint? endpoint, IConfiguration settings) =>
        (_host, _worker, Endpoint, Settings) = (host, worker, endpoint, settings);

    /// <summary>Where the functions are served; their routes begin with <c>/api</c>.</summary>
    public Uri BaseAddress => _host.BaseAddress;

    /// <summary>The local endpoint; null when the functions use a MotherDuck account.</summary>
    public LocalEndpoint? Endpoint { get; }

    /// <summary>The services of the app.</summary>
    public IServiceProvider Services => _worker.Services;

    /// <summary>The app's settings.</summary>
    internal IConfiguration Settings { get; }

    /// <summary>The host that serves the functions.</summary>
    internal FunctionsHost Functions => _host;

    /// <summary>Starts the endpoint and the functions.</summary>
    /// <param name="options">How.</param>
    /// <param name="say">Gets a line for the person at the keyboard while this takes long.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LocalException">A port is taken, or the like.</exception>
    /// <exception cref="StartupException">The app's settings or SQL files have faults.</exception>
    public static async Task<LocalHost> StartAsync(LocalOptions options, Action<string> say, CancellationToken cancellationToken)
    {
        var root = RepositoryRoot();
        // The port is settled first: the sample load's setting names it.
        var bound = options.Port == 0 ? BindAny() : null;
        var port = bound is null ? options.Port : ((IPEndPoint)bound.LocalEndPoint!).Port;
        var settings = LocalSettings.Read(root);
        LocalEndpoint? endpoint = null;
        try
        {
            if (!options.MotherDuck)
            {
                var token = options.Settings.GetValueOrDefault("MOTHERDUCK_TOKEN")
                    ?? Environment.GetEnvironmentVariable("MOTHERDUCK_TOKEN")
                    ?? (settings.GetValueOrDefault("MOTHERDUCK_TOKEN") is { Length: > 0 } setting ? setting : "local");
                endpoint = await StartEndpointAsync(root, options, token, cancellationToken).WhileAsync("Starting the local MotherDuck endpoint", say);
                UseEndpoint(settings, endpoint, token, port);
            }
            foreach (var (name, value) in options.Settings)
                settings[name] = value;

            var worker = new InProcessWorker(
                app =>
                {
                    AddSettings(app.Configuration, root, settings);
                    app.Logging.SetMinimumLevel(options.LogLevel).AddFilter("Microsoft", LogLevel.Warning)
                        .AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error)
                        .AddFilter("Microsoft.AspNetCore.Server.Kestrel", LogLevel.Error); // It warns that its port is another.
                },
                options.Services);
            var own = new ConfigurationManager();
            own.AddEnvironmentVariables();
            AddSettings(own, root, settings);
            var host = await FunctionsHost.StartAsync(
                worker,
                new FunctionsHostOptions
                {
                    Port = port,
                    Bound = bound,
                    Settings = own,
                    ApplicationDirectory = AppContext.BaseDirectory,
                    Logging = logging => AddLogging(logging, options),
                    TimerStatusFile = options.Data is null ? null : Path.Combine(options.Data, "timers.json"),
                    Routes = app =>
                    {
                        app.MapGet("/samples/{file}", context => Sample((string)context.Request.RouteValues["file"]!).ExecuteAsync(context));
                        app.MapGet("/", () => Results.Redirect("/api/docs"));
                    },
                },
                cancellationToken).WhileAsync("Starting the functions", say);
            return new LocalHost(host, worker, endpoint, own);
        }
        catch
        {
            bound?.Dispose();
            if (endpoint is not null)
                await endpoint.DisposeAsync();
            throw;
        }
    }

    /// <summary>Completes when the host is asked to stop (Ctrl+C).</summary>
    public Task WaitForShutdownAsync() => _host.WaitForShutdownAsync();

    /// <summary>Stops the functions, then the endpoint.</summary>
    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        if (Endpoint is not null)
            await Endpoint.DisposeAsync();
    }

    /// <summary>The folder that holds <c>host.json</c>, found upwards from where this program was built.</summary>
    /// <exception cref="LocalException">There is none: the program was moved out of its repository.</exception>
    public static string RepositoryRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "host.json")) && File.Exists(Path.Combine(folder.FullName, "local", "MdFunctions.Local.csproj")))
                return folder.FullName;
        }
        throw new LocalException($"No repository found upwards from {AppContext.BaseDirectory}: host.json and local/ were expected there.");
    }

    /// <summary>One of the sample files.</summary>
    internal static IResult Sample(string name)
    {
        var file = Path.Combine(RepositoryRoot(), "local", "samples", Path.GetFileName(name));
        return File.Exists(file) ? Results.File(file, "text/csv") : Results.NotFound();
    }

    private static async Task<LocalEndpoint> StartEndpointAsync(string root, LocalOptions options, string token, CancellationToken cancellationToken)
    {
        // It logs as long as it runs, longer than any scope here.
        var logger = LoggerFactory.Create(logging => AddLogging(logging, options)).CreateLogger("Endpoint");
        try
        {
            return await LocalEndpoint.StartAsync(
                options.Endpoint with
                {
                    Port = options.EndpointPort,
                    DataDirectory = options.Data,
                    CertificateAuthorityDirectory = Path.Combine(root, "local", ".data", "ca"),
                    Tokens = [token],
                    Log = line => logger.LogDebug("{Line}", line),
                },
                cancellationToken);
        }
        catch (EndpointStartException e)
        {
            throw new LocalException($"The local MotherDuck endpoint did not start: {e.Message} --endpoint-port N chooses another port, 0 any free one.", e);
        }
    }

    private static void UseEndpoint(Dictionary<string, string?> settings, LocalEndpoint endpoint, string token, int port)
    {
        settings["MOTHERDUCK_TOKEN"] = token;
        settings["KEY_VAULT_URI"] = "";
        settings["MOTHERDUCK_READ_TOKEN"] = "";
        settings["MotherDuck:SslMode"] = "";
        settings["MotherDuck:Region"] = "";
        settings["MotherDuck:Host"] = "localhost";
        settings["MotherDuck:Port"] = endpoint.Port.ToString(CultureInfo.InvariantCulture);
        settings["MotherDuck:RootCertificate"] = endpoint.CaFile;
        settings["WEATHER_CSV_URL"] = $"http://localhost:{port}/samples/weather.csv";
    }

    private static void AddSettings(ConfigurationManager configuration, string root, Dictionary<string, string?> settings)
    {
        // Below the environment, which an operator sets on purpose.
        ((IConfigurationBuilder)configuration).Sources.Insert(0, new MemoryConfigurationSource
        {
            InitialData = new Dictionary<string, string?>
            {
                ["WEATHER_CSV_URL"] = "https://raw.githubusercontent.com/duckdb/duckdb-web/main/data/weather.csv",
                ["SqlDirectory"] = Path.Combine(root, "functions", "sql"),
                ["LOADS_HOURLY_SCHEDULE"] = "0 5 * * * *",
                ["LOADS_DAILY_SCHEDULE"] = "0 30 2 * * *",
            },
        });
        configuration.AddInMemoryCollection(settings);
    }

    private static void AddLogging(ILoggingBuilder logging, LocalOptions options)
    {
        logging.SetMinimumLevel(options.LogLevel).AddFilter("Microsoft", LogLevel.Warning)
            .AddFilter("Yarp", LogLevel.Error); // How a call failed, the host says itself.
        if (options.Console)
            logging.AddSimpleConsole(console => (console.SingleLine, console.TimestampFormat) = (true, "HH:mm:ss "));
        if (options.LoggerProvider is not null)
            logging.AddProvider(options.LoggerProvider);
    }

    // A port that is only looked for is another's by the time that it is used.
    private static Socket BindAny()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }
}
