using System.Buffers.Binary;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Connections;

/// <summary>What comes before TLS: requests for encryption, cancel requests, or the first byte of a TLS handshake.</summary>
/// <param name="certificate">The certificate to serve with.</param>
/// <param name="behaviour">The endpoint's behaviour.</param>
/// <param name="cancel">Takes the id and the secret of a cancel request.</param>
internal sealed class Negotiation(SslStreamCertificateContext certificate, Behaviour behaviour, Action<int, int> cancel)
{
    private const int MaxRequests = 4;
    private const int MaxStartup = 10_000;
    private const byte HandshakeRecord = 0x16;
    private static readonly SslApplicationProtocol Protocol = new("postgresql");

    /// <summary>Brings a connection to TLS.</summary>
    /// <returns>The encrypted stream, or null where there is nothing more to do for this client.</returns>
    public SecureStream? Secure(Socket socket)
    {
        Span<byte> head = stackalloc byte[8];
        for (var requests = 0; requests < MaxRequests; requests++)
        {
            if (socket.Receive(head[..1], SocketFlags.Peek) == 0)
                return null;
            if (head[0] == HandshakeRecord)
                return Handshake(socket, isDirect: true);
            if (!Receive(socket, head))
                return null;
            var length = BinaryPrimitives.ReadInt32BigEndian(head);
            var code = BinaryPrimitives.ReadInt32BigEndian(head[4..]);
            if (length is < 8 or > MaxStartup)
                return Refuse(socket, "invalid length of startup packet");
            switch (code)
            {
                case Messages.GssRequest when length == 8:
                    socket.Send("N"u8);
                    continue;
                case Messages.SslRequest:
                    // What came with the request was not encrypted and must not be taken for what is.
                    if (length != 8 || socket.Available > 0)
                        return Refuse(socket, "received unencrypted data after SSL request");
                    socket.Send("S"u8);
                    return Handshake(socket, isDirect: false);
            }
            var body = new byte[length - 8];
            if (!Receive(socket, body))
                return null;
            if (code == Messages.CancelRequest)
                return Cancel(body);
            if (code == Messages.GssRequest)
                return Refuse(socket, "invalid length of startup packet");
            return Refuse(
                socket,
                "this endpoint takes connections over TLS only, as MotherDuck's does (which lets a plaintext connection time out). "
                    + "Set sslmode=verify-full, or require");
        }
        return null;
    }

    /// <summary>Carries out the body of a cancel request, which may come with TLS and without.</summary>
    public SecureStream? Cancel(ReadOnlySpan<byte> body)
    {
        if (body.Length == 8)
            cancel(BinaryPrimitives.ReadInt32BigEndian(body), BinaryPrimitives.ReadInt32BigEndian(body[4..]));
        return null;
    }

    private SecureStream? Handshake(Socket socket, bool isDirect)
    {
        var pieces = new PieceStream(new NetworkStream(socket, ownsSocket: false));
        var stream = new SslStream(pieces);
        try
        {
            stream.AuthenticateAsServer(new SslServerAuthenticationOptions
            {
                ServerCertificateContext = certificate,
                ApplicationProtocols = [Protocol],
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            });
            // Without SSLRequest only ALPN tells that PostgreSQL is meant.
            if (!isDirect || stream.NegotiatedApplicationProtocol == Protocol)
            {
                pieces.IsKeeping = true;
                return new SecureStream(stream, pieces);
            }
        }
        catch (Exception error) when (error is AuthenticationException or IOException or InvalidOperationException)
        {
            // The client does not trust the certificate, or has left: it knows why.
        }
        stream.Dispose();
        return null;
    }

    private SecureStream? Refuse(Socket socket, string message)
    {
        var output = new Output();
        Messages.Error(output, EndpointException.Fatal(message, SqlState.ProtocolViolation), behaviour, true);
        socket.Send(output.Written);
        socket.Shutdown(SocketShutdown.Send);
        Drain(socket);
        return null;
    }

    // A socket that is closed with input unread resets the connection, and the client might not see why it was refused.
    private static void Drain(Socket socket)
    {
        Span<byte> rest = stackalloc byte[1024];
        socket.ReceiveTimeout = 1000;
        for (var i = 0; i < 64 && socket.Receive(rest) > 0; i++)
        {
        }
    }

    private static bool Receive(Socket socket, Span<byte> target)
    {
        while (!target.IsEmpty)
        {
            var count = socket.Receive(target);
            if (count == 0)
                return false;
            target = target[count..];
        }
        return true;
    }
}
