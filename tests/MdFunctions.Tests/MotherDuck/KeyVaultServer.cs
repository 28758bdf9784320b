using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Azure.Core.Pipeline;
using MdFunctions.Tests.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Tests.MotherDuck;

/// <summary>
/// Key Vault as the real SecretClient sees it on the wire: HTTPS, the 401 challenge, versions, and every way to fail. The client calls it by the vault's real
/// name; only the address behind the name and the certificate authority are the test's.
/// </summary>
public sealed class KeyVaultServer : IAsyncDisposable
{
    public const string Address = "https://test-vault.vault.azure.net/";

    private static readonly (X509Certificate2 Authority, X509Certificate2 Server) Certificates = CreateCertificates();

    private readonly ConcurrentDictionary<string, (string Value, string Version, DateTimeOffset? Expires)> _secrets = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<(int Status, string? RetryAfter)> _failures = new();
    private WebApplication _app;
    private static int _challenges;
    private int _reads;

    private KeyVaultServer() => _app = Build(0);

    /// <summary>How many requests came without an identity and were sent to fetch one: of all servers, as the client keeps what it learnt for the process.</summary>
    public static int Challenges => _challenges;

    /// <summary>How many times a secret was handed out.</summary>
    public int Reads => _reads;

    /// <summary>The status of every answer until it is set to null: 401, 403, 429, 500.</summary>
    public int? Failing { get; set; }

    /// <summary>How long each answer takes.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Whether connections break before an answer.</summary>
    public bool Resets { get; set; }

    /// <summary>The identity that may read: the managed identity's client id; null for the system-assigned one.</summary>
    public string? ClientId { get; init; }

    private int Port => new Uri(_app.Urls.First()).Port;

    public static async Task<KeyVaultServer> StartAsync(string? clientId = null)
    {
        await ManagedIdentityServer.EnsureAsync();
        var server = new KeyVaultServer { ClientId = clientId };
        await server._app.StartAsync();
        return server;
    }

    /// <summary>Sets a secret's new version.</summary>
    public string Set(string name, string value, DateTimeOffset? expires = null)
    {
        TokenWatch.Watch(value);
        var version = Guid.NewGuid().ToString("N");
        _secrets[name] = (value, version, expires);
        return version;
    }

    public void Remove(string name) => _secrets.TryRemove(name, out _);

    /// <summary>The next answer is this.</summary>
    public void FailNext(int status, string? retryAfter = null) => _failures.Enqueue((status, retryAfter));

    /// <summary>Stops listening: connections are refused.</summary>
    public async Task GoDownAsync()
    {
        var port = Port;
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
        _app = Build(port);
    }

    /// <summary>Listens again, where it did before.</summary>
    public Task ComeBackAsync() => _app.StartAsync();

    /// <summary>The settings of an app that reads this vault.</summary>
    public Dictionary<string, string?> Settings() => new()
    {
        ["KEY_VAULT_URI"] = Address,
        ["AZURE_CLIENT_ID"] = ClientId,
        ["MOTHERDUCK_TOKEN"] = "",
    };

    /// <summary>What finds this server behind the vault's name.</summary>
    public Action<IServiceCollection> Services
    {
        get
        {
            var port = Port;
            return services => services.AddSingleton<HttpPipelineTransport>(new HttpClientTransport(new HttpClient(new SocketsHttpHandler
            {
                ConnectCallback = async (_, cancellationToken) =>
                {
                    var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                    try
                    {
                        await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
                        return new NetworkStream(socket, ownsSocket: true);
                    }
                    catch
                    {
                        socket.Dispose();
                        throw;
                    }
                },
                SslOptions = { CertificateChainPolicy = new X509ChainPolicy
                {
                    RevocationMode = X509RevocationMode.NoCheck,
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { Certificates.Authority },
                } },
            })));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
    }

    private WebApplication Build(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().UseUrls($"https://127.0.0.1:{port}");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureHttpsDefaults(https => https.ServerCertificate = Certificates.Server));
        var app = builder.Build();
        app.MapGet("/secrets/{name}/{version?}", AnswerAsync);
        return app;
    }

