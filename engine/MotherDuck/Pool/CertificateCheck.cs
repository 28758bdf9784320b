using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>
/// Checks the certificate of MotherDuck's endpoint: <c>sslmode=verify-full</c>. Npgsql's own check of that name answers every bad certificate with one and
/// the same sentence; this one says what is wrong with it.
/// </summary>
/// <param name="host">The host that was called.</param>
/// <param name="roots">The certificate authorities to trust; null for the system's.</param>
internal sealed class CertificateCheck(string host, X509Certificate2Collection? roots)
{
    /// <summary>Sets a handshake up; the certificate is accepted only if .NET finds nothing wrong with it.</summary>
    public void Configure(SslClientAuthenticationOptions options)
    {
        options.CertificateChainPolicy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck };
        options.CertificateChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1")); // a server's certificate
        if (roots is not null)
        {
            options.CertificateChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            options.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
        }
        options.RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            errors == SslPolicyErrors.None ? true : throw new AuthenticationException(Explain(certificate as X509Certificate2, chain, errors));
    }

    private string Explain(X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
            return $"{host} has no certificate";
        var now = DateTime.Now;
        foreach (var element in chain?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
        {
            if (element.Certificate.NotAfter < now)
                return $"the certificate {element.Certificate.Subject} of {host} expired on {element.Certificate.NotAfter.ToUniversalTime():u}";
            if (element.Certificate.NotBefore > now)
                return $"the certificate {element.Certificate.Subject} of {host} is not valid before {element.Certificate.NotBefore.ToUniversalTime():u}; is this machine's clock right?";
        }
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            return $"the certificate is for {string.Join(", ", Names(certificate))} and not for {host} (MotherDuck:Region or MotherDuck:Host)";
        var found = string.Join(", ", chain?.ChainStatus.Select(status => status.Status) ?? []);
        return $"the certificate of {host} is signed by an authority that is not trusted, {certificate.Issuer} ({found}); MotherDuck:RootCertificate may name a PEM file of it";
    }

    private static IEnumerable<string> Names(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(names => names.EnumerateDnsNames().Concat(names.EnumerateIPAddresses().Select(ip => ip.ToString())))
            .DefaultIfEmpty(certificate.Subject);
}
