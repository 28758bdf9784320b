using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace MdFunctions.Tests.MotherDuck;

/// <summary>A network between app and endpoint that can lose everything without a word, as a firewall that forgot a connection does.</summary>
public sealed class SilentProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<int, Flow> _flows = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private readonly int _target;
    private int _count;
    private volatile bool _losesNew;

    public SilentProxy(int target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>How many connections there have been.</summary>
    public int Accepted => _count;

    /// <summary>How many the app has open.</summary>
    public int Open => _flows.Count;

    /// <summary>From now on nothing passes on the connections that there are, for good.</summary>
    public void ForgetConnections()
    {
        foreach (var flow in _flows.Values)
            flow.Lost = true;
    }

    /// <summary>Whether new connections are taken but nothing passes on them.</summary>
    public void LoseNewConnections(bool lose) => _losesNew = lose;

    /// <summary>How long new connections wait before anything passes.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Resets the connections that there are.</summary>
    public void ResetConnections()
    {
        foreach (var flow in _flows.Values)
        {
            flow.App.LingerState = new LingerOption(true, 0);
            flow.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        foreach (var flow in _flows.Values)
            flow.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var app = await _listener.AcceptSocketAsync(_stop.Token);
                var id = Interlocked.Increment(ref _count);
                var flow = _flows[id] = new Flow(app) { Lost = _losesNew };
                _ = RunAsync(id, flow);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task RunAsync(int id, Flow flow)
    {
        try
        {
            await Task.Delay(Delay, _stop.Token);
            await flow.Endpoint.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
            await Task.WhenAny(PumpAsync(flow, flow.App, flow.Endpoint), PumpAsync(flow, flow.Endpoint, flow.App));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
        finally
        {
            // Only the app can end a lost connection: the endpoint's farewell does not arrive either.
            _flows.TryRemove(id, out _);
            flow.Dispose();
        }
    }

    private async Task PumpAsync(Flow flow, Socket from, Socket to)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            for (int read; (read = await from.ReceiveAsync(buffer, _stop.Token)) > 0;)
            {
                if (!flow.Lost)
                    await to.SendAsync(buffer.AsMemory(0, read), _stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
        if (flow.Lost && from == flow.Endpoint)
            await Task.Delay(Timeout.Infinite, _stop.Token);
    }

    private sealed class Flow(Socket app) : IDisposable
    {
        public Socket App { get; } = app;

        public Socket Endpoint { get; } = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

        public volatile bool Lost;

        public void Dispose()
        {
            App.Dispose();
            Endpoint.Dispose();
        }
    }
}
