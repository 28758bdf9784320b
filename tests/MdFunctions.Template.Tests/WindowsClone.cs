using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Template.Tests;

/// <summary>
/// A clone of what is committed, made as git on Windows makes it (<c>core.autocrlf=true</c>), the template package packed from it, and that package
/// installed where nobody else looks.
/// </summary>
public sealed class WindowsClone : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mdfunctions-tests-").FullName;
    private Task? _build;

    /// <summary>The clone.</summary>
    public string Root => Path.Combine(_folder, "clone");

    /// <summary>Where tests put what they make.</summary>
    public string Work => Path.Combine(_folder, "work");

    public async Task InitializeAsync()
    {
        Directory.CreateDirectory(Work);
        await Command.RunAsync(_folder, "git", "clone", "--quiet", "-c", "core.autocrlf=true", Repository(), Root);
        // As if it came from GitHub, so that packages know where their sources are.
        await Command.RunAsync(Root, "git", "remote", "set-url", "origin", "https://github.com/example/mdfunctions");
        await Command.RunAsync(Root, "dotnet", "pack", "templates", "-o", Path.Combine(_folder, "packed"));
        await NewAsync(_folder, "install", Directory.EnumerateFiles(Path.Combine(_folder, "packed"), "*.nupkg").Single());
    }

    /// <summary>Builds the clone as <c>dotnet run --project local</c> does; once for all tests.</summary>
    public Task BuildAsync() => _build ??= Command.RunAsync(Root, "dotnet", "build", "local");

    /// <summary>Makes a copy of the template, from the package.</summary>
    /// <param name="folder">Its folder's name.</param>
    /// <param name="options">More options of <c>dotnet new</c>.</param>
    /// <returns>The folder's path.</returns>
    public async Task<string> CopyAsync(string folder, params string[] options)
    {
        await NewAsync(Work, ["mdfunctions", "-o", folder, .. options]);
        return Path.Combine(Work, folder);
    }

    /// <summary>Runs <c>dotnet new</c> with the package's templates.</summary>
    public Task<string> NewAsync(string folder, params IEnumerable<string> arguments) =>
        Command.RunAsync(folder, "dotnet", ["new", .. arguments, .. Hive]);

    /// <summary>What <c>dotnet new</c> is told so that it looks nowhere else.</summary>
    public string[] Hive => ["--debug:custom-hive", Path.Combine(_folder, "hive"), "--debug:disable-sdk-templates"];

    public Task DisposeAsync()
    {
        // Git's objects are read-only, which Windows takes for undeletable.
        foreach (var file in new DirectoryInfo(_folder).EnumerateFiles("*", SearchOption.AllDirectories).Where(file => file.IsReadOnly))
            file.IsReadOnly = false;
        Directory.Delete(_folder, recursive: true);
        return Task.CompletedTask;
    }

    /// <summary>The files of a folder, by their paths below it; not what builds leave.</summary>
    public static string[] Files(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/'))
            .Where(file => !file.Split('/').Any(part => part is "bin" or "obj" or "node_modules" or ".git" or ".data"))
            .Order(StringComparer.Ordinal)];

    private static string Repository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "host.json")) && Directory.Exists(Path.Combine(folder.FullName, "templates")))
                return folder.FullName;
        }
        throw new InvalidOperationException($"no repository upwards from {AppContext.BaseDirectory}");
    }
}

/// <summary>All tests share one clone.</summary>
[CollectionDefinition(nameof(WindowsClone))]
public sealed class WindowsCloneCollection : ICollectionFixture<WindowsClone>;
