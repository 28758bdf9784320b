namespace MdFunctions.Local.Doctor;

/// <summary>How the doctor runs: its part of the command line.</summary>
internal sealed record DoctorOptions
{
    /// <summary>What <c>doctor --help</c> prints.</summary>
    public const string HelpText = """
        Asks an endpoint for everything that the app relies on, and says what differs and what that means.

        Usage: dotnet run --project local -- doctor [OPTIONS]

          --motherduck        ask your MotherDuck account; needs the settings MOTHERDUCK_TOKEN (or KEY_VAULT_URI)
                              and MotherDuck:Region. Without it the local endpoint is asked, in both behaviours.
          --yes               do not ask before the account is used
          --json FILE         write a report too, without token, host and data
          --facts             print the facts as the tables of docs/endpoint-facts.md, and ask nobody
          --help              print this

        Exit code: 0 if all is as the app knows it, 1 if something differs and the app copes, 2 if something of
        the app would fail, or the endpoint could not be asked.
        """;

    /// <summary>Whether to ask the account in the settings.</summary>
    public bool MotherDuck { get; init; }

    /// <summary>Whether to go on without a question.</summary>
    public bool Yes { get; init; }

    /// <summary>Where the report goes; null for none.</summary>
    public string? Json { get; init; }

    /// <summary>Whether to print the facts and stop.</summary>
    public bool Facts { get; init; }

    /// <summary>Whether to print the help and stop.</summary>
    public bool Help { get; init; }

    /// <summary>Reads the words behind <c>doctor</c>.</summary>
    /// <exception cref="LocalException">An option is unknown, or has no value.</exception>
    public static DoctorOptions Parse(IReadOnlyList<string> args)
    {
        var options = new DoctorOptions();
        for (var i = 0; i < args.Count; i++)
        {
            options = args[i] switch
            {
                "--motherduck" => options with { MotherDuck = true },
                "--yes" or "-y" => options with { Yes = true },
                "--json" => options with { Json = ++i < args.Count ? Path.GetFullPath(args[i]) : throw new LocalException("--json needs the name of a file.") },
                "--facts" => options with { Facts = true },
                "--help" or "-h" or "-?" => options with { Help = true },
                _ => throw new LocalException($"Unknown option '{args[i]}'. doctor --help lists the options."),
            };
        }
        return options;
    }
}
