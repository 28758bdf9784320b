using System.Globalization;
using MdFunctions.Endpoint;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Local;

/// <summary>How the local host runs. The properties are the command line's options.</summary>
public sealed record LocalOptions
{
    /// <summary>The port of the HTTP functions on localhost; 0 takes any free one. Default 7071, as Core Tools has it.</summary>
    public int Port { get; init; } = 7071;

    /// <summary>The port of the local MotherDuck endpoint; 0 takes any free one. Default 5433: 5432 is often a PostgreSQL's.</summary>
    public int EndpointPort { get; init; } = 5433;

    /// <summary>The folder that keeps the databases between starts; null keeps them in memory.</summary>
    public string? Data { get; init; }

    /// <summary>True to use the MotherDuck account in the settings instead of starting a local endpoint.</summary>
    public bool MotherDuck { get; init; }

    /// <summary>True to print the help and stop.</summary>
    public bool Help { get; init; }

    /// <summary>How the local endpoint behaves; port, data and token come from the other options.</summary>
    public LocalEndpointOptions Endpoint { get; init; } = new();

    /// <summary>Settings that win over the environment and <c>local.settings.json</c>.</summary>
    public IReadOnlyDictionary<string, string?> Settings { get; init; } = new Dictionary<string, string?>();

    /// <summary>Below this level nothing is logged. Default Information.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>Whether log lines go to the console.</summary>
    public bool Console { get; init; } = true;

    /// <summary>Where log lines go besides the console; tests read them there.</summary>
    public ILoggerProvider? LoggerProvider { get; init; }

    /// <summary>Services to add or replace; tests trust a Key Vault of their own there.</summary>
    public Action<IServiceCollection>? Services { get; init; }

    /// <summary>What <c>--help</c> prints.</summary>
    public const string HelpText = """
        Runs the functions on this machine, against a local stand-in for MotherDuck.

        Usage: dotnet run --project local [-- OPTIONS]
               dotnet run --project local -- doctor [--help]   asks whether an endpoint keeps what the app relies on

          --port N            port of the functions on localhost (default 7071; 0: any free one)
          --endpoint-port N   port of the local MotherDuck endpoint (default 5433; 0: any free one)
          --data DIR          keep the databases in this folder (default: in memory, gone at the end)
          --behaviour B       documented (default): the endpoint does what MotherDuck's pages promise;
                              observed: what was seen on the live one, and the harsher reading elsewhere
          --motherduck        use your MotherDuck account instead of the local endpoint; needs the
                              settings MOTHERDUCK_TOKEN and MotherDuck:Region
          --help              print this

        Settings come from local.settings.json and the environment, as under Core Tools.
        """;

    /// <summary>Reads the command line.</summary>
    /// <exception cref="LocalException">An option is unknown or has a value that it cannot have.</exception>
    public static LocalOptions Parse(IReadOnlyList<string> args)
    {
        var options = new LocalOptions();
        for (var i = 0; i < args.Count; i++)
        {
            var name = args[i];
            options = name switch
            {
                "--port" => options with { Port = Port(Value()) },
                "--endpoint-port" => options with { EndpointPort = Port(Value()) },
                "--data" => options with { Data = Path.GetFullPath(Value()) },
                "--behaviour" => options with { Endpoint = options.Endpoint with { Behaviour = Behaviour(Value()) } },
                "--motherduck" => options with { MotherDuck = true },
                "--help" or "-h" or "-?" => options with { Help = true },
                _ => throw new LocalException($"Unknown option '{name}'. --help lists the options."),
            };

            string Value() => ++i < args.Count ? args[i] : throw new LocalException($"{name} needs a value. --help lists the options.");

            Behaviour Behaviour(string text) => text switch
            {
                "documented" => MdFunctions.Endpoint.Behaviour.Documented,
                "observed" => MdFunctions.Endpoint.Behaviour.Observed,
                _ => throw new LocalException($"--behaviour takes documented or observed, not '{text}'."),
            };

            int Port(string text) =>
                int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= 65535
                    ? port
                    : throw new LocalException($"{name} takes a port from 0 to 65535, not '{text}'.");
        }
        return options;
    }
}
