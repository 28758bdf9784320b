using System.Diagnostics;
using MdFunctions.Local;
using MdFunctions.Local.Host;
using MdFunctions.Tests.Smoke;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Benchmarks;

/// <summary>The published app as a process of its own, from its start to its first answer, against an app with one empty function, published in the same way.</summary>
public static class StartBenchmark
{
    private const int Rounds = 15;

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

    /// <summary>Measures, and prints.</summary>
    public static async Task RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("mdfunctions-benchmark-").FullName;
        try
        {
            var repository = LocalHost.RepositoryRoot();
            var app = await PublishAsync(repository, folder, "app", "functions", "engine");
            // The project file too is the app's own, so that both are published alike.
            Directory.CreateDirectory(Path.Combine(folder, "one", "functions"));
            await File.WriteAllTextAsync(Path.Combine(folder, "one", "functions", "Program.cs"), EmptyProgram);
            var project = await File.ReadAllLinesAsync(Path.Combine(repository, "functions", "MdFunctions.csproj"));
            await File.WriteAllLinesAsync(
                Path.Combine(folder, "one", "functions", "MdFunctions.csproj"),
                project.Where(line => !line.Contains("OpenTelemetry", StringComparison.Ordinal) && !line.Contains("Timer", StringComparison.Ordinal) && !line.Contains("ProjectReference", StringComparison.Ordinal)));
            var one = await PublishAsync(repository, folder, "one");

            (string Name, string Folder, List<double> Times)[] apps = [("an app with one empty function", one, []), ("this app", app, [])];
            for (var round = -2; round < Rounds; round++)
            {
                foreach (var (_, published, times) in apps)
                {
                    var time = await StartAsync(published);
                    if (round >= 0) // The first rounds bring the files into memory.
                        times.Add(time);
                }
            }
            Console.WriteLine($"the published app, from the start of its process to its first answer, median of {Rounds}");
            foreach (var (name, _, times) in apps)
                Figures.Print(name, times.Median(), "ms", apps[0].Times.Median(), name == "this app" ? "1.2x at most" : null);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<string> PublishAsync(string repository, string folder, string name, params string[] sources)
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
        return publish.ExitCode == 0 ? published : throw new InvalidOperationException($"dotnet publish of {name} failed.");
    }

    // In milliseconds.
    private static async Task<double> StartAsync(string published)
    {
        var settings = new Dictionary<string, string?>
        {
            ["MOTHERDUCK_TOKEN"] = "local",
            ["MotherDuck:Region"] = "us-east-1",
            ["LOADS_HOURLY_SCHEDULE"] = "0 0 0 1 1 *",
            ["LOADS_DAILY_SCHEDULE"] = "0 0 0 1 1 *",
            ["WEATHER_CSV_URL"] = "https://localhost/weather.csv",
        };
        var clock = Stopwatch.StartNew();
        await using var host = await FunctionsHost.StartAsync(
            new ChildWorker(published, settings),
            new FunctionsHostOptions
            {
                Settings = new ConfigurationBuilder().AddInMemoryCollection(settings).Build(),
                ApplicationDirectory = published,
                Logging = logging => logging.SetMinimumLevel(LogLevel.Error),
            },
            CancellationToken.None);
        using var client = new HttpClient { BaseAddress = host.BaseAddress };
        using var response = await client.GetAsync("api/health");
        response.EnsureSuccessStatusCode();
        return clock.Elapsed.TotalMilliseconds;
    }
}
