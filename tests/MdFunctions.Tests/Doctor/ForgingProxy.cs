using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace MdFunctions.Tests.Doctor;

/// <summary>Stands between a client and an endpoint, ends TLS on both sides, and changes the messages that a <see cref="Forgery"/> names.</summary>
public sealed class ForgingProxy : IAsyncDisposable
{
    private const int SslRequest = 80877103;
    private const int CancelRequest = 80877102;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _serving = [];
    private readonly X509Certificate2 _certificate = MakeCertificate();
    private readonly int _target;
    private readonly Forgery? _forgery;
    private readonly Task _accepting;

    public ForgingProxy(int target, Forgery? forgery)
    {
        (_target, _forgery) = (target, forgery);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What clients sent once they were logged in, but for passwords; of each message its type and its body.</summary>
    public ConcurrentQueue<(object Connection, char Type, byte[] Body)> Sent { get; } = new();

    /// <summary>What a client has to trust.</summary>
    public X509Certificate2Collection Roots => [X509CertificateLoader.LoadCertificate(_certificate.RawData)];

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_serving);
        _certificate.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            for (var number = 1; ; number++)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                var second = number == 2;
                _serving.Add(Task.Run(() => ServeAsync(client, second)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ServeAsync(TcpClient client, bool second)
    {
        using var endpoint = new TcpClient { NoDelay = true };
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        try
        {
            using var _ = client;
            client.NoDelay = true;
            Stream near = client.GetStream();
            var first = await ReadAsync(near, startup: true, ended.Token);
            if (second && _forgery?.SecondGets is { } answer)
            {
                await near.WriteAsync(Encoding.ASCII.GetBytes(answer), ended.Token);
                await Task.Delay(Timeout.Infinite, ended.Token);
            }
            await endpoint.ConnectAsync(IPAddress.Loopback, _target, ended.Token);
            Stream far = endpoint.GetStream();
            if (first is { Length: 8 } && Int(first, 4) == SslRequest)
            {
                await near.WriteAsync("S"u8.ToArray(), ended.Token);
                var tls = new SslStream(near);
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, ended.Token);
                near = tls;
                await far.WriteAsync(first, ended.Token);
                await far.ReadExactlyAsync(new byte[1], ended.Token);
                var client2 = new SslStream(far, false, (_, _, _, _) => true);
                await client2.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }, ended.Token);
                far = client2;
                first = await ReadAsync(near, startup: true, ended.Token);
            }
            if (first is null)
                return;
            if (Int(first, 4) == CancelRequest && _forgery?.LosesCancels == true)
                return;
            if (_forgery?.Refuses is { } part && Contains(first, part))
            {
                await near.WriteAsync(Error("42000", "not here"), ended.Token);
                return;
            }
            if (_forgery?.Startup is { } other && Contains(first, other.Part))
                first = Framed('\0', Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(first, 4, first.Length - 4).Replace(other.Part, other.Other, StringComparison.Ordinal)));
            await far.WriteAsync(first, ended.Token);
            var flow = new Flow(_forgery);
            await Task.WhenAny(PumpAsync(near, far, FromClient, ended.Token), PumpAsync(far, near, flow.FromEndpoint, ended.Token));
            await ended.CancelAsync();

            byte[] FromClient(byte[] message)
            {
                if ((char)message[0] != 'p')
                    Sent.Enqueue((flow, (char)message[0], message[5..]));
                return flow.FromClient(message);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException or System.Security.Authentication.AuthenticationException or ObjectDisposedException)
        {
        }
    }

    private static async Task PumpAsync(Stream from, Stream to, Func<byte[], byte[]> change, CancellationToken stop)
    {
        try
        {
            while (await ReadAsync(from, startup: false, stop) is { } message)
                await to.WriteAsync(change(message), stop);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    // A message with its header; null at the end.
    private static async Task<byte[]?> ReadAsync(Stream stream, bool startup, CancellationToken stop)
    {
        var header = startup ? 4 : 5;
        var start = new byte[header];
        if (await stream.ReadAtLeastAsync(start, header, throwOnEndOfStream: false, stop) < header)
            return null;
        var message = new byte[header - 4 + Int(start, header - 4)];
        start.CopyTo(message, 0);
        await stream.ReadExactlyAsync(message.AsMemory(header), stop);
        return message;
    }

    private static int Int(byte[] bytes, int at) => BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(at));

    private static bool Contains(byte[] message, string text) => message.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0;

    private static byte[] Framed(char type, byte[] body)
    {
        var header = type == '\0' ? 4 : 5;
        var message = new byte[header + body.Length];
        if (type != '\0')
            message[0] = (byte)type;
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(header - 4), body.Length + 4);
        body.CopyTo(message, header);
        return message;
    }

    private static byte[] Error(string state, string text) => Framed('E', Encoding.UTF8.GetBytes($"SFATAL\0VFATAL\0C{state}\0M{text}\0\0"));

    private static X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var bare = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(bare.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>A session: which statement is under way, and what is changed of its exchange.</summary>
    private sealed class Flow(Forgery? forgery)
    {
        private volatile bool _matches = forgery?.Statement is "";

        public byte[] FromClient(byte[] message)
        {
            if (forgery is null || (char)message[0] is not ('P' or 'Q'))
                return message;
            // Parse: the statement's name, its text, and the types of its parameters.
            var name = (char)message[0] == 'P' ? Array.IndexOf(message, (byte)0, 5) + 1 : 5;
            var end = Array.IndexOf(message, (byte)0, name);
            var statement = Encoding.UTF8.GetString(message, name, end - name);
            _matches = forgery.Statement.Length > 0 && statement.Contains(forgery.Statement, StringComparison.Ordinal)
                && !(forgery.Except is { } except && statement.Contains(except, StringComparison.Ordinal));
            if (_matches && forgery.Breaks)
                throw new IOException("broken by a test");
            return _matches && forgery.Sql is { } sql ? Framed((char)message[0], [.. message[5..name], .. Encoding.UTF8.GetBytes(sql), .. message[end..]]) : message;
        }

        public byte[] FromEndpoint(byte[] message)
        {
            if (!_matches || forgery is null)
                return message;
            switch ((char)message[0])
            {
                case 'D' when forgery.Value is { } value:
                    var length = Int(message, 7);
                    var bytes = Encoding.UTF8.GetBytes(value);
                    var size = new byte[4];
                    BinaryPrimitives.WriteInt32BigEndian(size, bytes.Length);
                    return Framed('D', [.. message[5..7], .. size, .. bytes, .. message[(11 + Math.Max(0, length))..]]);
                case 'E' when forgery.State is not null || forgery.Message is not null:
                    var fields = Encoding.UTF8.GetString(message, 5, message.Length - 5).Split('\0').Where(field => field.Length > 0).Select(field => field[0] switch
                    {
                        'C' => "C" + (forgery.State ?? field[1..]),
                        'M' => "M" + (forgery.Message ?? field[1..]),
                        _ => field,
                    });
                    return Framed('E', Encoding.UTF8.GetBytes(string.Concat(fields.Select(field => field + "\0")) + "\0"));
                case 'C' when forgery.Tag is { } tag:
                    return Framed('C', Encoding.UTF8.GetBytes(tag + "\0"));
                case 'T' when forgery.Oid is { } oid:
                    var name = Array.IndexOf(message, (byte)0, 7);
                    BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(name + 7), oid);
                    return message;
                case 'Z' when forgery.Status is { } status:
                    message[5] = (byte)status;
                    return message;
                default:
                    return message;
            }
        }
    }
}
