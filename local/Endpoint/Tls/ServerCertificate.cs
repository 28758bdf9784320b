using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MdFunctions.Endpoint.Tls;

/// <summary>The certificate that an endpoint serves with: made anew at each start, or one that a careful client must refuse.</summary>
internal static class ServerCertificate
{
    /// <summary>How long it is valid.</summary>
    public const int Days = 90;

    /// <summary>A certificate of this kind, with what a handshake needs.</summary>
    /// <param name="kind">Valid, or faulty in one way.</param>
    /// <param name="authority">The authority that signs it, if it is to be trusted.</param>
    public static SslStreamCertificateContext Make(CertificateKind kind, X509Certificate2 authority)
    {
        using var stranger = kind == CertificateKind.UnknownCa ? CertificateAuthority.Make() : null;
        var signer = stranger ?? authority;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Request(kind == CertificateKind.WrongHost, key, signer);
        var now = DateTimeOffset.UtcNow;
        var isExpired = kind == CertificateKind.Expired;
        var (from, until) = isExpired ? (now.AddDays(-30), now.AddDays(-1)) : (now.AddDays(-1), now.AddDays(Days));
        // An authority that is as young as a minute may not sign what began before it.
        var begin = from < signer.NotBefore && !isExpired ? new DateTimeOffset(signer.NotBefore) : from;
        var generator = X509SignatureGenerator.CreateForECDsa(signer.GetECDsaPrivateKey()!);
        using var bare = request.Create(signer.SubjectName, generator, begin, until, Serial());
        using var withKey = bare.CopyWithPrivateKey(key);
        // Windows takes no key that lives in memory only.
        var certificate = X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
        return SslStreamCertificateContext.Create(certificate, null, offline: true);
    }

    private static CertificateRequest Request(bool forWrongHost, ECDsa key, X509Certificate2 signer)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(forWrongHost ? "wrong-host.invalid" : "localhost");
        if (!forWrongHost)
        {
            names.AddIpAddress(IPAddress.Loopback);
            names.AddIpAddress(IPAddress.IPv6Loopback);
        }
        var request = new CertificateRequest(forWrongHost ? "CN=wrong-host.invalid" : "CN=localhost", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(X509BasicConstraintsExtension.CreateForEndEntity(true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1", "serverAuth")], false));
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(signer, true, false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request;
    }

    private static byte[] Serial() => [1, .. RandomNumberGenerator.GetBytes(15)];
}
