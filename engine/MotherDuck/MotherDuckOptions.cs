using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Npgsql;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>How MotherDuck's Postgres endpoint is reached. A property is the setting <c>MotherDuck:NAME</c> unless it says otherwise.</summary>
internal sealed partial record MotherDuckOptions
{
    /// <summary>The endpoint's host name. Default <c>pg.REGION-aws.motherduck.com</c>, from the setting <c>MotherDuck:Region</c> (<c>us-east-1</c>); wins over it.</summary>
    public required string Host { get; init; }

    /// <summary>The endpoint's port, from 1 to 65535. Default 5432.</summary>
    public int Port { get; init; } = 5432;

    /// <summary>The database that statements start in: <c>md:</c>, the account's default, or a name. Default <c>md:</c>.</summary>
    public string Database { get; init; } = "md:";

    /// <summary><c>VerifyFull</c> (the default), or <c>Require</c>, which encrypts without checking who answers. libpq's spelling (<c>verify-full</c>) works too.</summary>
    public bool VerifyCertificate { get; init; } = true;

    /// <summary>The certificate authorities to trust instead of the system's: <c>MotherDuck:RootCertificate</c>, a PEM file.</summary>
    public X509Certificate2Collection? RootCertificates { get; init; }

    /// <summary>
    /// What MotherDuck calls the session; with a read-scaling token it also picks the replica. Default: the function app's name and the instance's id, so
    /// that each instance keeps to a replica of its own with a warm cache; <c>mdfunctions</c> outside Azure.
    /// </summary>
    public string SessionName { get; init; } = "mdfunctions";

    /// <summary><c>single</c> attaches the database of <see cref="Database"/> only, <c>workspace</c> all that the account has attached. Default: MotherDuck's own.</summary>
    public string? AttachMode { get; init; }

    /// <summary>The most connections of queries, from 1 to 100. Default 4, MotherDuck's own advice: DuckDB runs each query on all cores.</summary>
    public int MaxPoolSize { get; init; } = 4;

    /// <summary>The most connections of loads and ingests, from 2 to 100: a load that runs renews its lease on another one. Default 4.</summary>
    public int MaxWritePoolSize { get; init; } = 4;

    /// <summary>How many requests may wait for a connection of queries, from 0 to 100,000; one more gets 503. The setting <c>Queries:QueueLimit</c>, default 100.</summary>
    public int QueueLimit { get; init; } = 100;

    /// <summary>Whether a connection is opened when the app starts, ahead of the first request. It runs no query, but a login may wake MotherDuck. Default true.</summary>
    public bool WarmUp { get; init; } = true;

