using System.Text;
using MdFunctions.Engine.Templates;
using MdFunctions.Local.Host;
using MdFunctions.Local.Host.Timers;
using Microsoft.Extensions.DependencyInjection;

namespace MdFunctions.Local;

/// <summary>What the local host prints once it serves: every function, the endpoint, and something to try.</summary>
public static class Banner
{
    /// <summary>Writes the banner of a running host.</summary>
    public static string For(LocalHost host)
    {
        var text = new StringBuilder().AppendLine().AppendLine("Functions:");
        var functions = host.Functions.Functions;
        var width = functions.Max(function => function.Name.Length);
        foreach (var function in functions)
            text.Append("  ").Append(function.Name.PadRight(width)).Append("  ").AppendLine(Trigger(host, function));

        if (host.Endpoint is { } endpoint)
        {
            var password = host.Settings["MOTHERDUCK_TOKEN"] == "local" ? "local" : "$MOTHERDUCK_TOKEN";
            text.AppendLine().AppendLine("Local MotherDuck endpoint:")
                .AppendLine($"  psql \"host=localhost port={endpoint.Port} dbname=md: user=postgres sslmode=verify-full sslrootcert={endpoint.CaFile}\"")
                .AppendLine($"  password (PGPASSWORD): {password}")
                .AppendLine($"  CA file: {endpoint.CaFile}");
        }
        // The templates are asked, not the app: it may want a token.
        var sample = host.Services.GetRequiredService<TemplateCatalog>().Queries.ContainsKey("top_stories") ? "/top_stories?limit=5" : "";
        var token = host.Settings["Auth:Authority"] is { Length: > 0 } ? " -H \"Authorization: Bearer $TOKEN\"" : "";
        return text.AppendLine().AppendLine("Try:")
            .AppendLine($"  {host.BaseAddress} in a browser")
            .AppendLine($"  curl '{host.BaseAddress}api/queries{sample}'{token}")
            .AppendLine().Append("Ctrl+C stops it.").ToString();
    }

    private static string Trigger(LocalHost host, Function function)
    {
        if (function.Http is { } http)
            return $"{(http.Methods.Count == 0 ? "ANY" : string.Join(',', http.Methods))} {host.BaseAddress}{host.Functions.RoutePrefix}/{http.Route}";
        return "timer " + (TimerSchedule.Read(function.Timer!, host.Settings)?.Expression ?? $"disabled: {function.Timer!.Schedule} is no schedule");
    }
}
