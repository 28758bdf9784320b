using System.Text.Json;
using MdFunctions.Local;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Publish;

/// <summary>What <c>dotnet publish functions</c> hands to Azure, as far as it can be told without Microsoft's worker packages: all but the assemblies.</summary>
public sealed class PublishTests
{
    private static readonly string Functions = Path.Combine(LocalHost.RepositoryRoot(), "functions");

    [Fact]
    public async Task Publishing_compiles_ahead_for_the_target_and_building_does_not()
    {
        Assert.Equal(("linux-x64", "false", "true"), await PropertiesAsync("-p:_IsPublishing=true"));
        Assert.Equal(("", "false", ""), await PropertiesAsync());

        static async Task<(string, string, string)> PropertiesAsync(params string[] options)
        {
            var json = await Command.RunAsync(Functions, "dotnet", ["msbuild", .. options, "-getProperty:RuntimeIdentifier", "-getProperty:SelfContained", "-getProperty:PublishReadyToRun"]);
            var properties = JsonSerializer.Deserialize<JsonElement>(json).GetProperty("Properties");
            string Property(string name) => properties.GetProperty(name).GetString()!.ToLowerInvariant();
            return (Property("RuntimeIdentifier"), Property("SelfContained"), Property("PublishReadyToRun"));
        }
    }

    [Fact]
    public async Task Everything_that_is_compiled_is_below_functions()
    {
        var json = await Command.RunAsync(Functions, "dotnet", "msbuild", "-getItem:Compile", "-getItem:ProjectReference");
        var items = JsonSerializer.Deserialize<JsonElement>(json).GetProperty("Items");
        Assert.Equal(0, items.GetProperty("ProjectReference").GetArrayLength());
        Assert.Equal(
            Below(Functions, "*.cs"),
            items.GetProperty("Compile").EnumerateArray().Select(item => item.GetProperty("Identity").GetString()!.Replace('\\', '/')).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_folder_has_the_hosts_settings_and_the_SQL_files_and_no_secret()
    {
        var root = Directory.CreateTempSubdirectory("mdfunctions-tests-").FullName;
        try
        {
            // The project itself, below a build that leaves out its code and the packages that only that needs.
            var project = Path.GetFileName(Directory.EnumerateFiles(Functions, "*.csproj").Single());
            var sql = Below(Functions, "*.sql");
            foreach (var file in sql.Append(project))
                Copy(Path.Combine(Functions, file), Path.Combine(root, "functions", file));
            foreach (var file in (string[])["host.json", "Directory.Build.props", "Directory.Packages.props"])
                Copy(Path.Combine(LocalHost.RepositoryRoot(), file), Path.Combine(root, file));
            Copy(Path.Combine(LocalHost.RepositoryRoot(), "local.settings.sample.json"), Path.Combine(root, "local.settings.json"));
            await File.WriteAllTextAsync(Path.Combine(root, "functions", "Program.cs"), "return;");
            await File.WriteAllTextAsync(Path.Combine(root, "Directory.Build.targets"), "<Project><ItemGroup><PackageReference Remove=\"@(PackageReference)\" /></ItemGroup></Project>");

            var published = Path.Combine(root, "published");
            await Command.RunAsync(Path.Combine(root, "functions"), "dotnet", "publish", "-o", published, "-v", "quiet", "-p:PublishReadyToRun=false", "-p:UseAppHost=false");

            Assert.True(File.Exists(Path.Combine(root, "functions", "bin", "Release", "net10.0", "linux-x64", "local.settings.json"))); // It is there to run, and stays here.
            var name = Path.GetFileNameWithoutExtension(project);
            Assert.Equal(
                sql.Concat(["host.json", $"{name}.dll", $"{name}.pdb", $"{name}.deps.json", $"{name}.runtimeconfig.json"]).Order(StringComparer.Ordinal),
                Below(published, "*"));
            Assert.Equal(File.ReadAllText(Path.Combine(root, "host.json")), File.ReadAllText(Path.Combine(published, "host.json")));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static string[] Below(string folder, string pattern) =>
        [.. Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/'))
            .Where(file => !file.StartsWith("bin/", StringComparison.Ordinal) && !file.StartsWith("obj/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)];

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        File.Copy(from, to);
    }
}