    /// <summary>How long an idle connection stays open, from 1s to 1d. Default 5m.</summary>
    public TimeSpan ConnectionIdleLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a connection is used, from 1s to 7d; a rotated token is out of use after that. Default 1h.</summary>
    public TimeSpan ConnectionLifetime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long a connection is silent before TCP probes it, from 1s to 2h. Default 1m; load balancers drop what is silent for four.</summary>
    public TimeSpan TcpKeepAliveTime { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The time between unanswered probes, from 1s to 5m. Default 10s.</summary>
    public TimeSpan TcpKeepAliveInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a connection may take, from 1s to 5m: waiting for a free one, or opening one with TLS and login. Default 15s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How old a token gets before it is read from Key Vault again, from 1s to 1d. Default 30m.</summary>
    public TimeSpan TokenRefreshInterval { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>How long after a failed read Key Vault is asked again, from 1s to 1h; a token that MotherDuck refuses is read again at once. Default 30s.</summary>
    public TimeSpan TokenRetryInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The vault, from the setting <c>KEY_VAULT_URI</c>: <c>https://NAME.vault.azure.net</c>. Null where the token is a setting.</summary>
    public Uri? KeyVaultUri { get; init; }

    /// <summary>The secret that holds the read-write token. Default <c>motherduck-token</c>.</summary>
    public string TokenSecret { get; init; } = "motherduck-token";

    /// <summary>The secret that holds a read-only or read-scaling token for queries. Default: queries use the read-write token.</summary>
    public string? ReadTokenSecret { get; init; }

    /// <summary>The user-assigned identity that reads the vault, from the setting <c>AZURE_CLIENT_ID</c>. Default: the system-assigned one.</summary>
    public string? ClientId { get; init; }

    /// <summary>Whether this is Azure, where a managed identity reads the vault; elsewhere who is signed in to the Azure CLI or Visual Studio does.</summary>
    public bool HasManagedIdentity { get; init; }

    /// <summary>The read-write token itself, from the setting <c>MOTHERDUCK_TOKEN</c>: where there is no vault.</summary>
    internal string? Token { get; init; }

    /// <summary>The read token itself, from the setting <c>MOTHERDUCK_READ_TOKEN</c>: where there is no vault.</summary>
    internal string? ReadToken { get; init; }

    /// <summary>The account's region, from the setting <c>MotherDuck:Region</c>; null where only a host is set.</summary>
    public string? Region { get; init; }

    /// <summary>What a token for this host has as its claim <c>mdRegion</c>; null where neither the host nor the region's setting tells.</summary>
    public string? TokenRegion => HostOfRegion().Match(Host) is { Success: true } match ? $"aws-{match.Groups[1].Value}" : Region is null ? null : $"aws-{Region}";

    /// <summary>Reads the options; faults go to <paramref name="settings"/>.</summary>
    public static MotherDuckOptions Read(Settings settings)
    {
        var vault = ReadVault(settings);
        var verify = ReadSslMode(settings);
        var defaults = new MotherDuckOptions { Host = ReadHost(settings) };
        return defaults with
        {
            Region = settings.Text("MotherDuck:Region"),
            Port = settings.Integer("MotherDuck:Port", defaults.Port, 1, 65535),
            Database = settings.Text("MotherDuck:Database") ?? defaults.Database,
            VerifyCertificate = verify,
            RootCertificates = ReadRoots(settings, verify),
            SessionName = ReadSessionName(settings),
            AttachMode = settings.Choice("MotherDuck:AttachMode", "", "single", "workspace") is { Length: > 0 } mode ? mode : null,
            MaxPoolSize = settings.Integer("MotherDuck:MaxPoolSize", defaults.MaxPoolSize, 1, 100),
            MaxWritePoolSize = settings.Integer("MotherDuck:MaxWritePoolSize", defaults.MaxWritePoolSize, 2, 100),
            QueueLimit = settings.Integer("Queries:QueueLimit", defaults.QueueLimit, 0, 100_000),
            WarmUp = settings.Choice("MotherDuck:WarmUp", "true", "true", "false") == "true",
            ConnectionIdleLifetime = settings.Duration("MotherDuck:ConnectionIdleLifetime", defaults.ConnectionIdleLifetime, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)),
            ConnectionLifetime = settings.Duration("MotherDuck:ConnectionLifetime", defaults.ConnectionLifetime, TimeSpan.FromSeconds(1), TimeSpan.FromDays(7)),
            TcpKeepAliveTime = settings.Duration("MotherDuck:TcpKeepAliveTime", defaults.TcpKeepAliveTime, TimeSpan.FromSeconds(1), TimeSpan.FromHours(2)),
            TcpKeepAliveInterval = settings.Duration("MotherDuck:TcpKeepAliveInterval", defaults.TcpKeepAliveInterval, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5)),
            ConnectTimeout = settings.Duration("MotherDuck:ConnectTimeout", defaults.ConnectTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5)),
            TokenRefreshInterval = settings.Duration("MotherDuck:TokenRefreshInterval", defaults.TokenRefreshInterval, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)),
            TokenRetryInterval = settings.Duration("MotherDuck:TokenRetryInterval", defaults.TokenRetryInterval, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)),
            KeyVaultUri = vault,
            TokenSecret = ReadSecretName(settings, "MotherDuck:TokenSecret") ?? defaults.TokenSecret,
            ReadTokenSecret = ReadSecretName(settings, "MotherDuck:ReadTokenSecret"),
            ClientId = settings.Text("AZURE_CLIENT_ID"),
            HasManagedIdentity = settings.Text("IDENTITY_ENDPOINT") is not null,
            Token = ReadToken(settings, "MOTHERDUCK_TOKEN", required: vault is null),
            ReadToken = ReadToken(settings, "MOTHERDUCK_READ_TOKEN", required: false),
        };

        static string? ReadToken(Settings settings, string name, bool required)
        {
            // The value is never repeated, whatever is wrong with it.
            var token = settings.Text(name)?.Trim() is { Length: > 0 } text ? text : null;
            if (token is null && required)
                settings.Fault(name, "not set; expected a MotherDuck access token, or KEY_VAULT_URI set to the Key Vault that holds it");
            else if (token is not null && token.Any(char.IsWhiteSpace))
                settings.Fault(name, "it holds white space; expected a MotherDuck access token");
            return token;
        }
    }

    /// <summary>The connection string; it never holds the token.</summary>
    public string ToConnectionString() => new NpgsqlConnectionStringBuilder
    {
        Host = Host,
        Port = Port,
        Database = Database,
        Username = "postgres",
        Options = string.Join(' ', SessionOptions()),
        SslMode = SslMode.Require, // Encrypts at all events. CertificateCheck verifies: Npgsql takes no callback of ours beside its own VerifyFull.
        MinPoolSize = 0, // An idle app must not keep MotherDuck's engine awake and billed.
        MaxPoolSize = 1, // Each place of the pool has a data source of its own.
        ConnectionIdleLifetime = Seconds(ConnectionIdleLifetime),
        ConnectionPruningInterval = Math.Min(10, Seconds(ConnectionIdleLifetime)),
        ConnectionLifetime = Seconds(ConnectionLifetime),
        Timeout = Seconds(ConnectTimeout),
        CommandTimeout = 0, // Every piece of work has a limit of its own.
        CancellationTimeout = 1000,
        TcpKeepAlive = true,
        TcpKeepAliveTime = Seconds(TcpKeepAliveTime),
        TcpKeepAliveInterval = Seconds(TcpKeepAliveInterval),
        ReadBufferSize = 32 * 1024,
        // DuckDB is not PostgreSQL: no DISCARD ALL, no GSS.
        NoResetOnClose = true,
        GssEncryptionMode = GssEncryptionMode.Disable,
        Enlist = false,
        IncludeErrorDetail = false,
    }.ConnectionString;

    private IEnumerable<string> SessionOptions()
    {
        if (SessionName.Length > 0)
            yield return $"--session_name={SessionName}";
        if (AttachMode is not null)
            yield return $"--attach_mode={AttachMode}";
    }

    private static int Seconds(TimeSpan time) => Math.Max(1, (int)time.TotalSeconds);

    private static string ReadHost(Settings settings)
    {
        var region = settings.Text("MotherDuck:Region");
        var host = settings.Text("MotherDuck:Host");
        if (host is null && region is null)
            settings.Fault("MotherDuck:Region", "not set; expected your MotherDuck account's region, such as us-east-1");
        if (host is not null && Uri.CheckHostName(host) == UriHostNameType.Unknown)
            settings.Fault("MotherDuck:Host", $"expected a host name such as pg.us-east-1-aws.motherduck.com, not '{host}'");
        if (region is not null && !NameOfRegion().IsMatch(region))
            settings.Fault("MotherDuck:Region", $"expected a region such as us-east-1, not '{region}'");
        return host ?? $"pg.{region}-aws.motherduck.com";
    }

    private static bool ReadSslMode(Settings settings)
    {
        var mode = settings.Text("MotherDuck:SslMode") ?? "VerifyFull";
        switch (mode.Replace("-", "", StringComparison.Ordinal).ToUpperInvariant())
        {
            case "VERIFYFULL":
                return true;
            case "REQUIRE":
                return false;
            default:
                settings.Fault("MotherDuck:SslMode", $"expected VerifyFull or Require, not '{mode}': MotherDuck takes no connection without TLS, and a token must not travel unprotected");
                return true;
        }
    }

    private static X509Certificate2Collection? ReadRoots(Settings settings, bool verify)
    {
        if (settings.Text("MotherDuck:RootCertificate") is not { } file)
            return null;
        if (!verify)
            settings.Fault("MotherDuck:RootCertificate", "it is set, but with MotherDuck:SslMode=Require no certificate is checked; remove one of the two");
        var roots = new X509Certificate2Collection();
        try
        {
            roots.ImportFromPemFile(file);
            if (roots.Count == 0)
                settings.Fault("MotherDuck:RootCertificate", $"expected a PEM file of certificates; '{file}' holds none");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            settings.Fault("MotherDuck:RootCertificate", $"'{file}' cannot be read: {e.Message.TrimEnd('.')}");
        }
        catch (CryptographicException)
        {
            settings.Fault("MotherDuck:RootCertificate", $"expected a PEM file of certificates; '{file}' is none");
        }
        return roots;
    }

    private static string ReadSessionName(Settings settings)
    {
        if (settings.Text("MotherDuck:SessionName") is { } name)
        {
            if (!NameOfSession().IsMatch(name))
                settings.Fault("MotherDuck:SessionName", $"expected at most 100 letters, digits, '-', '_' and '.', not '{name}'");
            return name;
        }
        if (settings.Text("WEBSITE_SITE_NAME") is not { } site)
            return "mdfunctions";
        // Which of these there is depends on the hosting plan.
        var instance = settings.Text("WEBSITE_INSTANCE_ID") ?? settings.Text("WEBSITE_POD_NAME") ?? settings.Text("CONTAINER_NAME") ?? Environment.MachineName;
        return string.Concat($"{site}-{instance[^Math.Min(12, instance.Length)..]}".Where(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'));
    }

    private static Uri? ReadVault(Settings settings)
    {
        if (settings.Text("KEY_VAULT_URI") is not { } text)
            return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttps && uri.PathAndQuery == "/")
            return uri;
        settings.Fault("KEY_VAULT_URI", $"expected the address of a Key Vault, https://NAME.vault.azure.net, not '{text}'");
        return new Uri("https://invalid.invalid");
    }

    private static string? ReadSecretName(Settings settings, string setting)
    {
        var name = settings.Text(setting);
        if (name is not null && !NameOfSecret().IsMatch(name))
            settings.Fault(setting, "expected the name of a Key Vault secret: at most 127 letters, digits and '-'"); // Not repeated: it may be a token, put in the wrong place.
        return name;
    }

    [GeneratedRegex("^pg[.]([a-z0-9-]+)-aws[.]motherduck[.]com$", RegexOptions.IgnoreCase)]
    private static partial Regex HostOfRegion();

    [GeneratedRegex("^(?!aws-)[a-z]{2,}(-[a-z]+)+-[0-9]$")]
    private static partial Regex NameOfRegion();

    [GeneratedRegex("^[A-Za-z0-9._-]{1,100}$")]
    private static partial Regex NameOfSession();

    [GeneratedRegex("^[A-Za-z0-9-]{1,127}$")]
    private static partial Regex NameOfSecret();
}
