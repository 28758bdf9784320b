using System.Text.Json;

namespace MdFunctions.Local;

/// <summary>Reads <c>local.settings.json</c>.</summary>
internal static class LocalSettings
{
    /// <summary>Its "Values" become settings, as Core Tools makes them environment variables; those that are set in the environment are left out.</summary>
    /// <param name="root">The repository's folder.</param>
    /// <exception cref="LocalException">It is not valid JSON.</exception>
    public static Dictionary<string, string?> Read(string root)
    {
        var path = Path.Combine(root, "local.settings.json");
        var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        if (!File.Exists(path))
            return settings;
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllText(path), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            if (json.RootElement.TryGetProperty("Values", out var values))
            {
                foreach (var value in values.EnumerateObject())
                {
                    // A shell writes a colon with two underscores.
                    if (Environment.GetEnvironmentVariable(value.Name) is not null || Environment.GetEnvironmentVariable(value.Name.Replace(":", "__", StringComparison.Ordinal)) is not null)
                        continue;
                    settings[value.Name.Replace("__", ":", StringComparison.Ordinal)] = value.Value.ToString();
                }
            }
        }
        catch (JsonException e)
        {
            throw new LocalException($"local.settings.json is not valid JSON: {e.Message}", e);
        }
        return settings;
    }
}
