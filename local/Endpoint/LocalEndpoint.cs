using MdFunctions.Endpoint.Connections;
using MdFunctions.Endpoint.Databases;
using MdFunctions.Endpoint.Remote;
using MdFunctions.Endpoint.Sessions;
using MdFunctions.Endpoint.Tls;
using MdFunctions.Endpoint.Values;

namespace MdFunctions.Endpoint;

/// <summary>
/// A local stand-in for MotherDuck's Postgres endpoint: embedded DuckDB behind the PostgreSQL wire protocol, over TLS.
/// A process may hold several.
/// </summary>
public sealed class LocalEndpoint : IAsyncDisposable
{
    private readonly DirectoryInfo _workDirectory;
    private readonly SharedServices _services;
    private readonly Listener _listener;
    private int _isDisposed;

    private LocalEndpoint(DirectoryInfo workDirectory, SharedServices services, Listener listener, string caFile)
    {
        (_workDirectory, _services, _listener, CaFile) = (workDirectory, services, listener, caFile);
        Databases = services.Databases.List();
    }

    /// <summary>The address it listens on.</summary>
    public string Host => _services.Options.Host;

    /// <summary>The port it listens on.</summary>
    public int Port => _listener.Port;

    /// <summary>The PEM file of the certificate authority that signed its certificate: what a client has to trust.</summary>
    public string CaFile { get; }

    /// <summary>The databases that were there when it started.</summary>
    public IReadOnlyList<string> Databases { get; }

    /// <summary>Starts an endpoint and waits until it takes connections.</summary>
    /// <param name="options">How it is set up; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    /// <returns>The endpoint; dispose it to stop it.</returns>
    /// <exception cref="EndpointStartException">It cannot start: the port is taken, or the data folder is in use or cannot be written.</exception>
    /// <exception cref="OperationCanceledException">Starting was given up.</exception>
    public static async Task<LocalEndpoint> StartAsync(LocalEndpointOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new LocalEndpointOptions();
        cancellationToken.ThrowIfCancellationRequested();
        var work = Directory.CreateTempSubdirectory("motherduck-local-");
        try
        {
            var endpoint = await Task.Run(() => Start(options, work), CancellationToken.None);
            if (cancellationToken.IsCancellationRequested)
            {
                await endpoint.DisposeAsync();
                cancellationToken.ThrowIfCancellationRequested();
            }
            return endpoint;
        }
        catch (Exception error)
        {
            Delete(work);
            throw EndpointStartException.Of(error, options);
        }
    }

    /// <summary>Stops it within a second: sessions end, what was committed is kept, and without a data folder nothing is left behind.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            return;
        await _listener.DisposeAsync();
        await _services.Remote.DisposeAsync();
        _services.Zones.Dispose();
        _services.Databases.Dispose();
        Delete(_workDirectory);
    }

    private static LocalEndpoint Start(LocalEndpointOptions options, DirectoryInfo work)
    {
        var log = options.Log ?? (_ => { });
        var data = options.DataDirectory is { } folder ? Path.GetFullPath(folder) : null;
        var caDirectory = options.CertificateAuthorityDirectory is { } ca ? Path.GetFullPath(ca) : data ?? Path.Combine(work.FullName, "ca");
        var opening = Task.Run(() => AccountDatabases.Open(data, work.FullName));
        AccountDatabases? databases = null;
        try
        {
            using var authority = CertificateAuthority.Open(caDirectory);
            var certificate = ServerCertificate.Make(options.Certificate, authority);
            databases = opening.GetAwaiter().GetResult();
            var remote = new RemoteFiles(
                new RemoteFilesOptions(databases.CacheDirectory, options.MaxDownload, options.AzureConnectionString, log));
            var zones = new TimeZones(() => databases.Connect(AccountDatabases.Default));
            var services = new SharedServices(options, databases, remote, zones, new AccessTokens(options), log);
            var listener = Listener.Start(services, certificate);
            return new LocalEndpoint(work, services, listener, Path.Combine(caDirectory, CertificateAuthority.PublicFile));
        }
        catch
        {
            try
            {
                databases ??= opening.GetAwaiter().GetResult();
                databases.Dispose();
            }
            catch (EndpointException)
            {
                // That it cannot be opened is what is being told.
            }
            throw;
        }
    }

    private static void Delete(DirectoryInfo work)
    {
        try
        {
            work.Delete(recursive: true);
        }
        catch (IOException)
        {
            // Somebody else has removed it, or looks into it: it is a temporary folder.
        }
    }
}
