using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using MdFunctions.Endpoint.Sessions;
using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Connections;

/// <summary>
/// Listens, and serves each connection on a thread of its own: DuckDB's calls block, and a thread that belongs to its session waits for
/// nobody.
/// </summary>
internal sealed partial class Listener : IAsyncDisposable
{
    private const int MaxSessions = 500;
    private const int MaxConnections = 1000;
    private const int StackBytes = 4 * 1024 * 1024;
    private static readonly TimeSpan LoginTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromMilliseconds(800);

    private readonly SharedServices _services;
    private readonly Negotiation _negotiation;
    private readonly Login _login;
    private readonly Socket _socket;
    private readonly ConcurrentDictionary<int, Session> _sessions = new();
    private readonly ConcurrentDictionary<Socket, Thread> _connections = new();
    private readonly Timer _watch;
    private int _lastId;
    private volatile bool _isStopping;

    private Listener(SharedServices services, SslStreamCertificateContext certificate, Socket socket)
    {
        _services = services;
        _socket = socket;
        _negotiation = new Negotiation(certificate, services.Behaviour, Cancel);
        _login = new Login(services);
        _watch = new Timer(_ => Watch(), null, Patience, Patience);
        Port = ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    public int Port { get; }

    /// <summary>Begins to listen.</summary>
    /// <exception cref="SocketException">The address cannot be listened on.</exception>
    public static Listener Start(SharedServices services, SslStreamCertificateContext certificate)
    {
        var options = services.Options;
        var address = IPAddress.TryParse(options.Host, out var known) ? known : Dns.GetHostAddresses(options.Host)[0];
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, options.Port));
            socket.Listen(512);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        var listener = new Listener(services, certificate, socket);
        new Thread(listener.Accept) { IsBackground = true, Name = $"endpoint {listener.Port}" }.Start();
        return listener;
    }

    public async ValueTask DisposeAsync()
    {
        _isStopping = true;
        _socket.Dispose();
        await _watch.DisposeAsync();
        foreach (var session in _sessions.Values)
            session.Interruption.Request();
        foreach (var connection in _connections.Keys)
            connection.Dispose();
        var deadline = Environment.TickCount64 + (long)StopTimeout.TotalMilliseconds;
        while (!_connections.IsEmpty && Environment.TickCount64 < deadline)
            await Task.Delay(2);
    }

    private void Accept()
    {
        while (!_isStopping)
        {
            try
            {
                Serve(_socket.Accept());
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                if (!_isStopping)
                    _services.Log($"listener: {error.Message}");
                if (error is ObjectDisposedException)
                    return;
            }
        }
    }

    private void Serve(Socket client)
    {
        if (_connections.Count >= MaxConnections)
        {
            client.Dispose();
            return;
        }
        var thread = new Thread(() => Serve(client, new Timer(_ => client.Dispose(), null, LoginTimeout, Timeout.InfiniteTimeSpan)), StackBytes)
        {
            IsBackground = true,
            Name = "endpoint client",
        };
        _connections[client] = thread;
        thread.Start();
    }

    private void Serve(Socket client, Timer loginTimeout)
    {
        try
        {
            client.NoDelay = true;
            using var secure = _negotiation.Secure(client);
            if (secure is null)
                return;
            using var stream = new ClientStream(client, secure, _services.Options.MaxMessage);
            Serve(stream, loginTimeout);
        }
        catch (Exception error) when (error is SocketException or IOException or ObjectDisposedException)
        {
            // The client has left, or the endpoint stops.
        }
        catch (Exception error)
        {
            _services.Log($"connection: unexpected: {error}");
        }
        finally
        {
            loginTimeout.Dispose();
            client.Dispose();
            _connections.TryRemove(client, out _);
        }
    }

    private void Serve(ClientStream client, Timer loginTimeout)
    {
        try
        {
            if (_login.Run(client, _negotiation) is not { } login)
                return;
            if (_sessions.Count >= MaxSessions)
                throw EndpointException.Fatal($"too many sessions: the local endpoint takes {MaxSessions}", "53300");
            using var session = Begin(client, login);
            loginTimeout.Dispose();
            try
            {
                if (!_isStopping)
                    session.Run();
            }
            finally
            {
                _sessions.TryRemove(session.Id, out _);
                _services.Log($"session {session.Id}: closed");
            }
        }
        catch (EndpointException error)
        {
            _services.Log($"login refused: {error.Message}");
            var output = new Output();
            Messages.Error(output, error, _services.Behaviour, isFatal: true);
            client.Write(output.Written);
        }
    }

    private Session Begin(ClientStream client, LoginResult login)
    {
        var connection = _services.Databases.Connect(login.Database);
        var session = new Session(Interlocked.Increment(ref _lastId), RandomNumberGenerator.GetInt32(int.MaxValue), client, connection, login, _services);
        _sessions[session.Id] = session;
        var name = login.Options.SessionName == "" ? "" : $" ({Clean(login.Options.SessionName)})";
        _services.Log($"session {session.Id}: {Clean(login.User)} on {login.Database}{name}{(login.IsReadOnly ? ", read-only" : "")}");
        return session;
    }

    private void Cancel(int id, int secret)
    {
        if (!_sessions.TryGetValue(id, out var session) || session.Secret != secret)
            return;
        _services.Log($"session {id}: cancel requested");
        session.Interruption.Request();
    }

    private void Watch()
    {
        var isLong = false;
        foreach (var session in _sessions.Values)
        {
            session.Watch(Patience);
            isLong |= session.Interruption.Computes(Patience);
        }
        _services.Databases.Help(isLong);
    }

    // What a client says of itself goes to the log on one line.
    private static string Clean(string text) => Unprintable().Replace(text.Length > 200 ? text[..200] : text, "?");

    [GeneratedRegex("[^ -~]")]
    private static partial Regex Unprintable();
}
