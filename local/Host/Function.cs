using System.Text.Json;
using MdFunctions.Local.Host.Rpc;

namespace MdFunctions.Local.Host;

/// <summary>A function, as the worker describes it.</summary>
/// <param name="Id">What the worker calls it.</param>
/// <param name="Name">Its name.</param>
/// <param name="Parameter">The parameter that has the trigger.</param>
/// <param name="Http">What calls it, if that is HTTP.</param>
/// <param name="Timer">What calls it, if that is a timer.</param>
/// <param name="Retry">What happens when it fails; null for nothing.</param>
internal sealed record Function(string Id, string Name, string Parameter, HttpTrigger? Http, TimerTrigger? Timer, RpcRetryOptions? Retry)
{
    /// <summary>Reads a description.</summary>
    /// <exception cref="LocalException">It has a trigger that this host does not know.</exception>
    public static Function Read(RpcFunctionMetadata function)
    {
        foreach (var json in function.RawBindings)
        {
            using var document = JsonDocument.Parse(json);
            var binding = document.RootElement;
            var parameter = binding.GetProperty("name").GetString()!;
            switch (binding.GetProperty("type").GetString()!.ToLowerInvariant())
            {
                case "httptrigger":
                    var methods = binding.TryGetProperty("methods", out var list) ? list.EnumerateArray().Select(method => method.GetString()!.ToUpperInvariant()) : [];
                    return Create(parameter, new HttpTrigger(Text(binding, "route") ?? function.Name, [.. methods]), null);
                case "timertrigger":
                    return Create(parameter, null, new TimerTrigger(Text(binding, "schedule")!, Flag(binding, "useMonitor", true), Flag(binding, "runOnStartup", false)));
            }
        }
        throw new LocalException($"Function '{function.Name}' has no HTTP or timer trigger: this host has no others.");

        Function Create(string parameter, HttpTrigger? http, TimerTrigger? timer) => new(function.FunctionId, function.Name, parameter, http, timer, function.RetryOptions);
    }

    private static string? Text(JsonElement binding, string name) =>
        binding.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool Flag(JsonElement binding, string name, bool otherwise) =>
        binding.TryGetProperty(name, out var value) ? value.ValueKind == JsonValueKind.True || (value.ValueKind == JsonValueKind.String && bool.Parse(value.GetString()!)) : otherwise;
}

/// <summary>Requests of a route.</summary>
/// <param name="Route">The route below the prefix.</param>
/// <param name="Methods">The HTTP methods served, in upper case; none for all of them.</param>
internal sealed record HttpTrigger(string Route, IReadOnlyList<string> Methods);

/// <summary>A schedule.</summary>
/// <param name="Schedule">An expression, or <c>%SETTING%</c>.</param>
/// <param name="UseMonitor">Whether its status is kept between starts of the host.</param>
/// <param name="RunOnStartup">Whether to run when the host starts.</param>
internal sealed record TimerTrigger(string Schedule, bool UseMonitor, bool RunOnStartup);
