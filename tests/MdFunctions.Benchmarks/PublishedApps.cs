using System.Diagnostics;
using MdFunctions.Local;
using MdFunctions.Local.Host;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Benchmarks;

/// <summary>This app, and an app with one empty function, published in the same way.</summary>
internal sealed class PublishedApps : IDisposable
{
    private const string EmptyProgram = """
        using Microsoft.AspNetCore.Http;
        using Microsoft.Azure.Functions.Worker;
        using Microsoft.Azure.Functions.Worker.Builder;
        using Microsoft.Extensions.Hosting;

        var builder = FunctionsApplication.CreateBuilder(args);
        builder.ConfigureFunctionsWebApplication();
        builder.Build().Run();

        public sealed class Empty
        {
            [Function("Empty")]
            public IResult Get([HttpTrigger(AuthorizationLevel.Function, "get", Route = "health")] HttpRequest request) => Results.Ok();
        }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("mdfunctions-benchmark-").FullName;

    private PublishedApps()
    {
    }

    /// <summary>What this app needs to start without an endpoint.</summary>
    public static IReadOnlyDictionary<string, string?> Settings { get; } = new Dictionary<string, string?>
    {
        ["MOTHERDUCK_TOKEN"] = "local",
        ["MotherDuck:Region"] = "us-east-1",
        ["LOADS_HOURLY_SCHEDULE"] = "0 0 0 1 1 *",
        ["LOADS_DAILY_SCHEDULE"] = "0 0 0 1 1 *",
        ["WEATHER_CSV_URL"] = "https://localhost/weather.csv",
    };

    /// <summary>The folder of this app.</summary>
    public string App => Path.Combine(_folder, "app-published");

    /// <summary>The folder of the app with one empty function, <c>GET /api/health</c>.</summary>
    public string Empty => Path.Combine(_folder, "one-published");

    /// <summary>Publishes both.</summary>
    public static async Task<PublishedApps> PublishAsync()
    {
        var apps = new PublishedApps();
        var folder = apps._folder;
        var repository = LocalHost.RepositoryRoot();
        await PublishAsync(repository, folder, "app", "functions", "engine");
        // The project file too is the app's own, so that both are published alike.
        Directory.CreateDirectory(Path.Combine(folder, "one", "functions"));
        await File.WriteAllTextAsync(Path.Combine(folder, "one", "functions", "Program.cs"), EmptyProgram);
        var project = await File.ReadAllLinesAsync(Path.Combine(repository, "functions", "MdFunctions.csproj"));
        await File.WriteAllLinesAsync(
            Path.Combine(folder, "one", "functions", "MdFunctions.csproj"),
            project.Where(line => !line.Contains("OpenTelemetry", StringComparison.Ordinal) && !line.Contains("Timer", StringComparison.Ordinal) && !line.Contains("ProjectReference", StringComparison.Ordinal)));
        await PublishAsync(repository, folder, "one");
        return apps;
    }

    /// <summary>Starts the Functions host in miniature before a published app.</summary>
    public static Task<FunctionsHost> StartAsync(IWorker worker, string folder, IReadOnlyDictionary<string, string?> settings) => FunctionsHost.StartAsync(
        worker,
        new FunctionsHostOptions
        {
            Settings = new ConfigurationBuilder().AddInMemoryCollection(settings).Build(),
            ApplicationDirectory = folder,
            Logging = logging => logging.SetMinimumLevel(LogLevel.Error),
        },
        CancellationToken.None);

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task PublishAsync(string repository, string folder, string name, params string[] sources)
    {
        var root = Path.Combine(folder, name);
        Directory.CreateDirectory(root);
        var files = Directory.EnumerateFiles(repository).Append(Path.Combine(repository, "local", "Packages.props")).Append(Path.Combine(repository, "engine", "Packages.props"))
            .Concat(sources.SelectMany(source => Directory.EnumerateFiles(Path.Combine(repository, source), "*", SearchOption.AllDirectories)))
            .Where(file => !Path.GetRelativePath(repository, file).Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj"));
        foreach (var file in files.Distinct())
        {
            var copy = Path.Combine(root, Path.GetRelativePath(repository, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        var published = Path.Combine(folder, $"{name}-published");
        using var publish = Process.Start(
            new ProcessStartInfo("dotnet", ["publish", "functions", "-o", published, "-v", "quiet", "--nologo", "-p:RunAnalyzers=false", "-p:TreatWarningsAsErrors=false"])
            {
                WorkingDirectory = root,
            })!;
        await publish.WaitForExitAsync();
        if (publish.ExitCode != 0)
            throw new InvalidOperationException($"dotnet publish of {name} failed.");
    }
}
