using System.Text.Json;

namespace MdFunctions.Tests.Infra;

/// <summary>A template of Azure Resource Manager, as the Bicep compiler writes it.</summary>
public sealed record ArmTemplate(JsonElement Json)
{
    /// <summary>Its parameters.</summary>
    public IReadOnlyList<Parameter> Parameters => [.. Of("parameters").Select(one => new Parameter(one.Name, one.Value))];

    /// <summary>The names of its outputs.</summary>
    public IReadOnlyList<string> Outputs => [.. Of("outputs").Select(one => one.Name)];

    /// <summary>Its resources by symbolic name, which a template in the older form of the language has not; those that exist already are left out.</summary>
    public IReadOnlyList<(string? Name, JsonElement Value)> Resources => Json.GetProperty("resources") is { ValueKind: JsonValueKind.Array } list
        ? [.. list.EnumerateArray().Select(one => ((string?)null, one))]
        : [.. Of("resources").Where(one => !(one.Value.TryGetProperty("existing", out var existing) && existing.GetBoolean())).Select(one => ((string?)one.Name, one.Value))];

    /// <summary>The templates of its modules, and of theirs.</summary>
    public IEnumerable<ArmTemplate> Modules => Resources
        .Where(one => one.Value.GetProperty("type").GetString() == "Microsoft.Resources/deployments")
        .Select(one => new ArmTemplate(one.Value.GetProperty("properties").GetProperty("template")))
        .SelectMany(module => module.Modules.Prepend(module));

    private IEnumerable<JsonProperty> Of(string section) => Json.TryGetProperty(section, out var found) ? found.EnumerateObject() : [];

    /// <summary>A parameter.</summary>
    public sealed record Parameter(string Name, JsonElement Json)
    {
        public string Type => Json.GetProperty("type").GetString()!;

        public bool HasDefault => Json.TryGetProperty("defaultValue", out _);

        public bool IsSecure => Type is "secureString" or "securestring" or "secureObject" or "secureobject";
    }
}
