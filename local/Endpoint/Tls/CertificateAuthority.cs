using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MdFunctions.Endpoint.Tls;

/// <summary>The endpoint's own certificate authority: made once, and kept in a folder that several endpoints may share.</summary>
internal static class CertificateAuthority
{
    private const string Name = "O=Local development only, CN=MotherDuck local endpoint CA";
    private const string SecretFile = "ca-with-key.pem";
    private const int Attempts = 5;

    /// <summary>The name of the file that a client has to trust.</summary>
    public const string PublicFile = "ca.pem";

    /// <summary>The authority that is kept in this folder, or a new one where there is none that is still good.</summary>
    /// <exception cref="IOException">The folder cannot be written, or what is in it cannot be read.</exception>
    public static X509Certificate2 Open(string directory)
    {
        Directory.CreateDirectory(directory);
        var file = Path.Combine(directory, SecretFile);
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var exists = File.Exists(file);
            if (exists && Load(file) is { } kept)
            {
                Publish(directory, kept);
                return kept;
            }
            Keep(file, exists);
        }
        throw new IOException($"the certificate authority in {directory} cannot be read");
    }

    /// <summary>A new one, that nobody trusts yet.</summary>
    public static X509Certificate2 Make()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(Name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(X509BasicConstraintsExtension.CreateForCertificateAuthority(0));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var now = DateTimeOffset.UtcNow;
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(3650));
    }

    // Key and certificate are one file, so that no reader ever sees halves of two authorities. A new file is moved to its place without
    // overwriting: of several endpoints that start at once, one wins and the others read what it made.
    private static void Keep(string file, bool replace)
    {
        using var made = Make();
        using var key = made.GetECDsaPrivateKey()!;
        var temporary = Temporary(file);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var writer = new StreamWriter(temporary, options))
            writer.Write($"{key.ExportPkcs8PrivateKeyPem()}\n{made.ExportCertificatePem()}\n");
        try
        {
            if (replace)
                File.Move(temporary, file, overwrite: true);
            else
                MoveNew(temporary, file);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static void MoveNew(string temporary, string file)
    {
        try
        {
            File.Move(temporary, file, overwrite: false);
        }
        catch (IOException) when (File.Exists(file))
        {
        }
    }

    private static X509Certificate2? Load(string file)
    {
        try
        {
            var kept = X509Certificate2.CreateFromPemFile(file, file);
            // It must outlive the certificates that it signs today.
            if (kept.NotAfter.ToUniversalTime() > DateTime.UtcNow.AddDays(ServerCertificate.Days + 10))
                return kept;
            kept.Dispose();
            return null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static void Publish(string directory, X509Certificate2 authority)
    {
        var file = Path.Combine(directory, PublicFile);
        var text = $"{authority.ExportCertificatePem()}\n";
        if (File.Exists(file) && File.ReadAllText(file) == text)
            return;
        var temporary = Temporary(file);
        File.WriteAllText(temporary, text);
        File.Move(temporary, file, overwrite: true);
    }

    private static string Temporary(string file) => $"{file}.{Environment.ProcessId}.{RandomNumberGenerator.GetHexString(8, true)}";
}
