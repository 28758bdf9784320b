using System.Net;
using System.Reflection;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace MdFunctions.Local.Host;

/// <summary>The app as it is deployed, with Microsoft's worker and all, but in this process; as many at once as there is a need for.</summary>
/// <param name="configure">Changes settings and logging before the app reads them.</param>
/// <param name="services">Changes services once the app has added its own.</param>
internal sealed class InProcessWorker(Action<FunctionsApplicationBuilder> configure, Action<IServiceCollection>? services) : IWorker
{
    private readonly TaskCompletionSource<string> _ended = new();
    private IHost? _app;

    static InProcessWorker()
    {
        // The worker looks for its generated code in the entry assembly, and for host.json in this folder.
        Assembly.SetEntryAssembly(typeof(App).Assembly);
        Environment.SetEnvironmentVariable("FUNCTIONS_APPLICATION_DIRECTORY", AppContext.BaseDirectory);
    }

    /// <inheritdoc/>
    public Task<string> Ended => _ended.Task;

    /// <summary>The services of the app.</summary>
    public IServiceProvider Services => _app!.Services;

    /// <inheritdoc/>
    public async Task StartAsync(Uri host, string workerId, CancellationToken cancellationToken)
    {
        string[] args =
        [
            $"--Functions:Worker:HostEndpoint={host}",
            $"--Functions:Worker:WorkerId={workerId}",
            $"--Functions:Worker:RequestId={Guid.NewGuid()}",
            $"--Functions:Worker:GrpcMaxMessageLength={int.MaxValue}",
            "--hostBuilder:reloadConfigOnChange=false", // A file watch each is more than a machine has.
        ];
        var builder = App.CreateBuilder(args, configure);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        // By default its port is chosen once a process.
        builder.Services.Configure<KestrelServerOptions>(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        services?.Invoke(builder.Services);
        _app = builder.Build();
        await _app.StartAsync(cancellationToken);
        Services.GetRequiredService<IOptions<WorkerOptions>>().Value.Capabilities["HttpUri"] =
            Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_app is null)
            return;
        await _app.StopAsync();
        if (_app is IAsyncDisposable app)
            await app.DisposeAsync();
        _ended.TrySetResult("stopped");
    }
}
