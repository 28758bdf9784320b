using System.Text.Json;
using System.Text.RegularExpressions;
using MdFunctions.Engine.Loads;

namespace MdFunctions.Tests.Infra;

/// <summary>What one side names, the other has: the compiled template, the app's code, the workflows, the texts.</summary>
public sealed class NameTests
{
    // What the Functions host or the platform reads, and the libraries that read from the environment.
    private static readonly string[] OfTheHost =
    [
        "AzureWebJobsStorage:accountName", "AzureWebJobsStorage:credential", "AzureWebJobsStorage:clientId", "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
        "WEBSITE_USE_PLACEHOLDER_DOTNETISOLATED",
    ];

    // learn.microsoft.com/azure/role-based-access-control/built-in-roles
    private static readonly Dictionary<string, string> Roles = new()
    {
        ["storageBlobDataOwner"] = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
        ["storageBlobDataContributor"] = "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        ["storageTableDataContributor"] = "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
        ["keyVaultSecretsUser"] = "4633458b-17de-408a-b874-0445c86b69e6",
        ["keyVaultSecretsOfficer"] = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        ["monitoringMetricsPublisher"] = "3913510d-42f4-4e42-8a64-420c390055eb",
    };

    [Fact]
    public async Task Every_app_setting_is_read_by_the_code_or_by_the_host_and_is_explained()
    {
        var settings = await AppSettingsAsync();
        Assert.Contains("MotherDuck:TokenSecret", settings);
        var sources = string.Concat(Texts.Code.Concat(Texts.Below("functions", "*.sql")).Select(file => file.Text));
        Assert.All(settings.Except(OfTheHost), name => Assert.Matches($"[\"%]{Regex.Escape(name)}[\"%]", sources));
        var texts = string.Concat(Texts.ForPeople.Select(file => file.Text)) + Texts.Of("local.settings.sample.json");
        Assert.All(settings, name => Assert.Matches($"[`\"]{Regex.Escape(name.Split(':') is ["AzureWebJobsStorage", _] ? "AzureWebJobsStorage" : name)}", texts));
    }

    [Fact]
    public async Task Every_setting_that_a_trigger_needs_is_an_app_setting()
    {
        var needed = Texts.Below("functions", "*.cs").SelectMany(file => Texts.Find(file.Text, "\"%([\\w:]+)%\"")).ToList();
        Assert.NotEmpty(needed);
        Assert.Empty(needed.Except(await AppSettingsAsync()));
    }

    [Fact]
    public async Task Variables_and_outputs_that_texts_and_workflows_name_exist()
    {
        var template = await Bicep.MainAsync();
        var rules = new AzdRules(template, Texts.Of("infra/main.parameters.json"), new Dictionary<string, string>());
        var variables = template.Parameters.SelectMany(parameter => rules.Variables(parameter.Name)).ToList();
        var asked = 0;
        foreach (var (path, text) in Texts.ForPeople.Concat(Texts.Workflows))
        {
            foreach (var name in Texts.Find(text, @"azd env get-value (\w+)"))
                Assert.True(template.Outputs.Contains(name) || variables.Contains(name), $"{path}: infra/main.bicep has no output {name}");
            foreach (var name in Texts.Find(text, @"azd env set (\w+)"))
                Assert.True(variables.Contains(name), $"{path}: infra/main.parameters.json has no variable {name}");
            asked += Texts.Find(text, @"azd env [gs]et(?:-value)? (\w+)").Count();
        }
        Assert.True(asked > 5);
    }

    [Fact]
    public async Task A_role_s_id_is_that_of_its_name()
    {
        var template = await Bicep.MainAsync();
        var named = template.Modules.SelectMany(module => Texts.Find(module.Json.GetRawText(), "(\"\\w+\":\\s*\"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\")")).Distinct().ToList();
        Assert.Equal(Roles.Count, named.Count);
        Assert.All(named, one => Assert.Equal(Roles[one.Split('"')[1]], one.Split('"')[3]));
    }

