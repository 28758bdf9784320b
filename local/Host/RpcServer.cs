using System.Collections.Concurrent;
using System.Net;
using Grpc.Core;
using MdFunctions.Local.Host.Rpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Local.Host;

/// <summary>The gRPC server that workers connect to: one for all apps of this process, which tells them apart by their workers' ids.</summary>
internal sealed class RpcServer
{
    private static readonly Lazy<Task<RpcServer>> Started = new(StartAsync);

    private readonly ConcurrentDictionary<string, WorkerChannel> _channels = new(StringComparer.Ordinal);

    private RpcServer()
    {
    }

    /// <summary>Where workers connect.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>The server; started when it is first asked for, and running as long as the process does.</summary>
    public static Task<RpcServer> GetAsync() => Started.Value;

    /// <summary>Makes the channel of a worker that is about to connect.</summary>
    public WorkerChannel Open(ILoggerFactory loggers)
    {
        var channel = new WorkerChannel(Guid.NewGuid().ToString(), loggers, id => _channels.TryRemove(id, out _));
        _channels[channel.WorkerId] = channel;
        return channel;
    }

    private static async Task<RpcServer> StartAsync()
    {
        var server = new RpcServer();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddSingleton<Microsoft.Extensions.Hosting.IHostLifetime, NoLifetime>();
        builder.Services.AddSingleton(server).AddGrpc(grpc => grpc.MaxReceiveMessageSize = null);
        var app = builder.Build();
        app.MapGrpcService<Service>();
        await app.StartAsync();
        server.Address = new Uri(app.Urls.Single());
        return server;
    }

    private sealed class Service(RpcServer server) : FunctionRpc.FunctionRpcBase
    {
        public override async Task EventStream(IAsyncStreamReader<StreamingMessage> requestStream, IServerStreamWriter<StreamingMessage> responseStream, ServerCallContext context)
        {
            // The first message says who it is; nobody else is listened to.
            if (await requestStream.MoveNext(context.CancellationToken) && requestStream.Current.StartStream is { } start
                && server._channels.TryGetValue(start.WorkerId, out var channel))
            {
                await channel.ServeAsync(requestStream, responseStream, context.CancellationToken);
            }
        }
    }
}
