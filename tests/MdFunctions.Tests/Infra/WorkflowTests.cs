using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.Serialization;

namespace MdFunctions.Tests.Infra;

/// <summary>The workflows, Dependabot's list and the devcontainer: what they name exists.</summary>
public sealed class WorkflowTests
{
    private static readonly IDeserializer Yaml = new DeserializerBuilder().Build();

    [Fact]
    public void Actions_are_pinned_by_commit_with_the_version_beside_and_local_ones_exist()
    {
        var pinned = 0;
        foreach (var (path, text) in Texts.Workflows)
        {
            foreach (var used in Texts.Find(text, @"^\s*-?\s*uses:\s*(.+?)\s*$"))
            {
                if (used.StartsWith("./", StringComparison.Ordinal))
                {
                    Assert.True(File.Exists(Path.Combine(Bicep.Root, used)), $"{path}: {used}");
                    continue;
                }
                Assert.Matches(@"^[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", used);
                pinned++;
            }
        }
        Assert.True(pinned > 3);
        // One version of each everywhere.
        var all = Texts.Workflows.SelectMany(file => Texts.Find(file.Text, @"uses: ([\w-]+/[\w-]+@.+)$")).Distinct().ToList();
        Assert.Equal(all.Select(one => one.Split('@')[0]).Distinct().Count(), all.Count);
    }

    [Fact]
    public void Folders_and_files_that_workflows_name_exist()
    {
        foreach (var (path, text) in Texts.Workflows)
        {
            foreach (var name in Texts.Find(text, @"(?:working-directory|cache-dependency-path|global-json-file): ([\w./-]+)").Concat(Texts.Find(text, @"dotnet (?:build|test|publish|format|run) ([\w./-]+)")))
                Assert.True(File.Exists(Path.Combine(Bicep.Root, name)) || Directory.Exists(Path.Combine(Bicep.Root, name)), $"{path}: there is no {name}");
            Assert.IsType<Dictionary<object, object>>(Yaml.Deserialize<Dictionary<string, object>>(text)["jobs"]);
        }
    }

    [Fact]
    public void Only_the_deployment_may_sign_in_and_no_job_reads_a_secret()
    {
        foreach (var (path, text) in Texts.Workflows)
        {
            Assert.DoesNotContain("secrets.", text, StringComparison.Ordinal);
            var workflow = Yaml.Deserialize<Dictionary<string, object>>(text);
            Assert.Equal("read", ((Dictionary<object, object>)workflow["permissions"])["contents"]);
            foreach (var (name, job) in (Dictionary<object, object>)workflow["jobs"])
            {
                var mayWrite = ((Dictionary<object, object>)job).TryGetValue("permissions", out var permissions)
                    && ((Dictionary<object, object>)permissions).Values.Contains("write");
                Assert.Equal((path, (string)name) == (".github/workflows/azure-dev.yml", "deploy"), mayWrite);
            }
        }
        // azd looks for this name.
        Assert.Contains(Texts.Workflows, file => file.Path == ".github/workflows/azure-dev.yml");
    }

    [Fact]
    public void What_is_asked_of_the_deployed_app_exists_and_takes_no_key_where_none_is_sent()
    {
        var triggers = Texts.Below("functions", "*.cs").SelectMany(file => Regex.Matches(file.Text, "HttpTrigger\\(AuthorizationLevel\\.(\\w+).*?Route = \"([^\"]+)\"\\)"))
            .Select(match => (Level: match.Groups[1].Value, Pattern: $"^{Regex.Replace(match.Groups[2].Value, @"\{\w+\}", "[^/]+")}$"))
            .ToList();
        var asked = 0;
        foreach (var (path, text) in Texts.ForPeople.Concat(Texts.Workflows))
        {
            foreach (Match match in Regex.Matches(text.Replace("\\\n", " ", StringComparison.Ordinal), @"^.*AZURE_FUNCTION_URL\)/api/([\w/-]+).*$", RegexOptions.Multiline))
            {
                var trigger = triggers.Find(trigger => Regex.IsMatch(match.Groups[1].Value, trigger.Pattern));
                Assert.True(trigger.Level is not null, $"{path}: there is no route {match.Groups[1].Value}");
                Assert.True(trigger.Level == "Anonymous" || match.Value.Contains("x-functions-key", StringComparison.Ordinal), $"{path}: /api/{match.Groups[1].Value} wants a key");
                asked++;
            }
        }
        Assert.True(asked > 0);
    }

    [Fact]
    public void The_words_that_the_deployment_waits_for_are_the_app_s_own()
    {
        var waited = Assert.Single(Texts.Find(Texts.Of(".github/workflows/azure-dev.yml"), @"grep ""There is no (\w+) named"));
        Assert.Contains(Texts.Code, file => file.Text.Contains("There is no {kind} named '{name}'", StringComparison.Ordinal));
        Assert.Contains(Texts.Code, file => file.Text.Contains($"Problem.NotFound(\"{waited}\", name)", StringComparison.Ordinal));
    }

    [Fact]
    public void Dependabot_looks_after_all_that_has_versions()
    {
        var updates = ((List<object>)Yaml.Deserialize<Dictionary<string, object>>(Texts.Of(".github/dependabot.yml"))["updates"]).Cast<Dictionary<object, object>>().ToList();
        var packages = Texts.Below("", "package.json").Select(file => $"/{Path.GetDirectoryName(file.Path)!.Replace('\\', '/')}".TrimEnd('/'));
        Assert.Equal(
            ((string[])["devcontainers /", "dotnet-sdk /", "github-actions /", "nuget /"]).Concat(packages.Select(folder => $"npm {folder}")).Order(StringComparer.Ordinal),
            updates.SelectMany(update => update.TryGetValue("directories", out var several) ? ((List<object>)several).Select(one => $"{update["package-ecosystem"]} {one}") : [$"{update["package-ecosystem"]} {update["directory"]}"]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_devcontainer_has_the_SDK_that_global_json_asks_for()
    {
        var container = JsonSerializer.Deserialize<JsonElement>(Texts.Of(".devcontainer/devcontainer.json"), new JsonSerializerOptions { ReadCommentHandling = JsonCommentHandling.Skip });
        var sdk = JsonSerializer.Deserialize<JsonElement>(Texts.Of("global.json")).GetProperty("sdk").GetProperty("version").GetString()!;
        // The second generation of the images; the first one stands at a release candidate.
        Assert.Equal($"mcr.microsoft.com/devcontainers/dotnet:2-{string.Join('.', sdk.Split('.')[..2])}", container.GetProperty("image").GetString());
        Assert.Contains("azurite", container.GetProperty("onCreateCommand").GetString(), StringComparison.Ordinal);
        foreach (var command in (string[])["dotnet restore", "dotnet build", "dotnet publish functions"])
            Assert.Contains(command, container.GetProperty("updateContentCommand").GetString(), StringComparison.Ordinal);
        Assert.Contains("7071", Texts.Of(".devcontainer/devcontainer.json"), StringComparison.Ordinal);
    }
}
