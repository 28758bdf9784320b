using System.Globalization;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Queries;
using MdFunctions.Engine.Templates;
using MdFunctions.Local;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Benchmarks;

/// <summary>The app in this process, on PostgreSQL in MotherDuck's place where it is installed: it answers faster than the local endpoint, so that more of a figure is ours.</summary>
public static class BenchmarkHost
{
    /// <summary>The most connections of queries.</summary>
    public const int PoolSize = 4;

    /// <summary>Runs something against an app with these queries, on a local endpoint of its own.</summary>
    /// <param name="queries">The SQL files' texts by the queries' names.</param>
    /// <param name="measure">What is run.</param>
    /// <param name="logs">Gets the app's log lines of level Warning and above.</param>
    /// <param name="more">More settings.</param>
    public static async Task WithQueriesAsync(IReadOnlyDictionary<string, string> queries, Func<LocalHost, Task> measure, ILoggerProvider? logs = null, params IReadOnlyList<(string Name, string Value)> more)
    {
        var folder = Directory.CreateTempSubdirectory("mdfunctions-benchmark-").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(folder, "queries"));
            foreach (var (name, text) in queries)
                await File.WriteAllTextAsync(Path.Combine(folder, "queries", $"{name}.sql"), text);
            await using var app = await StartAsync(null, folder, more.ToDictionary(setting => setting.Name, string? (setting) => setting.Value), [], logs);
            await measure(app);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Settings with which the app connects to what listens in another process, with a certificate that nobody signed.</summary>
    public static IReadOnlyList<(string Name, string Value)> OtherProcess(int port) =>
        [("MotherDuck:Region", ""), ("MotherDuck:Host", "localhost"), ("MotherDuck:Port", port.ToString(CultureInfo.InvariantCulture)), ("MotherDuck:SslMode", "Require")];

    /// <summary>Starts the app.</summary>
    /// <param name="postgres">What it connects to; null for a local endpoint of its own, whose token is <c>local</c>.</param>
    /// <param name="folder">Where its SQL files are.</param>
    /// <param name="queries">Its queries and their columns: PostgreSQL has no <c>DESCRIBE</c>, by which the app asks MotherDuck for them once.</param>
    public static Task<LocalHost> StartAsync(
        PostgresServer? postgres, string folder, params IReadOnlyList<(string Name, (string Name, string Type)[] Columns)> queries) => StartAsync(postgres, folder, new Dictionary<string, string?>(), queries);

    /// <summary>The same with settings of the benchmark's own, and somebody who reads the log.</summary>
    public static async Task<LocalHost> StartAsync(
        PostgresServer? postgres, string folder, IReadOnlyDictionary<string, string?> own, IReadOnlyList<(string Name, (string Name, string Type)[] Columns)> queries, ILoggerProvider? logs = null)
    {
        var settings = new Dictionary<string, string?>(own)
        {
            ["SqlDirectory"] = folder,
            ["MOTHERDUCK_TOKEN"] = "local",
            ["KEY_VAULT_URI"] = "",
            ["MotherDuck:MaxPoolSize"] = PoolSize.ToString(CultureInfo.InvariantCulture),
        };
        var options = new LocalOptions { Port = 0, EndpointPort = 0, Console = false, LogLevel = LogLevel.Warning, LoggerProvider = logs };
        if (postgres is not null)
        {
            foreach (var (name, value) in OtherProcess(postgres.Port))
                settings[name] = value;
            settings["MotherDuck:Database"] = "postgres";
            options = options with
            {
                // PostgreSQL knows no session names. (The services are made from the last options registered.)
                Services = services => services.AddSingleton(
                    (MotherDuckOptions)services.Last(service => service.ServiceType == typeof(MotherDuckOptions)).ImplementationInstance! with { SessionName = "" }),
            };
        }
        var host = await LocalHost.StartAsync(options with { Settings = settings, MotherDuck = settings.ContainsKey("MotherDuck:Host") }, Console.WriteLine, CancellationToken.None);
        foreach (var (name, columns) in postgres is null ? [] : queries)
        {
            var query = host.Services.GetRequiredService<TemplateCatalog>().Queries[name];
            host.Services.GetRequiredService<QueryShapes>().Keep(query, QueryShape.Of(query, columns, checksTypes: false));
        }
        return host;
    }
}
