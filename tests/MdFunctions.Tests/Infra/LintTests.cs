using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Infra;

/// <summary>The Bicep compiler at its strictest finds nothing in <c>infra</c>.</summary>
public sealed partial class LintTests : IDisposable
{
    private static readonly string Folder = Path.Combine(Bicep.Root, "infra");

    private readonly string _scratch = Directory.CreateTempSubdirectory("mdfunctions-bicep-").FullName;

    [Fact]
    public async Task Nothing_is_found_with_every_rule_on()
    {
        Assert.All(Rules().AsObject(), rule => Assert.Equal("warning", (string)rule.Value!["level"]!));
        Assert.Empty(await Bicep.LintAsync(Path.Combine(Folder, "main.bicep"), Configuration()));
    }

    [Fact]
    public async Task What_is_wrong_is_found()
    {
        var file = Path.Combine(_scratch, "wrong.bicep");
        await File.WriteAllTextAsync(file, """
            param unused string
            resource account 'Microsoft.Storage/storageAccounts@2021-04-01' = {
              name: 'wrong'
              location: 'eastus'
              kind: 'StorageV2'
              sku: { name: 'Standard_LRS' }
            }
            output key string = account.listKeys().keys[0].value
            """);
        var found = (await Bicep.LintAsync(file, Configuration())).Select(line => line.Split(':')[0]).Distinct().ToList();
        foreach (var rule in (string[])["no-unused-params", "use-recent-api-versions", "no-hardcoded-location", "outputs-should-not-contain-secrets", "use-description-params"])
            Assert.Contains(rule, found);
    }

    [Fact]
    public void A_rule_is_silenced_in_a_line_only_and_with_a_reason()
    {
        var silenced = Directory.EnumerateFiles(Folder, "*.bicep")
            .SelectMany(path => File.ReadAllLines(path).Select((line, i) => (File: Path.GetFileName(path), Line: line.Trim(), Before: i == 0 ? "" : File.ReadAllLines(path)[i - 1].Trim())))
            .Where(one => one.Line.StartsWith("#disable", StringComparison.Ordinal))
            .ToList();
        Assert.All(silenced, one =>
        {
            Assert.StartsWith("#disable-next-line ", one.Line, StringComparison.Ordinal);
            Assert.True(one.Line.Contains("//", StringComparison.Ordinal) || one.Before.StartsWith("//", StringComparison.Ordinal), $"{one.File}: {one.Line}");
        });
        Assert.Equal(
            ["events.bicep what-if-short-circuiting", "vault.bicep use-recent-api-versions"],
            silenced.Select(one => $"{one.File} {one.Line.Split(' ')[1]}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Files_are_formatted()
    {
        var names = Directory.EnumerateFiles(Folder, "*.bicep").Select(Path.GetFileName).ToList();
        foreach (var name in names.Append("bicepconfig.json"))
            File.Copy(Path.Combine(Folder, name!), Path.Combine(_scratch, name!));
        await Command.RunAsync(_scratch, Bicep.Compiler, "format", "--pattern", "*.bicep");
        Assert.All(names, name => Assert.Equal(File.ReadAllText(Path.Combine(Folder, name!)), File.ReadAllText(Path.Combine(_scratch, name!))));
    }

    [Fact]
    public void No_file_is_left_out()
    {
        var reached = new HashSet<string>(StringComparer.Ordinal);
        void Follow(string name)
        {
            if (!reached.Add(name) || !name.EndsWith(".bicep", StringComparison.Ordinal))
                return;
            foreach (Match match in Used().Matches(File.ReadAllText(Path.Combine(Folder, name))))
                Follow(match.Groups["file"].Value);
        }
        Follow("main.bicep");
        var files = Directory.EnumerateFiles(Folder, "*.*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Folder, path).Replace('\\', '/'))
            .Where(path => path.EndsWith(".bicep", StringComparison.Ordinal) || path.EndsWith(".kql", StringComparison.Ordinal));
        Assert.Equal(files.Order(StringComparer.Ordinal), reached.Order(StringComparer.Ordinal));
    }

    public void Dispose() => Directory.Delete(_scratch, recursive: true);

    private static JsonNode Rules() => JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, "bicepconfig.json")))!["analyzers"]!["core"]!["rules"]!;

    // A version is too old as of the day that the compiler was built: a test does not turn red because a day has passed, but because a newer
    // compiler was taken, which knows newer versions.
    private string Configuration()
    {
        var configuration = JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, "bicepconfig.json")))!;
        configuration["analyzers"]!["core"]!["rules"]!["use-recent-api-versions"]!["test-today"] = File.GetLastWriteTimeUtc(Bicep.Compiler).ToString("yyyy-MM-dd");
        var path = Path.Combine(_scratch, "bicepconfig.json");
        File.WriteAllText(path, configuration.ToJsonString());
        return path;
    }

    [GeneratedRegex(@"^module \w+ '(?<file>[^']+)'|loadTextContent\('(?<file>[^']+)'\)", RegexOptions.Multiline)]
    private static partial Regex Used();
}
