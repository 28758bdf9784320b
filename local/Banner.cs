using System.Text;
using MdFunctions.Local.Worker;
using MdFunctions.Engine.Templates;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace MdFunctions.Local;

/// <summary>What the local host prints once it serves: every function, the endpoint, and something to try.</summary>
public static class Banner
{
    /// <summary>Writes the banner of a running host.</summary>
    public static string For(LocalHost host)
    {
        var configuration = host.Services.GetRequiredService<IConfiguration>();
        var templates = host.Services.GetRequiredService<TemplateCatalog>();
        var text = new StringBuilder().AppendLine().AppendLine("Functions:");
        var width = host.Functions.Max(function => function.Name.Length);
        foreach (var function in host.Functions)
        {
            text.Append("  ").Append(function.Name.PadRight(width)).Append("  ");
            if (function.Http is { } http)
            {
                var methods = http.Methods.Length == 0 ? "ANY" : string.Join(',', http.Methods).ToUpperInvariant();
                text.Append(methods).Append(' ').Append(host.BaseAddress).Append("api/").AppendLine(http.Route ?? function.Name);
            }
            else
            {
                text.Append("timer ").AppendLine(TimerFunctions.Resolve(function, configuration));
            }
        }

        if (host.Endpoint is { } endpoint)
        {
            var token = configuration["MOTHERDUCK_TOKEN"] == "local" ? "local" : "$MOTHERDUCK_TOKEN";
            text.AppendLine().AppendLine("Local MotherDuck endpoint:")
                .AppendLine($"  psql \"host=localhost port={endpoint.Port} dbname=md: user=postgres sslmode=verify-full sslrootcert={endpoint.CaFile}\"")
                .AppendLine($"  password (PGPASSWORD): {token}")
                .AppendLine($"  CA file: {endpoint.CaFile}");
        }
        return text.AppendLine().AppendLine("Try:")
            .AppendLine($"  curl '{host.BaseAddress}api/queries{(templates.Queries.ContainsKey("top_stories") ? "/top_stories?limit=5" : "")}'")
            .AppendLine().Append("Ctrl+C stops it.").ToString();
    }
}
