using Npgsql;

namespace MdFunctions.MotherDuck;

/// <summary>How MotherDuck's Postgres endpoint is reached. Every property is the setting <c>MotherDuck:NAME</c>.</summary>
public sealed record MotherDuckOptions
{
    /// <summary>The region of the MotherDuck account, such as <c>us-east-1</c>; it gives the host <c>pg.REGION-aws.motherduck.com</c>.</summary>
    public string? Region { get; init; }

    /// <summary>The endpoint's host name, instead of a region.</summary>
    public required string Host { get; init; }

    /// <summary>The endpoint's port. Default 5432.</summary>
    public int Port { get; init; } = 5432;

    /// <summary>The database that statements start in: <c>md:</c>, the account's default, or a name. Default <c>md:</c>.</summary>
    public string Database { get; init; } = "md:";

    /// <summary><see cref="SslMode.VerifyFull"/> (the default), or <see cref="SslMode.Require"/>, which encrypts without checking who answers.</summary>
    public SslMode SslMode { get; init; } = SslMode.VerifyFull;

    /// <summary>A PEM file of the certificate authorities to trust instead of the system's.</summary>
    public string? RootCertificate { get; init; }

    /// <summary>The most connections open at once, from 1 to 100. Default 4, MotherDuck's own advice: DuckDB runs each query on all cores.</summary>
    public int MaxPoolSize { get; init; } = 4;

    /// <summary>How long an idle connection stays open. Default 5 minutes.</summary>
    public TimeSpan ConnectionIdleLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long opening a connection may take, TLS and login included. Default 15 seconds.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The access token itself, from the setting <c>MOTHERDUCK_TOKEN</c>: for machines without a Key Vault.</summary>
    internal string? Token { get; init; }

    /// <summary>Reads the options; faults go to <paramref name="settings"/>.</summary>
    public static MotherDuckOptions Read(Settings settings)
    {
        var region = settings.Text("MotherDuck:Region");
        var host = settings.Text("MotherDuck:Host");
        if (host is null && region is null)
            settings.Fault("MotherDuck:Region", "not set; expected your MotherDuck account's region, such as us-east-1");
        if (settings.Text("MOTHERDUCK_TOKEN") is not { } token)
        {
            settings.Fault("MOTHERDUCK_TOKEN", "not set; expected a MotherDuck access token");
            token = null;
        }
        var rootCertificate = settings.Text("MotherDuck:RootCertificate");
        if (rootCertificate is not null && !File.Exists(rootCertificate))
            settings.Fault("MotherDuck:RootCertificate", $"there is no file '{rootCertificate}'");

        var options = new MotherDuckOptions
        {
            Region = region,
            Host = host ?? $"pg.{region}-aws.motherduck.com",
            Port = settings.Integer("MotherDuck:Port", 5432, 1, 65535),
            Database = settings.Text("MotherDuck:Database") ?? "md:",
            SslMode = settings.Choice("MotherDuck:SslMode", "VerifyFull", "VerifyFull", "Require") == "Require" ? SslMode.Require : SslMode.VerifyFull,
            RootCertificate = rootCertificate,
            MaxPoolSize = settings.Integer("MotherDuck:MaxPoolSize", 4, 1, 100),
            ConnectionIdleLifetime = settings.Duration("MotherDuck:ConnectionIdleLifetime", TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)),
            ConnectTimeout = settings.Duration("MotherDuck:ConnectTimeout", TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5)),
            Token = token,
        };
        return options;
    }

    /// <summary>The connection string these options make; it never holds the token.</summary>
    public string ToConnectionString() => new NpgsqlConnectionStringBuilder
    {
        Host = Host,
        Port = Port,
        Database = Database,
        Username = "postgres",
        SslMode = SslMode,
        RootCertificate = SslMode == SslMode.VerifyFull ? RootCertificate : null,
        MinPoolSize = 0, // An idle app must not keep MotherDuck's engine awake and billed.
        MaxPoolSize = MaxPoolSize,
        ConnectionIdleLifetime = (int)ConnectionIdleLifetime.TotalSeconds,
        Timeout = (int)ConnectTimeout.TotalSeconds,
        CommandTimeout = 0, // Each statement has its own limit, by cancellation.
        // DuckDB is not PostgreSQL: no DISCARD ALL, no GSS.
        NoResetOnClose = true,
        GssEncryptionMode = GssEncryptionMode.Disable,
        Enlist = false,
        IncludeErrorDetail = false,
        TcpKeepAlive = true,
        ReadBufferSize = 32 * 1024,
    }.ConnectionString;
}
