using System.IO.Compression;
using System.Text.Json;
using MdFunctions.Local;
using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.Smoke;

namespace MdFunctions.Tests.Publish;

/// <summary>What <c>dotnet publish functions</c> hands to Azure.</summary>
[Collection("Published")]
public sealed class PublishTests(PublishedApp published)
{
    private const int MaxZipBytes = 15_000_000;
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
    public void The_folder_has_the_hosts_files_and_the_SQL_files_and_no_secret()
    {
        var files = Below(published.Folder, "*");
        Assert.All((string[])["host.json", "worker.config.json", "functions.metadata", "extensions.json", "MdFunctions.Engine.dll"], file => Assert.Contains(file, files));
        Assert.Equal(File.ReadAllText(Path.Combine(LocalHost.RepositoryRoot(), "host.json")), File.ReadAllText(Path.Combine(published.Folder, "host.json")));
        Assert.Equal(Below(Functions, "*.sql"), Below(published.Folder, "*.sql"));
        // The copy that was published has one.
        Assert.DoesNotContain("local.settings.json", files);
        Assert.DoesNotContain(files, file => file.EndsWith(".xml", StringComparison.Ordinal));
    }

    [Fact]
    public void The_package_stays_small()
    {
        var zip = Path.GetTempFileName();
        File.Delete(zip);
        ZipFile.CreateFromDirectory(published.Folder, zip);
        Assert.InRange(new FileInfo(zip).Length, 1, MaxZipBytes);
        File.Delete(zip);
    }

    private static string[] Below(string folder, string pattern) =>
        [.. Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/'))
            .Where(file => !file.StartsWith("bin/", StringComparison.Ordinal) && !file.StartsWith("obj/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)];
}
