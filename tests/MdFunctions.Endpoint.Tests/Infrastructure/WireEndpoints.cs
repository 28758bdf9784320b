using System.Collections.Concurrent;

namespace MdFunctions.Endpoint.Tests.Infrastructure;

/// <summary>An endpoint in this process that the tests of a class speak to at the level of the wire.</summary>
public abstract class WireEndpoint(Behaviour behaviour) : IAsyncLifetime
{
    private readonly ConcurrentQueue<string> _log = new();

    public LocalEndpoint Endpoint { get; private set; } = null!;

    public int Port => Endpoint.Port;

    public string Log => string.Join('\n', _log);

    internal Task<RawClient> ConnectAsync(string token = "local", string? options = null, string database = "md:", (string, string)[]? parameters = null)
        => RawClient.ConnectAsync(Port, token, options, database, parameters);

    public virtual LocalEndpointOptions Options => new()
    {
        Behaviour = behaviour,
        Tokens = ["local", "second"],
        ReadOnlyTokens = ["reader"],
        Log = _log.Enqueue,
    };

    public async Task InitializeAsync() => Endpoint = await LocalEndpoint.StartAsync(Options);

    public Task DisposeAsync() => Endpoint.DisposeAsync().AsTask();
}

public sealed class ObservedWire() : WireEndpoint(Behaviour.Observed);

public sealed class DocumentedWire() : WireEndpoint(Behaviour.Documented);
