using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MdFunctions.Endpoint.Connections;

namespace MdFunctions.Endpoint.Tests.Connections;

/// <summary>Who reads what a client sends: its session, or while a statement runs for long another, and never both.</summary>
public sealed class ClientStreamTests
{
    private static readonly byte[] Sync = [(byte)'S', 0, 0, 0, 4];

    [Fact]
    public async Task A_look_for_the_client_that_comes_late_takes_nothing_from_the_session()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var near = new TcpClient();
        await near.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        using var far = await listener.AcceptSocketAsync();
        using var key = RSA.Create(2048);
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var pieces = new PieceStream(new NetworkStream(far, ownsSocket: false));
        var server = new SslStream(pieces);
        await using var client = new SslStream(near.GetStream(), false, (_, _, _, _) => true);
        await Task.WhenAll(server.AuthenticateAsServerAsync(certificate), client.AuthenticateAsClientAsync("localhost"));
        pieces.IsKeeping = true;
        using var stream = new ClientStream(far, new SecureStream(server, pieces), maxMessage: 1000);

        for (var i = 0; i < 3; i++)
        {
            // The session waits for the next message already; who looks after long statements had seen one a moment ago.
            var next = Task.Run(() => stream.Next(false, out var type, out _) ? type : '\0');
            await Task.Delay(100);
            stream.ReadAhead(() => false, () => { });
            await client.WriteAsync(Sync);
            Assert.Equal('S', await next.WaitAsync(TimeSpan.FromSeconds(20)));
        }
    }
}
