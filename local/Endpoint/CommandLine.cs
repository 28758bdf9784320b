using System.Globalization;

namespace MdFunctions.Endpoint;

/// <summary>The command line of the program.</summary>
internal sealed record CommandLine(LocalEndpointOptions Options, bool ExitsWithStdin, bool IsQuiet, bool WantsHelp)
{
    public const string Help = """
        Usage: MdFunctions.Endpoint [options]

        A local stand-in for MotherDuck's Postgres endpoint: embedded DuckDB behind the PostgreSQL wire protocol, over TLS.
        When it listens it prints one line of JSON on standard output; its log goes to standard error.

          --behaviour documented|observed
                                       what MotherDuck's pages promise (default), or what was recorded on the live endpoint,
                                       and the harsher reading wherever nothing was
          --host ADDRESS               where to listen (default 127.0.0.1)
          --port N                     the port, 0 for any that is free (default 5432)
          --data DIR                   keep databases and certificate authority in this folder (default: in memory)
          --ca-dir DIR                 keep the certificate authority in this folder (default: that of --data)
          --token T                    a token to take as password; may be repeated (default: local)
          --read-only-token T          a token whose sessions may not write; may be repeated
          --token-file FILE            a file of tokens, one a line, read anew at each login
          --ready-status idle|truthful what ReadyForQuery says: always idle (default where observed), or the session's true
                                       transaction status (default where documented)
          --certificate KIND           valid | expired | wrong-host | unknown-ca (default valid); the others are for tests of clients
          --max-message BYTES          the largest message to take from a client (default 268435456)
          --max-download BYTES         the largest remote file to read (default 1073741824)
          --azure-connection-string S  for az:// and azure:// reads
          --exit-with-stdin            stop when standard input closes
          --quiet                      no log
          --help                       this text

        Environment: MOTHERDUCK_LOCAL_TOKEN and MOTHERDUCK_LOCAL_READ_ONLY_TOKEN are tokens too, AZURE_STORAGE_CONNECTION_STRING
        is the connection string. They suit secrets better than a command line, which others on the machine can read.

        Exit codes: 0 after SIGINT or SIGTERM, 1 for a fault, 2 for a wrong option, 3 where the port is taken.

        """;

    /// <summary>Reads it.</summary>
    /// <exception cref="OptionException">An option is unknown, or has a value that it cannot have.</exception>
    public static CommandLine Parse(IReadOnlyList<string> arguments, Func<string, string?> environment)
    {
        var line = new CommandLine(new LocalEndpointOptions { Port = 5432, Tokens = [] }, false, false, false);
        for (var i = 0; i < arguments.Count; i++)
        {
            var equals = arguments[i].IndexOf('=');
            var (name, value) = equals > 1 ? (arguments[i][..equals], arguments[i][(equals + 1)..]) : (arguments[i], null);
            if (value is null && line.WithFlag(name) is { } flagged)
            {
                line = flagged;
                continue;
            }
            if (!Values.TryGetValue(name, out var apply))
                throw new OptionException($"unknown option \"{name}\"; --help lists the options");
            value ??= ++i < arguments.Count ? arguments[i] : throw new OptionException($"{name} needs a value");
            line = line with { Options = apply(line.Options, name, value) };
        }
        return line with { Options = FromEnvironment(line.Options, environment) };
    }

    private static readonly Dictionary<string, Func<LocalEndpointOptions, string, string, LocalEndpointOptions>> Values = new()
    {
        ["--behaviour"] = (o, n, v) => o with { Behaviour = OneOf(n, v, ("documented", Behaviour.Documented), ("observed", Behaviour.Observed)) },
        ["--host"] = (o, n, v) => o with { Host = NonEmpty(n, v) },
        ["--port"] = (o, n, v) => o with { Port = (int)Whole(n, v, 0, 65535) },
        ["--data"] = (o, n, v) => o with { DataDirectory = NonEmpty(n, v) },
        ["--ca-dir"] = (o, n, v) => o with { CertificateAuthorityDirectory = NonEmpty(n, v) },
        ["--token"] = (o, n, v) => o with { Tokens = [.. o.Tokens, NonEmpty(n, v)] },
        ["--read-only-token"] = (o, n, v) => o with { ReadOnlyTokens = [.. o.ReadOnlyTokens, NonEmpty(n, v)] },
        ["--token-file"] = (o, n, v) => o with { TokenFile = NonEmpty(n, v) },
        ["--ready-status"] = (o, n, v) => o with { ReadyStatus = OneOf(n, v, ("idle", ReadyStatus.Idle), ("truthful", ReadyStatus.Truthful)) },
        ["--certificate"] = (o, n, v) => o with
        {
            Certificate = OneOf(
                n,
                v,
                ("valid", CertificateKind.Valid),
                ("expired", CertificateKind.Expired),
                ("wrong-host", CertificateKind.WrongHost),
                ("unknown-ca", CertificateKind.UnknownCa)),
        },
        ["--max-message"] = (o, n, v) => o with { MaxMessage = (int)Whole(n, v, 1024, 1024 * 1024 * 1024) },
        ["--max-download"] = (o, n, v) => o with { MaxDownload = Whole(n, v, 1, long.MaxValue) },
        ["--azure-connection-string"] = (o, n, v) => o with { AzureConnectionString = v },
    };

    private CommandLine? WithFlag(string name) => name switch
    {
        "--exit-with-stdin" => this with { ExitsWithStdin = true },
        "--quiet" => this with { IsQuiet = true },
        "--help" or "-h" => this with { WantsHelp = true },
        _ => null,
    };

    private static LocalEndpointOptions FromEnvironment(LocalEndpointOptions options, Func<string, string?> environment)
    {
        if (environment("MOTHERDUCK_LOCAL_TOKEN") is { Length: > 0 } token)
            options = options with { Tokens = [.. options.Tokens, token] };
        if (environment("MOTHERDUCK_LOCAL_READ_ONLY_TOKEN") is { Length: > 0 } readOnly)
            options = options with { ReadOnlyTokens = [.. options.ReadOnlyTokens, readOnly] };
        if (options.Tokens.Count == 0 && options.TokenFile is null)
            options = options with { Tokens = ["local"] };
        var azure = options.AzureConnectionString ?? environment("AZURE_STORAGE_CONNECTION_STRING");
        return options with { AzureConnectionString = string.IsNullOrEmpty(azure) ? null : azure };
    }

    private static string NonEmpty(string name, string value) => value != "" ? value : throw new OptionException($"{name} must not be empty");

    private static long Whole(string name, string text, long min, long max)
        => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max
            ? value
            : throw new OptionException($"{name} must be a whole number from {min} to {max}, not \"{text}\"");

    private static T OneOf<T>(string name, string text, params (string Name, T Value)[] values)
    {
        foreach (var (known, value) in values)
        {
            if (known == text)
                return value;
        }
        throw new OptionException($"{name} must be one of {string.Join(", ", values.Select(value => value.Name))}, not \"{text}\"");
    }
}

/// <summary>A wrong option of the command line.</summary>
internal sealed class OptionException(string message) : Exception(message);
