using System.Text.RegularExpressions;

namespace MdFunctions.Tests.Infra;

/// <summary>Names on paper: two projects made of this template, two environments each, in one subscription, and the events of one storage account for all.</summary>
public sealed partial class CollisionTests : IDisposable
{
    private readonly string _copy = Directory.CreateTempSubdirectory("mdfunctions-bicep-").FullName;

    [Fact]
    public async Task No_name_is_used_twice()
    {
        var infra = Path.Combine(Bicep.Root, "infra");
        CopyAs("acme-data");
        IReadOnlyList<IReadOnlyList<Bicep.Resource>> deployments = await Task.WhenAll(
            Bicep.PredictAllAsync(infra, "dev"), Bicep.PredictAllAsync(infra, "prod"), Bicep.PredictAllAsync(_copy, "dev"), Bicep.PredictAllAsync(_copy, "prod"));

        // All share the one topic that the account may have, and say the same of it.
        const string topicType = "Microsoft.EventGrid/systemTopics";
        Assert.Single(deployments.Select(resources => resources.Single(resource => resource.Type == topicType).Json.GetRawText()).Distinct());

        var ids = deployments.SelectMany(resources => resources.Where(resource => resource.Type != topicType).Select(resource => resource.Id)).ToList();
        Assert.True(ids.Count > 150);
        Assert.Equal(ids.Distinct(StringComparer.OrdinalIgnoreCase), ids);
        // The whole of Azure knows these names, whatever group they are in.
        foreach (var type in (string[])["Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults", "Microsoft.Web/sites"])
            Assert.Equal(4, deployments.SelectMany(resources => resources.Where(resource => resource.Type == type)).Select(resource => resource.Name).Distinct().Count());
        // Azure finds the same deployment again.
        Assert.Equal(
            deployments[0].Select(resource => resource.Id),
            (await Bicep.DevAsync()).Select(resource => resource.Id));
    }

    [Fact]
    public async Task Names_fit_Azure_s_limits_even_with_the_longest_ones()
    {
        CopyAs(new string('p', 60));
        var resources = await Bicep.PredictAllAsync(_copy, new string('e', 64));
        var limits = new Dictionary<string, string>
        {
            ["Microsoft.Resources/resourceGroups"] = "^[-\\w.()]{0,89}[-\\w()]$",
            ["Microsoft.Storage/storageAccounts"] = "^[a-z0-9]{3,24}$",
            ["Microsoft.KeyVault/vaults"] = "^[a-z][a-z0-9-]{1,22}[a-z0-9]$",
            ["Microsoft.KeyVault/vaults/secrets"] = "^[^/]+/[0-9A-Za-z-]{1,127}$",
            ["Microsoft.Web/sites"] = "^[a-z0-9][a-z0-9-]{0,58}[a-z0-9]$",
            ["Microsoft.Web/serverfarms"] = "^[A-Za-z0-9-]{1,60}$",
            ["Microsoft.ManagedIdentity/userAssignedIdentities"] = "^[A-Za-z0-9][A-Za-z0-9_-]{2,127}$",
            ["Microsoft.OperationalInsights/workspaces"] = "^[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]$",
            ["Microsoft.EventGrid/systemTopics"] = "^[A-Za-z0-9-]{3,50}$",
            ["Microsoft.EventGrid/systemTopics/eventSubscriptions"] = "^[^/]+/[A-Za-z0-9-]{3,64}$",
            ["Microsoft.EventGrid/eventSubscriptions"] = "^[A-Za-z0-9-]{3,64}$",
            ["Microsoft.Insights/metricAlerts"] = "^[^*#&+:<>?@%{}/\\\\]{1,260}$",
            ["Microsoft.Insights/scheduledQueryRules"] = "^[^*#&+:<>?@%{}/\\\\]{1,260}$",
        };
        foreach (var (type, pattern) in limits)
        {
            var names = resources.Where(resource => resource.Type == type).Select(resource => resource.Name).ToList();
            Assert.True(names.Count > 0 || type.EndsWith("/secrets", StringComparison.Ordinal), type);
            Assert.All(names, name => Assert.Matches(pattern, name));
        }
    }

    public void Dispose() => Directory.Delete(_copy, recursive: true);

    // As the template's copies are made.
    private void CopyAs(string project)
    {
        var infra = Path.Combine(Bicep.Root, "infra");
        foreach (var file in Directory.EnumerateFiles(infra, "*.*", SearchOption.AllDirectories).Where(file => file.EndsWith(".bicep", StringComparison.Ordinal) || file.EndsWith(".kql", StringComparison.Ordinal)))
        {
            var to = Path.Combine(_copy, Path.GetRelativePath(infra, file));
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.WriteAllText(to, Project().Replace(File.ReadAllText(file), $"var project = '{project}'"));
        }
        Assert.Contains($"'{project}'", File.ReadAllText(Path.Combine(_copy, "main.bicep")), StringComparison.Ordinal);
    }

    [GeneratedRegex("var project = '[^']+'")]
    private static partial Regex Project();
}
