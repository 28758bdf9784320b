using System.Text.Json;

namespace MdFunctions.Tests.Infrastructure;

/// <summary>The routes of the app's HTTP functions, below their prefix, as the build has written them down for Azure.</summary>
public static class AppRoutes
{
    public static IReadOnlyList<string> Read()
    {
        var functions = JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "functions.metadata")));
        return [.. functions.EnumerateArray()
            .SelectMany(function => function.GetProperty("bindings").EnumerateArray())
            .Where(binding => binding.GetProperty("type").GetString() == "httpTrigger")
            .Select(binding => binding.GetProperty("route").GetString()!)];
    }
}
