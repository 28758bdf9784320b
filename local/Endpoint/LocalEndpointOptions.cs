namespace MdFunctions.Endpoint;

/// <summary>What ReadyForQuery tells of a session's transaction.</summary>
public enum ReadyStatus
{
    /// <summary>As the behaviour has it: the truth where it is documented, always idle where it is observed.</summary>
    ByBehaviour,

    /// <summary>Always idle.</summary>
    Idle,

    /// <summary>The truth: idle, in a transaction, or in one that has failed.</summary>
    Truthful,
}

/// <summary>How a local endpoint is set up. The defaults serve one developer: my_db in memory, the token <c>local</c>, any free port.</summary>
public sealed record LocalEndpointOptions
{
    /// <summary>The address to listen on.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>The port, from 1 to 65,535; 0, the default, takes any that is free.</summary>
    public int Port { get; init; }

    /// <summary>What MotherDuck's pages promise, or what was recorded on the live endpoint.</summary>
    public Behaviour Behaviour { get; init; }

    /// <summary>The folder that keeps databases and certificate authority; null keeps all in memory, and nothing is left at the end.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>A folder for the certificate authority, which several endpoints may share; null is the data folder.</summary>
    public string? CertificateAuthorityDirectory { get; init; }

    /// <summary>The tokens that are taken as passwords. They are never logged.</summary>
    public IReadOnlyList<string> Tokens { get; init; } = ["local"];

    /// <summary>Tokens whose sessions may not write.</summary>
    public IReadOnlyList<string> ReadOnlyTokens { get; init; } = [];

    /// <summary>A file of further tokens, one a line, read anew at each login; null for none.</summary>
    public string? TokenFile { get; init; }

    /// <summary>What ReadyForQuery says.</summary>
    public ReadyStatus ReadyStatus { get; init; }

    /// <summary>The certificate to serve with: the others than valid are for tests of clients.</summary>
    public CertificateKind Certificate { get; init; }

    /// <summary>The largest message to take from a client, in bytes, from 1,024 to 1,073,741,824.</summary>
    public int MaxMessage { get; init; } = 256 * 1024 * 1024;

    /// <summary>The largest remote file to read, in bytes.</summary>
    public long MaxDownload { get; init; } = 1024L * 1024 * 1024;

    /// <summary>The connection string for <c>az://</c> and <c>azure://</c>; null where they are not used.</summary>
    public string? AzureConnectionString { get; init; }

    /// <summary>Takes the lines of the log, which hold no token and no value of a query; any thread may call it. Null for no log.</summary>
    public Action<string>? Log { get; init; }
}
