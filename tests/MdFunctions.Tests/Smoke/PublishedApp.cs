using MdFunctions.Local;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Smoke;

/// <summary>What <c>dotnet publish functions</c> hands to Azure, made once for all tests that look at it or run it.</summary>
public sealed class PublishedApp : IAsyncLifetime
{
    private readonly string _root = Directory.CreateTempSubdirectory("mdfunctions-tests-").FullName;

    /// <summary>Where it is.</summary>
    public string Folder => Path.Combine(_root, "published");

    public async Task InitializeAsync()
    {
        // A copy, as publishing restores for another system: the builds of this repository go on as they were.
        var repository = LocalHost.RepositoryRoot();
        foreach (var file in Directory.EnumerateFiles(repository).Concat(Sources(repository, "functions")).Concat(Sources(repository, "engine")).Append(Path.Combine(repository, "local", "Packages.props")))
        {
            var copy = Path.Combine(_root, Path.GetRelativePath(repository, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        File.Copy(Path.Combine(repository, "local.settings.sample.json"), Path.Combine(_root, "local.settings.json"), overwrite: true);
        await Command.RunAsync(_root, "dotnet", "publish", "functions", "-o", Folder, "-v", "quiet", "--nologo");
    }

    public Task DisposeAsync()
    {
        Directory.Delete(_root, recursive: true);
        return Task.CompletedTask;
    }

    private static IEnumerable<string> Sources(string repository, string folder) =>
        Directory.EnumerateFiles(Path.Combine(repository, folder), "*", SearchOption.AllDirectories)
            .Where(file => !Path.GetRelativePath(repository, file).Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj"));
}

/// <summary>Tests of the published app.</summary>
[CollectionDefinition("Published")]
public sealed class PublishedAppCollection : ICollectionFixture<PublishedApp>;
