using System.Text.Json;
using System.Text.RegularExpressions;

namespace MdFunctions.Tests.Infra;

/// <summary>
/// What the Azure Developer CLI makes of a project, by the rules of its sources (release 1.31.2): <c>pkg/infra/provisioning/bicep</c> for parameters
/// and removal, <c>pkg/pipeline</c> for what GitHub gets, <c>pkg/project</c> for the resource that a service is deployed to.
/// </summary>
/// <param name="template">The compiled template.</param>
/// <param name="parametersFile">The text of <c>main.parameters.json</c>.</param>
/// <param name="environment">What <c>azd env get-values</c> or the shell says.</param>
/// <param name="prompted">The parameters that were asked for before; azd remembers their values.</param>
internal sealed partial class AzdRules(ArmTemplate template, string parametersFile, IReadOnlyDictionary<string, string> environment, params string[] prompted)
{
    // azd's own, which it fills in everywhere and hands to nobody.
    private static readonly string[] Principal = ["AZURE_PRINCIPAL_ID", "AZURE_PRINCIPAL_TYPE"];

    private static readonly string[] Hosts =
    [
        "Microsoft.Web/sites", "Microsoft.App/containerApps", "Microsoft.App/jobs", "Microsoft.ContainerService/managedClusters", "Microsoft.Web/staticSites",
        "Microsoft.MachineLearningServices/workspaces/onlineEndpoints",
    ];

    private readonly JsonElement _file = JsonSerializer.Deserialize<JsonElement>(parametersFile).GetProperty("parameters");

    /// <summary>The variables that a parameter is made of (<c>loadParameters</c>).</summary>
    public IReadOnlyList<string> Variables(string parameter) => _file.TryGetProperty(parameter, out var found)
        ? [.. Variable().Matches(found.GetRawText()).Select(match => match.Groups[1].Value).Except(Principal)]
        : [];

    /// <summary>The parameters that <c>azd provision</c> asks for (<c>ensureParameters</c>).</summary>
    public IEnumerable<string> Asked => template.Parameters.Where(parameter => !parameter.HasDefault && Value(parameter) is null).Select(parameter => parameter.Name);

    /// <summary>
    /// What <c>azd pipeline config</c> gives GitHub (<c>Parameters</c> and <c>mergeProjectVariablesAndSecrets</c>): of the parameters, those whose value is
    /// that of their one variable, or was asked for; all set variables of a parameter that has several.
    /// </summary>
    /// <param name="projectVariables">Those that <c>azure.yaml</c> lists.</param>
    public (IReadOnlyDictionary<string, string> Variables, IReadOnlyDictionary<string, string> Secrets) Pipeline(IEnumerable<string> projectVariables)
    {
        var variables = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var secrets = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var parameter in template.Parameters)
        {
            var target = parameter.IsSecure ? secrets : variables;
            var names = Variables(parameter.Name);
            if ((Value(parameter) ?? Prompted(parameter)) is not { } value || names.Count == 0)
                continue;
            if (names.Count > 1)
            {
                foreach (var name in names.Where(environment.ContainsKey))
                    target[name] = environment[name];
            }
            // Go prints an object as map[...], which is no variable's text.
            else if (prompted.Contains(parameter.Name) || (value is string text && environment.GetValueOrDefault(names[0]) == text))
                target[names[0]] = $"{value}";
        }
        foreach (var name in projectVariables.Where(name => environment.GetValueOrDefault(name) is { Length: > 0 }))
            variables[name] = environment[name];
        return (variables, secrets);
    }

    /// <summary>The resources that <c>azd deploy</c> takes for a service (<c>GetServiceResource</c>): it wants one.</summary>
    public static IEnumerable<Bicep.Resource> ServiceResources(IEnumerable<Bicep.Resource> resources, string service) =>
        resources.Where(resource => resource.Tag("azd-service-name") == service && Hosts.Contains(resource.Type, StringComparer.OrdinalIgnoreCase));

    /// <summary>
    /// The groups that <c>azd down</c> removes with all that is in them (<c>createdResourceGroupsFromDeployment</c>): after a success those that the
    /// deployment made; after a failure those that one of its nested deployments waited for.
    /// </summary>
    public IReadOnlyList<string> GroupsRemoved(bool succeeded)
    {
        var groups = template.Resources.Where(resource => resource.Value.GetProperty("type").GetString() == "Microsoft.Resources/resourceGroups").ToList();
        return succeeded
            ? [.. groups.Select(group => group.Value.GetProperty("name").GetString()!)]
            : [.. template.Resources
                .Where(resource => resource.Value.GetProperty("type").GetString() == "Microsoft.Resources/deployments" && resource.Value.TryGetProperty("dependsOn", out _))
                .SelectMany(resource => resource.Value.GetProperty("dependsOn").EnumerateArray().Select(name => name.GetString()))
                .SelectMany(name => groups.Where(group => group.Name == name))
                .Select(group => group.Value.GetProperty("name").GetString()!)
                .Distinct()];
    }

    // A string, or an object's JSON; null where azd leaves the parameter out.
    private object? Value(ArmTemplate.Parameter parameter)
    {
        if (!_file.TryGetProperty(parameter.Name, out var found))
            return null;
        var value = found.GetProperty("value");
        var isObject = parameter.Type is "object" or "secureObject" or "array";
        var text = Variable().Replace(value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText(), match => environment.GetValueOrDefault(match.Groups[1].Value, ""));
        if (text.Length == 0)
            return null;
        return isObject || value.ValueKind != JsonValueKind.String ? JsonSerializer.Deserialize<JsonElement>(text) : text;
    }

    private string? Prompted(ArmTemplate.Parameter parameter) => prompted.Contains(parameter.Name) ? "what was typed" : null;

    [GeneratedRegex(@"\$\{(\w+)\}")]
    private static partial Regex Variable();
}