    [Fact]
    public async Task No_output_is_a_secret_and_secrets_are_secure_all_the_way()
    {
        var template = await Bicep.MainAsync();
        Assert.Equal(["motherduckToken", "vaultSecrets"], template.Parameters.Where(parameter => parameter.IsSecure).Select(parameter => parameter.Name).Order(StringComparer.Ordinal));
        foreach (var module in template.Modules.Prepend(template))
        {
            Assert.DoesNotContain(module.Outputs, name => Regex.IsMatch(name, "token|secret|key$", RegexOptions.IgnoreCase));
            Assert.All(module.Parameters.Where(parameter => parameter.Name is "token" or "secrets"), parameter => Assert.True(parameter.IsSecure));
        }
        // What is not named in a deployment stays in the vault: "keep" and nothing at all make no resource.
        var kept = await Task.WhenAll(((string[])["''", "'keep'", "'a-token'"]).Select(token => Bicep.PredictAllAsync(
            Path.Combine(Bicep.Root, "infra"), "dev", ("motherduckToken", $"{{ value: {token} }}"))));
        var vault = template.Modules.Single(module => module.Parameters.Any(parameter => parameter.Name == "tokenName"));
        Assert.Equal(
            "[not(contains(createArray('', 'keep'), parameters('token')))]",
            vault.Resources.Single(resource => resource.Value.GetProperty("type").GetString() == "Microsoft.KeyVault/vaults/secrets").Value.GetProperty("condition").GetString());
        Assert.All(kept, resources => Assert.DoesNotContain(resources, resource => resource.Json.GetRawText().Contains("a-token", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Event_Grid_sends_what_the_app_takes_to_a_route_that_exists_and_keeps_what_it_did_not()
    {
        var resources = await Bicep.DevAsync();
        var subscription = resources.Single(resource => resource.Type == "Microsoft.EventGrid/systemTopics/eventSubscriptions").Properties;
        var url = subscription.GetProperty("destination").GetProperty("properties").GetProperty("endpointUrl").GetString()!;
        Assert.Contains(Texts.Code, file => file.Text.Contains($"Route = \"{Texts.Find(url, @"/api/([\w/]+)\?").Single()}\"", StringComparison.Ordinal));
        Assert.Equal("CloudEventSchemaV1_0", subscription.GetProperty("eventDeliverySchema").GetString());

        var filter = subscription.GetProperty("filter");
        Assert.Equal("/blobServices/default/containers/raw/", filter.GetProperty("subjectBeginsWith").GetString());
        var condition = Assert.Single(filter.GetProperty("advancedFilters").EnumerateArray());
        Assert.Equal(("data.api", "StringIn"), (condition.GetProperty("key").GetString(), condition.GetProperty("operatorType").GetString()));
        var apis = condition.GetProperty("values").EnumerateArray().Select(value => value.GetString()!).ToList();
        foreach (var type in filter.GetProperty("includedEventTypes").EnumerateArray().Select(type => type.GetString()!))
        {
            var matching = apis.Where(api => api.Contains("Rename", StringComparison.Ordinal) == type.EndsWith("Renamed", StringComparison.Ordinal)).ToList();
            Assert.NotEmpty(matching);
            Assert.All(matching, api => Assert.True(Takes(type, api), $"{type} {api}"));
        }
        Assert.Empty(apis.Intersect(["CreateFile", "CreateDirectory", "SftpCreate"]));

        // What was not taken goes to a container that is there, written with an identity that may write it.
        var dead = subscription.GetProperty("deadLetterWithResourceIdentity");
        Assert.Equal("SystemAssigned", dead.GetProperty("identity").GetProperty("type").GetString());
        Assert.Equal("SystemAssigned", resources.Single(resource => resource.Type == "Microsoft.EventGrid/systemTopics").Json.GetProperty("identity").GetProperty("type").GetString());
        var store = dead.GetProperty("deadLetterDestination").GetProperty("properties");
        var container = $"{store.GetProperty("resourceId").GetString()}/blobServices/default/containers/{store.GetProperty("blobContainerName").GetString()}";
        Assert.Contains(resources, resource => resource.Id == container);
        var role = Assert.Single(resources, resource => resource.Type == "Microsoft.Authorization/roleAssignments" && resource.Id.Contains(container, StringComparison.Ordinal));
        Assert.EndsWith(Roles["storageBlobDataContributor"], role.Properties.GetProperty("roleDefinitionId").GetString(), StringComparison.Ordinal);
        Assert.Contains("Microsoft.EventGrid/systemTopics/evgt-landing", role.Properties.GetProperty("principalId").GetString(), StringComparison.Ordinal);

        // Event Grid has no private endpoint: it comes in as a service that Azure trusts, and nobody else does.
        var account = resources.Single(resource => resource.Type == "Microsoft.Storage/storageAccounts").Properties;
        Assert.Equal(
            ("Enabled", "Deny", "AzureServices"),
            (account.GetProperty("publicNetworkAccess").GetString(), account.GetProperty("networkAcls").GetProperty("defaultAction").GetString(), account.GetProperty("networkAcls").GetProperty("bypass").GetString()));
    }

    [Fact]
    public async Task A_secret_that_ends_reaches_whoever_hears_of_alerts()
    {
        var resources = await Bicep.DevAsync();
        var mail = Assert.Single(resources, resource => resource.Type == "Microsoft.Insights/actionGroups");
        var destination = resources.Single(resource => resource.Type == "Microsoft.EventGrid/eventSubscriptions").Properties.GetProperty("destination");
        Assert.Equal("MonitorAlert", destination.GetProperty("endpointType").GetString());
        Assert.Equal([mail.Id], destination.GetProperty("properties").GetProperty("actionGroups").EnumerateArray().Select(group => group.GetString()));
        // Nobody to tell: no alert, nor anything that would send one.
        var silent = await Bicep.PredictAllAsync(Path.Combine(Bicep.Root, "infra"), "dev", ("alertEmail", "''"));
        Assert.DoesNotContain(silent, resource => resource.Type.StartsWith("Microsoft.Insights/", StringComparison.Ordinal) && resource.Type is not ("Microsoft.Insights/components" or "Microsoft.Insights/diagnosticSettings"));
        Assert.DoesNotContain(silent, resource => resource.Type == "Microsoft.EventGrid/eventSubscriptions");
    }

    [Fact]
    public async Task Pages_of_other_sites_are_let_in_by_the_platform()
    {
        var site = (await Bicep.DevAsync()).Single(resource => resource.Type == "Microsoft.Web/sites").Properties;
        Assert.Equal(
            ["https://www.example.com", "https://app.example.com"],
            site.GetProperty("siteConfig").GetProperty("cors").GetProperty("allowedOrigins").EnumerateArray().Select(origin => origin.GetString()));
    }

    [Theory]
    [InlineData("'00000000-0000-0000-0000-000000000004'", "''", "00000000-0000-0000-0000-000000000002")] // The subscription's.
    [InlineData("'00000000-0000-0000-0000-000000000004'", "'other.example.com'", "other.example.com")]
    [InlineData("''", "'other.example.com'", null)]
    public async Task Callers_need_tokens_of_the_app_registration_that_is_named(string client, string tenant, string? expected)
    {
        var resources = await Bicep.PredictAllAsync(Path.Combine(Bicep.Root, "infra"), "dev", ("authClientId", client), ("authTenantId", tenant));
        var settings = resources.Single(resource => resource.Type == "Microsoft.Web/sites/config").Properties.EnumerateObject()
            .Where(setting => setting.Name.StartsWith("Auth__", StringComparison.Ordinal)).ToDictionary(setting => setting.Name, setting => setting.Value.GetString());
        Dictionary<string, string?> all = expected is null ? [] : new()
        {
            // Each of Azure's clouds has its own sign-in, with a slash at its end: https://login.microsoftonline.com/
            ["Auth__Authority"] = $"[format('{{0}}{{1}}/v2.0', environment().authentication.loginEndpoint, '{expected}')]",
            ["Auth__Audience"] = client.Trim('\''),
            ["Auth__ClientId"] = client.Trim('\''),
        };
        Assert.Equal(all, settings);
    }

    [Fact]
    public async Task Purge_protection_is_on_unless_it_is_switched_off()
    {
        foreach (var (value, expected) in ((string, JsonValueKind)[])[("true", JsonValueKind.True), ("false", JsonValueKind.Null)])
        {
            var vault = (await Bicep.PredictAllAsync(Path.Combine(Bicep.Root, "infra"), "dev", ("purgeProtection", value))).Single(resource => resource.Type == "Microsoft.KeyVault/vaults");
            Assert.Equal(expected, vault.Properties.TryGetProperty("enablePurgeProtection", out var protection) ? protection.ValueKind : JsonValueKind.Null);
        }
        Assert.True((await Bicep.MainAsync()).Parameters.Single(parameter => parameter.Name == "purgeProtection").Json.GetProperty("defaultValue").GetBoolean());
    }

    private static async Task<IReadOnlyList<string>> AppSettingsAsync() =>
        [.. (await Bicep.DevAsync()).Single(resource => resource.Type == "Microsoft.Web/sites/config").Properties.EnumerateObject().Select(setting => setting.Name.Replace("__", ":", StringComparison.Ordinal))];

    private static bool Takes(string type, string api) => StorageEvent.Read(JsonSerializer.SerializeToElement(new
    {
        specversion = "1.0",
        type,
        id = "1",
        subject = "/blobServices/default/containers/raw/blobs/a.parquet",
        data = new { api, eTag = "0x1", contentLength = 10, url = "https://landing.blob.core.windows.net/raw/a.parquet", destinationUrl = "https://landing.blob.core.windows.net/raw/a.parquet" },
    })) is { Blob: not null, NoFile: null };
}
