using System.Text;
using MdFunctions.Local.Host;
using MdFunctions.Local.Host.Timers;

namespace MdFunctions.Local;

/// <summary>What the local host prints once it serves: every function, the endpoint, and something to try.</summary>
public static class Banner
{
    /// <summary>Writes the banner of a running host.</summary>
    public static async Task<string> ForAsync(LocalHost host)
    {
        var text = new StringBuilder().AppendLine().AppendLine("Functions:");
        var functions = host.Functions.Functions;
        var width = functions.Max(function => function.Name.Length);
        foreach (var function in functions)
            text.Append("  ").Append(function.Name.PadRight(width)).Append("  ").AppendLine(Trigger(host, function));

        if (host.Endpoint is { } endpoint)
        {
            var token = host.Settings["MOTHERDUCK_TOKEN"] == "local" ? "local" : "$MOTHERDUCK_TOKEN";
            text.AppendLine().AppendLine("Local MotherDuck endpoint:")
                .AppendLine($"  psql \"host=localhost port={endpoint.Port} dbname=md: user=postgres sslmode=verify-full sslrootcert={endpoint.CaFile}\"")
                .AppendLine($"  password (PGPASSWORD): {token}")
                .AppendLine($"  CA file: {endpoint.CaFile}");
        }
        return text.AppendLine().AppendLine("Try:")
            .AppendLine($"  {host.BaseAddress} in a browser")
            .AppendLine($"  curl '{host.BaseAddress}api/queries{(await HasSampleAsync(host) ? "/top_stories?limit=5" : "")}'")
            .AppendLine().Append("Ctrl+C stops it.").ToString();
    }

    private static string Trigger(LocalHost host, Function function)
    {
        if (function.Http is { } http)
            return $"{(http.Methods.Count == 0 ? "ANY" : string.Join(',', http.Methods))} {host.BaseAddress}{host.Functions.RoutePrefix}/{http.Route}";
        return "timer " + (TimerSchedule.Read(function.Timer!, host.Settings)?.Expression ?? $"disabled: {function.Timer!.Schedule} is no schedule");
    }

    private static async Task<bool> HasSampleAsync(LocalHost host)
    {
        using var client = new HttpClient { BaseAddress = host.BaseAddress };
        return (await client.GetStringAsync("api/queries")).Contains("\"top_stories\"", StringComparison.Ordinal);
    }
}
