using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.Serialization;

namespace MdFunctions.Tests.Infra;

/// <summary>azd's own rules, walked over this project's files.</summary>
public sealed partial class AzdTests
{
    private const string Token = "a-token";

    private static readonly Dictionary<string, object> Yaml =
        new DeserializerBuilder().Build().Deserialize<Dictionary<string, object>>(File.ReadAllText(Path.Combine(Bicep.Root, "azure.yaml")));

    private static readonly string ParametersFile = File.ReadAllText(Path.Combine(Bicep.Root, "infra", "main.parameters.json"));

    private static readonly string[] PipelineVariables = [.. ((List<object>)((Dictionary<object, object>)Yaml["pipeline"])["variables"]).Cast<string>()];

    private static readonly Dictionary<string, string> Named = new() { ["AZURE_ENV_NAME"] = "dev", ["AZURE_LOCATION"] = "eastus", ["AZURE_PRINCIPAL_ID"] = "1", ["AZURE_PRINCIPAL_TYPE"] = "User" };

    [Fact]
    public async Task Every_parameter_comes_from_one_variable_and_azd_asks_for_none()
    {
        var template = await Bicep.MainAsync();
        var rules = new AzdRules(template, ParametersFile, Named);
        var file = JsonSerializer.Deserialize<JsonElement>(ParametersFile).GetProperty("parameters").EnumerateObject().Select(parameter => parameter.Name);
        Assert.Equal(template.Parameters.Select(parameter => parameter.Name).Order(StringComparer.Ordinal), file.Order(StringComparer.Ordinal));
        Assert.All(template.Parameters.Where(parameter => !parameter.Name.StartsWith("principal", StringComparison.Ordinal)), parameter =>
            Assert.Single(rules.Variables(parameter.Name)));
        Assert.Empty(rules.Asked);
        // The rule that says so: without the region's variable azd asks for it.
        Assert.Equal(["location"], new AzdRules(template, ParametersFile, new Dictionary<string, string> { ["AZURE_ENV_NAME"] = "dev" }).Asked);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_secret_is_given_to_GitHub_whatever_is_set(bool everything)
    {
        var template = await Bicep.MainAsync();
        var environment = new Dictionary<string, string>(Named) { ["MOTHERDUCK_TOKEN"] = Token, ["VAULT_SECRETS"] = $$"""{"github-webhook":"{{Token}}"}""" };
        if (everything)
        {
            foreach (var name in PipelineVariables)
                environment[name] = name is "VNET_ENABLED" or "PURGE_PROTECTION" ? "true" : name is "INSTANCE_MEMORY_MB" or "MAXIMUM_INSTANCE_COUNT" ? "2048" : "text";
        }
        var rules = new AzdRules(template, ParametersFile, environment);
        Assert.Empty(rules.Asked); // So there is nothing typed that azd would remember.
        var (variables, secrets) = rules.Pipeline(PipelineVariables);
        Assert.Empty(secrets);
        Assert.DoesNotContain(variables.Values, value => value.Contains(Token, StringComparison.Ordinal));
        Assert.Equal(everything ? [.. PipelineVariables, "AZURE_ENV_NAME", "AZURE_LOCATION"] : ["AZURE_ENV_NAME", "AZURE_LOCATION"], variables.Keys.ToHashSet());
    }

    [Fact]
    public async Task A_secret_string_with_one_variable_would_be_given()
    {
        var template = new ArmTemplate(JsonSerializer.Deserialize<JsonElement>("""{ "parameters": { "token": { "type": "secureString" } } }"""));
        const string file = """{ "parameters": { "token": { "value": "${MOTHERDUCK_TOKEN}" } } }""";
        var set = new AzdRules(template, file, new Dictionary<string, string> { ["MOTHERDUCK_TOKEN"] = Token });
        Assert.Equal([Token], set.Pipeline([]).Secrets.Values);
        Assert.Single(new AzdRules(template, file, new Dictionary<string, string>(), "token").Pipeline([]).Secrets);
        // So would be what azd remembers from the time when it asked for the token: the hook makes it forget.
        var token = new Dictionary<string, string>(Named) { ["MOTHERDUCK_TOKEN"] = Token };
        Assert.Single(new AzdRules(await Bicep.MainAsync(), ParametersFile, token, "motherduckToken").Pipeline([]).Secrets);
        Assert.Contains("infra.parameters.motherduckToken", File.ReadAllText(Path.Combine(Bicep.Root, "infra", "hooks", "after-provision.cs")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task GitHub_gets_every_variable_but_azd_s_own_and_the_secrets()
    {
        var template = await Bicep.MainAsync();
        var rules = new AzdRules(template, ParametersFile, Named);
        Assert.Equal(
            template.Parameters.Where(parameter => !parameter.IsSecure).SelectMany(parameter => rules.Variables(parameter.Name))
                .Where(name => !name.StartsWith("AZURE_", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
            PipelineVariables.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_service_is_deployed_to_the_one_resource_that_carries_its_name()
    {
        var resources = await Bicep.DevAsync();
        foreach (var (name, service) in (Dictionary<object, object>)Yaml["services"])
        {
            var settings = (Dictionary<object, object>)service;
            Assert.Equal(("csharp", "function"), (settings["language"], settings["host"]));
            Assert.Single(Directory.EnumerateFiles(Path.Combine(Bicep.Root, (string)settings["project"]), "*.csproj"));
            Assert.Equal("Microsoft.Web/sites", Assert.Single(AzdRules.ServiceResources(resources, (string)name)).Type);
            // Only the site says so: other tools ask for the tag alone.
            Assert.Single(resources, resource => resource.Tag("azd-service-name") is not null);
        }
        Assert.All(resources.Where(resource => resource.Json.TryGetProperty("tags", out _)), resource => Assert.Equal("dev", resource.Tag("azd-env-name")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Down_removes_the_group_made_here_and_no_other(bool succeeded)
    {
        var rules = new AzdRules(await Bicep.MainAsync(), ParametersFile, Named);
        Assert.Equal(["[variables('names').group]"], rules.GroupsRemoved(succeeded));
        var resources = await Bicep.DevAsync();
        var group = Assert.Single(resources, resource => resource.Type == "Microsoft.Resources/resourceGroups");
        // What stays is what the data's account shares among all who want its events.
        Assert.Equal(
            ["Microsoft.EventGrid/systemTopics", "Microsoft.EventGrid/systemTopics/eventSubscriptions"],
            resources.Where(resource => !resource.Id.Contains($"/resourceGroups/{group.Name}", StringComparison.Ordinal) && !resource.Id.StartsWith("[resourceId('", StringComparison.Ordinal)
                && !resource.Id.Contains($"'{group.Name}'", StringComparison.Ordinal)).Select(resource => resource.Type).Order(StringComparer.Ordinal));
        // An output that names a group is one that older releases remove.
        Assert.Equal(["AZURE_RESOURCE_GROUP"], (await Bicep.MainAsync()).Outputs.Where(name => name.Contains("GROUP", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_project_is_one_that_azd_takes()
    {
        Assert.Matches("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", (string)Yaml["name"]);
        Assert.Contains($"var project = '{Yaml["name"]}'", File.ReadAllText(Path.Combine(Bicep.Root, "infra", "main.bicep")), StringComparison.Ordinal);
        // 1.24.0 runs C# hooks, 1.24.1 spares others' groups, 1.31.2 tells projects apart.
        var needed = Version.Parse(AtLeast().Match((string)((Dictionary<object, object>)Yaml["requiredVersions"])["azd"]).Groups[1].Value);
        Assert.True(needed >= new Version(1, 31, 2));
        Assert.Matches(@"^[a-z0-9-]+@\d+\.\d+\.\d+$", (string)((Dictionary<object, object>)Yaml["metadata"])["template"]);
        foreach (var hook in ((Dictionary<object, object>)Yaml["hooks"]).Values)
            Assert.True(File.Exists(Path.Combine(Bicep.Root, (string)((Dictionary<object, object>)hook)["run"])));
    }

    [GeneratedRegex(@"^>= (\d+\.\d+\.\d+)$")]
    private static partial Regex AtLeast();
}
