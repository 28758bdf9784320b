using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using MdFunctions.Engine;
using MdFunctions.Local.Worker;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Local;

/// <summary>The functions and the local MotherDuck endpoint, running together on this machine.</summary>
public sealed class LocalHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private LocalHost(WebApplication app, EndpointProcess? endpoint, IReadOnlyList<FunctionMethod> functions, Uri baseAddress) =>
        (_app, Endpoint, Functions, BaseAddress) = (app, endpoint, functions, baseAddress);

    /// <summary>Where the functions are served; their routes begin with <c>/api</c>.</summary>
    public Uri BaseAddress { get; }

    /// <summary>The local endpoint; null when the functions use a MotherDuck account.</summary>
    public EndpointProcess? Endpoint { get; }

    /// <summary>The functions that are served.</summary>
    public IReadOnlyList<FunctionMethod> Functions { get; }

    /// <summary>The services of the app.</summary>
    public IServiceProvider Services => _app.Services;

    /// <summary>Starts the endpoint and the functions.</summary>
    /// <param name="options">How.</param>
    /// <param name="say">Gets a line for the person at the keyboard while this takes long.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LocalException">Node.js is missing, a port is taken, npm failed, or the like.</exception>
    /// <exception cref="StartupException">The app's settings or SQL files have faults.</exception>
    public static async Task<LocalHost> StartAsync(LocalOptions options, Action<string> say, CancellationToken cancellationToken)
    {
        var root = RepositoryRoot();
        // The port is settled first: the sample load's setting names it.
        var port = options.Port == 0 ? FreePort() : options.Port;
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = root });
        builder.Logging.ClearProviders().SetMinimumLevel(options.LogLevel).AddFilter("Microsoft", LogLevel.Warning);
        if (options.Console)
            builder.Logging.AddSimpleConsole(console => (console.SingleLine, console.TimestampFormat) = (true, "HH:mm:ss "));
        if (options.LoggerProvider is not null)
            builder.Logging.AddProvider(options.LoggerProvider);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port));

        var settings = LocalSettings(root);
        EndpointProcess? endpoint = null;
        try
        {
            if (!options.MotherDuck)
            {
                var token = options.Settings.GetValueOrDefault("MOTHERDUCK_TOKEN")
                    ?? Environment.GetEnvironmentVariable("MOTHERDUCK_TOKEN")
                    ?? (settings.GetValueOrDefault("MOTHERDUCK_TOKEN") is { Length: > 0 } setting ? setting : "local");
                endpoint = await StartEndpointAsync(root, options, token, say, cancellationToken);
                settings["MOTHERDUCK_TOKEN"] = token;
                settings["KEY_VAULT_URI"] = "";
                settings["MOTHERDUCK_READ_TOKEN"] = "";
                settings["MotherDuck:SslMode"] = "";
                settings["MotherDuck:Region"] = "";
                settings["MotherDuck:Host"] = "localhost";
                settings["MotherDuck:Port"] = endpoint.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
                settings["MotherDuck:RootCertificate"] = endpoint.CaFile;
                settings["WEATHER_CSV_URL"] = $"http://localhost:{port}/samples/weather.csv";
            }
            if (options.Data is not null)
                settings[TimerFunctions.StateSetting] = Path.Combine(options.Data, "timers.json");
            // Below the environment, which an operator sets on purpose.
            builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource
            {
                InitialData = new Dictionary<string, string?>
                {
                    ["WEATHER_CSV_URL"] = "https://raw.githubusercontent.com/duckdb/duckdb-web/main/data/weather.csv",
                    ["SqlDirectory"] = Path.Combine(root, "functions", "sql"),
                    ["LOADS_HOURLY_SCHEDULE"] = "0 5 * * * *",
                    ["LOADS_DAILY_SCHEDULE"] = "0 30 2 * * *",
                },
            });
            builder.Configuration.AddInMemoryCollection(settings).AddInMemoryCollection(options.Settings);

            var functions = FunctionMethod.Discover(typeof(LocalHost).Assembly);
            builder.Services.AddMdFunctions(builder.Configuration, typeof(LoadFunctions));
            options.Services?.Invoke(builder.Services);
            builder.Services.AddSingleton(functions).AddSingleton<TimerFunctions>();
            builder.Services.AddHostedService(services => services.GetRequiredService<TimerFunctions>());

            var app = builder.Build();
            app.MapHttpFunctions(functions);
            MapAdmin(app);
            MapSamples(app, Path.Combine(root, "local", "samples"));
            await StartAsync(app, port, cancellationToken);
            return new LocalHost(app, endpoint, functions, new Uri($"http://localhost:{port}"));
        }
        catch
        {
            if (endpoint is not null)
                await endpoint.DisposeAsync();
            throw;
        }
    }

    /// <summary>Completes when the host is asked to stop (Ctrl+C).</summary>
    public Task WaitForShutdownAsync() => _app.WaitForShutdownAsync();

    /// <summary>Stops the functions, then the endpoint.</summary>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        if (Endpoint is not null)
            await Endpoint.DisposeAsync();
    }

    /// <summary>The folder that holds <c>host.json</c>, found upwards from where this program was built.</summary>
    /// <exception cref="LocalException">There is none: the program was moved out of its repository.</exception>
    public static string RepositoryRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "host.json")) && Directory.Exists(Path.Combine(folder.FullName, "local", "endpoint")))
                return folder.FullName;
        }
        throw new LocalException($"No repository found upwards from {AppContext.BaseDirectory}: host.json and local/endpoint were expected there.");
    }

    private static async Task<EndpointProcess> StartEndpointAsync(
        string root, LocalOptions options, string token, Action<string> say, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(root, "local", "endpoint");
        await NodeModules.EnsureAsync(folder, forTests: false, say, cancellationToken);
        List<string> arguments =
        [
            "--port", options.EndpointPort.ToString(System.Globalization.CultureInfo.InvariantCulture),
            "--ca-dir", Path.Combine(root, "local", ".data", "ca"),
            .. options.Data is null ? (IEnumerable<string>)[] : ["--data", options.Data],
            .. options.EndpointArguments,
        ];
        using var loggers = LoggerFactory.Create(logging =>
        {
            logging.SetMinimumLevel(options.LogLevel);
            if (options.LoggerProvider is not null)
                logging.AddProvider(options.LoggerProvider);
        });
        return await EndpointProcess.StartAsync(folder, arguments, token, loggers.CreateLogger("Endpoint"), cancellationToken);
    }

    // The "Values" of local.settings.json become settings, as Core Tools makes them environment variables.
    private static Dictionary<string, string?> LocalSettings(string root)
    {
        var path = Path.Combine(root, "local.settings.json");
        var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        if (!File.Exists(path))
            return settings;
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllText(path), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            if (json.RootElement.TryGetProperty("Values", out var values))
            {
                foreach (var value in values.EnumerateObject().Where(value => Environment.GetEnvironmentVariable(value.Name) is null))
                    settings[value.Name.Replace("__", ":", StringComparison.Ordinal)] = value.Value.ToString();
            }
        }
        catch (JsonException e)
        {
            throw new LocalException($"local.settings.json is not valid JSON: {e.Message}", e);
        }
        return settings;
    }

    private static void MapAdmin(WebApplication app) =>
        app.MapPost("/admin/functions/{name}", (string name, TimerFunctions timers, IHostApplicationLifetime lifetime) =>
            timers.RunNow(name, lifetime.ApplicationStopping) ? Results.StatusCode(StatusCodes.Status202Accepted) : Results.StatusCode(StatusCodes.Status404NotFound));

    private static void MapSamples(WebApplication app, string folder) =>
        app.MapGet("/samples/{file}", (string file) =>
            Path.GetFileName(file) == file && File.Exists(Path.Combine(folder, file))
                ? Results.File(Path.Combine(folder, file), "text/csv")
                : Results.NotFound());

    private static async Task StartAsync(WebApplication app, int port, CancellationToken cancellationToken)
    {
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (IOException e) when (e.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            throw new LocalException($"Port {port} is taken. Choose another with --port N, or --port 0 for any free one.", e);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