    private async Task AnswerAsync(HttpContext http, string name)
    {
        if (Resets)
        {
            http.Abort();
            return;
        }
        if (http.Request.Headers.Authorization is not [{ } identity])
        {
            Interlocked.Increment(ref _challenges);
            http.Response.StatusCode = 401;
            http.Response.Headers.WWWAuthenticate = """Bearer authorization="https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555", resource="https://vault.azure.net" """;
            return;
        }
        await Task.Delay(Delay, http.RequestAborted);
        if (_failures.TryDequeue(out var failure))
        {
            if (failure.RetryAfter is not null)
                http.Response.Headers.RetryAfter = failure.RetryAfter;
            await ErrorAsync(http, failure.Status, "Failure");
        }
        else if (Failing is { } status)
            await ErrorAsync(http, status, "Failure");
        else if (identity != $"Bearer {ManagedIdentityServer.TokenOf(ClientId)}")
            await ErrorAsync(http, 403, "ForbiddenByRbac");
        else if (!_secrets.TryGetValue(name, out var secret))
            await ErrorAsync(http, 404, "SecretNotFound");
        else
        {
            Interlocked.Increment(ref _reads);
            var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
            await http.Response.WriteAsJsonAsync(new
            {
                value = secret.Value,
                id = $"{Address}secrets/{name}/{secret.Version}",
                attributes = new { enabled = true, created = now, updated = now, exp = secret.Expires?.ToUnixTimeSeconds(), recoveryLevel = "Recoverable" },
            });
        }
    }

    private static Task ErrorAsync(HttpContext http, int status, string code)
    {
        http.Response.StatusCode = status;
        return http.Response.WriteAsJsonAsync(new { error = new { code, message = $"The test vault says {status}." } });
    }

    private static (X509Certificate2, X509Certificate2) CreateCertificates()
    {
        var now = DateTimeOffset.UtcNow;
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authorityRequest = new CertificateRequest("CN=Test vault authority", authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var authority = authorityRequest.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        using var serverKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var serverRequest = new CertificateRequest("CN=*.vault.azure.net", serverKey, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("*.vault.azure.net");
        serverRequest.CertificateExtensions.Add(names.Build());
        var server = serverRequest.Create(authority, now.AddHours(-1), now.AddHours(23), RandomNumberGenerator.GetBytes(16)).CopyWithPrivateKey(serverKey);
        return (authority, server);
    }
}

/// <summary>The managed identity endpoint of App Service. The address is a variable of the process, so it is one for all tests.</summary>
public static class ManagedIdentityServer
{
    private static readonly string Header = Guid.NewGuid().ToString();
    private static readonly Lazy<Task> Started = new(StartAsync);

    public static Task EnsureAsync() => Started.Value;

    /// <summary>What Azure hands to an identity.</summary>
    public static string TokenOf(string? clientId) => $"identity-{clientId ?? "system"}-{Header}";

    private static async Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapGet("/msi/token", (HttpRequest request) =>
        {
            if (request.Headers["X-IDENTITY-HEADER"] != Header || request.Query["resource"] != "https://vault.azure.net")
                return Results.BadRequest();
            var token = TokenOf(request.Query["client_id"] is [{ } id] ? id : null);
            TokenWatch.Watch(token);
            var expires = DateTimeOffset.UtcNow.AddHours(8).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
            return Results.Json(new Dictionary<string, string>
            {
                ["access_token"] = token,
                ["expires_on"] = expires,
                ["resource"] = "https://vault.azure.net",
                ["token_type"] = "Bearer",
            }, JsonSerializerOptions.Default);
        });
        await app.StartAsync();
        Environment.SetEnvironmentVariable("IDENTITY_ENDPOINT", $"{app.Urls.First()}/msi/token");
        Environment.SetEnvironmentVariable("IDENTITY_HEADER", Header);
    }
}
