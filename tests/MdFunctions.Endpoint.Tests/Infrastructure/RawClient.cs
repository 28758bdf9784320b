using System.Buffers.Binary;
using System.Net.Security;
using System.Net.Sockets;

namespace MdFunctions.Endpoint.Tests.Infrastructure;

/// <summary>A connection over TLS whose messages are read one by one.</summary>
internal sealed class RawClient : IAsyncDisposable
{
    /// <summary>An answer that takes longer does not come: a test that waits for it shall fail, not hang.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(60);

    private readonly Socket _socket;
    private readonly byte[] _head = new byte[5];

    private RawClient(Socket socket, SslStream stream) => (_socket, Stream) = (socket, stream);

    public SslStream Stream { get; }

    /// <summary>The messages from login to the first ReadyForQuery.</summary>
    public List<Message> Greeting { get; private set; } = [];

    public int Id { get; private set; }

    public int Secret { get; private set; }

    /// <summary>Logs in.</summary>
    public static async Task<RawClient> ConnectAsync(
        int port, string token = "local", string? options = null, string database = "md:", (string, string)[]? parameters = null)
    {
        var client = await SecureAsync(port);
        var startup = new List<(string, string)> { ("user", "tester"), ("database", database) };
        if (options is not null)
            startup.Add(("options", options));
        startup.AddRange(parameters ?? []);
        await client.SendAsync(Frames.Startup([.. startup]), Frames.Password(token));
        client.Greeting = await client.UntilAsync('Z');
        if (client.Greeting.FirstOrDefault(message => message.Type == 'K') is { } key)
        {
            client.Id = BinaryPrimitives.ReadInt32BigEndian(key.Body);
            client.Secret = BinaryPrimitives.ReadInt32BigEndian(key.Body.AsSpan(4));
        }
        return client;
    }

    /// <summary>Comes as far as TLS. Whether the certificate is right is for other tests.</summary>
    public static async Task<RawClient> SecureAsync(int port, bool isDirect = false, bool withAlpn = true)
    {
        var socket = await OpenAsync(port);
        if (!isDirect)
        {
            await socket.SendAsync(Frames.SslRequest);
            var answer = new byte[1];
            await socket.ReceiveAsync(answer);
            if (answer[0] != 'S')
                throw new InvalidOperationException($"SSLRequest was answered with {answer[0]}");
        }
        return await SecureAsync(socket, isDirect && withAlpn);
    }

    public static async Task<RawClient> SecureAsync(Socket socket, bool withAlpn = false)
    {
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
            ApplicationProtocols = withAlpn ? [new SslApplicationProtocol("postgresql")] : null,
        });
        return new RawClient(socket, stream);
    }

    public static async Task<Socket> OpenAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", port);
        return socket;
    }

    /// <summary>Asks for the end of a session's statement, in the clear as psql does.</summary>
    public static async Task CancelAsync(int port, int id, int secret)
    {
        using var socket = await OpenAsync(port);
        await socket.SendAsync(Frames.Cancel(id, secret));
        await socket.ReceiveAsync(new byte[1]);
    }

    public async Task SendAsync(params byte[][] frames) => await Stream.WriteAsync(frames.SelectMany(frame => frame).ToArray());

    /// <summary>The next message, or null when the endpoint has closed.</summary>
    public async Task<Message?> NextAsync()
    {
        using var deadline = new CancellationTokenSource(MaxWait);
        try
        {
            if (await Stream.ReadAtLeastAsync(_head, 5, false, deadline.Token) < 5)
                return null;
            var body = new byte[BinaryPrimitives.ReadInt32BigEndian(_head.AsSpan(1)) - 4];
            await Stream.ReadExactlyAsync(body, deadline.Token);
            return new Message((char)_head[0], body);
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>All messages up to one of this type, or to the end.</summary>
    public async Task<List<Message>> UntilAsync(char type)
    {
        var seen = new List<Message>();
        while (await NextAsync() is { } message)
        {
            seen.Add(message);
            if (message.Type == type)
                break;
        }
        return seen;
    }

    /// <summary>Sends, and gives the messages up to ReadyForQuery.</summary>
    public async Task<List<Message>> AskAsync(params byte[][] frames)
    {
        await SendAsync(frames);
        return await UntilAsync('Z');
    }

    /// <summary>A simple query.</summary>
    public Task<List<Message>> AskAsync(string sql) => AskAsync(Frames.Query(sql));

    /// <summary>The rows of a simple query that must not fail.</summary>
    public async Task<string?[][]> RowsAsync(string sql)
    {
        var messages = await AskAsync(sql);
        Assert.Equal("", messages.ErrorText());
        return messages.Rows();
    }

    /// <summary>A statement by the extended protocol, its parameters as text.</summary>
    public Task<List<Message>> ExtendedAsync(string sql, params object?[] values)
        => AskAsync(Frames.Parse("", sql), Frames.Bind(values: values), Frames.Describe('P'), Frames.Execute(), Frames.Sync);

    /// <summary>Goes away without a word.</summary>
    public void Abort() => _socket.Close(0);

    public async ValueTask DisposeAsync()
    {
        try
        {
            await Stream.WriteAsync(Frames.Terminate);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or InvalidOperationException)
        {
        }
        await Stream.DisposeAsync();
    }
}
