using System.Net;
using System.Net.Sockets;
using MdFunctions.Local.Host.Rpc;
using MdFunctions.Local.Host.Timers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Forwarder;

namespace MdFunctions.Local.Host;

/// <summary>What a host is told.</summary>
internal sealed record FunctionsHostOptions
{
    /// <summary>The port on localhost; 0 takes any free one.</summary>
    public int Port { get; init; }

    /// <summary>A socket that is bound already, where the port must be known before the app starts; the host listens there instead.</summary>
    public Socket? Bound { get; init; }

    /// <summary>The app's settings, which the schedules of timers name.</summary>
    public required IConfiguration Settings { get; init; }

    /// <summary>The folder of the app and its <c>host.json</c>.</summary>
    public required string ApplicationDirectory { get; init; }

    /// <summary>Where log lines go, the worker's and the host's own.</summary>
    public required Action<ILoggingBuilder> Logging { get; init; }

    /// <summary>The file that keeps the timers' statuses; null to keep them in memory.</summary>
    public string? TimerStatusFile { get; init; }

    /// <summary>More routes besides the functions'.</summary>
    public Action<WebApplication> Routes { get; init; } = _ => { };
}

/// <summary>The Azure Functions host in miniature: it starts a worker, asks it what functions there are, and calls them. Nobody is asked for a key, as under Core Tools.</summary>
internal sealed class FunctionsHost : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly IWorker _worker;
    private readonly ILoggerFactory _loggers;
    private WorkerChannel _channel = null!;
    private WebApplication? _front;
    private HttpTriggers? _http;
    private TimerTriggers? _timers;
    private HostFile _file = null!;

    private FunctionsHost(IWorker worker, ILoggerFactory loggers) => (_worker, _loggers) = (worker, loggers);

    /// <summary>The functions, in the order of their names.</summary>
    public IReadOnlyList<Function> Functions { get; private set; } = [];

    /// <summary>The first part of HTTP functions' routes.</summary>
    public string RoutePrefix => _file.RoutePrefix;

    /// <summary>Where the functions are served.</summary>
    public Uri BaseAddress { get; private set; } = null!;

    /// <summary>What the worker says it can do.</summary>
    public IReadOnlyDictionary<string, string> Capabilities { get; private set; } = new Dictionary<string, string>();

    /// <summary>Starts a worker and serves its functions. The worker is the host's from then on, also when this fails.</summary>
    /// <exception cref="LocalException">The worker does not start, or the port is taken.</exception>
    public static async Task<FunctionsHost> StartAsync(IWorker worker, FunctionsHostOptions options, CancellationToken cancellationToken)
    {
        var host = new FunctionsHost(worker, LoggerFactory.Create(options.Logging));
        try
        {
            await host.ConnectAsync(options, cancellationToken);
            await host.ServeAsync(options, cancellationToken);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Completes when the process is asked to stop (Ctrl+C).</summary>
    public Task WaitForShutdownAsync() => _front!.WaitForShutdownAsync();

    /// <summary>Stops taking requests and firing timers, lets those that run end, and stops the worker.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_timers is not null)
            await _timers.DisposeAsync();
        if (_front is not null)
        {
            await _front.StopAsync();
            await _front.DisposeAsync();
        }
        _http?.Dispose();
        _channel?.Tell(new StreamingMessage { WorkerTerminate = new WorkerTerminate() });
        await _worker.DisposeAsync();
        _channel?.Dispose();
        _loggers.Dispose();
    }

    private async Task ConnectAsync(FunctionsHostOptions options, CancellationToken cancellationToken)
    {
        var server = await RpcServer.GetAsync();
        _channel = server.Open(_loggers);
        await _worker.StartAsync(server.Address, _channel.WorkerId, cancellationToken);
        var first = await Task.WhenAny(_channel.Started, _worker.Ended).WaitAsync(StartTimeout, cancellationToken);
        if (first == _worker.Ended)
            throw new LocalException($"The worker did not start: {await _worker.Ended}");

        var init = await _channel.AskAsync(
            new StreamingMessage { WorkerInitRequest = new WorkerInitRequest { HostVersion = "4.0.0", FunctionAppDirectory = options.ApplicationDirectory } }, cancellationToken);
        Check(init.WorkerInitResponse.Result, "The worker did not start");
        Capabilities = init.WorkerInitResponse.Capabilities;

        var metadata = await _channel.AskAsync(
            new StreamingMessage { FunctionsMetadataRequest = new FunctionsMetadataRequest { FunctionAppDirectory = options.ApplicationDirectory } }, cancellationToken);
        Check(metadata.FunctionMetadataResponse.Result, "The worker cannot tell its functions");
        await Task.WhenAll(metadata.FunctionMetadataResponse.FunctionMetadataResults.Select(async function =>
        {
            var loaded = await _channel.AskAsync(
                new StreamingMessage { FunctionLoadRequest = new FunctionLoadRequest { FunctionId = function.FunctionId, Metadata = function } }, cancellationToken);
            Check(loaded.FunctionLoadResponse.Result, $"Function '{function.Name}' cannot be loaded");
        }));
        Functions = [.. metadata.FunctionMetadataResponse.FunctionMetadataResults.Select(Function.Read).OrderBy(function => function.Name, StringComparer.Ordinal)];
        _file = HostFile.Read(options.ApplicationDirectory);
    }

    private async Task ServeAsync(FunctionsHostOptions options, CancellationToken cancellationToken)
    {
        var logger = _loggers.CreateLogger("Host");
        var workerAddress = Capabilities["HttpUri"];
        await WaitForAsync(new Uri(workerAddress), cancellationToken);

        // Empty: neither the environment nor the working directory has a say in it.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(_loggers).AddRoutingCore().AddHttpForwarder();
        builder.WebHost.UseKestrelCore();
        // 100 MB are the Functions host's own limit of a request's body.
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = 100 * 1024 * 1024);
        Listen(builder.WebHost, options);
        var app = builder.Build();
        _front = app;
        _http = new HttpTriggers(_channel, workerAddress, app.Services.GetRequiredService<IHttpForwarder>(), logger);
        _timers = new TimerTriggers(_channel, Functions, options.Settings, options.TimerStatusFile, logger);
        _file.UseLimits(app);
        app.UseCrossSiteRules(options.Settings["Cors:Origins"]);
        _http.Map(app, RoutePrefix, Functions);
        app.MapAdmin(Functions, _timers, logger);
        options.Routes(app);
        _timers.Start();
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            throw new LocalException($"Port {options.Port} is taken. Choose another with --port N, or --port 0 for any free one.", e);
        }
        BaseAddress = new Uri($"http://localhost:{new Uri(app.Urls.First()).Port}");
    }

    private static void Listen(IWebHostBuilder server, FunctionsHostOptions options)
    {
        if (options.Bound is { } bound)
            server.UseSockets(sockets => sockets.CreateBoundListenSocket = _ => bound).ConfigureKestrel(kestrel => kestrel.Listen(bound.LocalEndPoint!));
        else if (options.Port == 0)
            server.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        else
            server.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(options.Port));
    }

    // A worker in a process of its own may connect before it listens.
    private async Task WaitForAsync(Uri worker, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(worker.Host, worker.Port, cancellationToken);
                return;
            }
            catch (SocketException) when (attempt < 100 && !_worker.Ended.IsCompleted)
            {
                await Task.Delay(50, cancellationToken);
            }
        }
    }

    private static void Check(StatusResult result, string what)
    {
        if (result.Status != StatusResult.Types.Status.Success)
            throw new LocalException($"{what}: {result.Exception?.Message}");
    }
}
