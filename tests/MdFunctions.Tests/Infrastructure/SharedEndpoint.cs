using System.Globalization;
using MdFunctions.Local;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace MdFunctions.Tests.Infrastructure;

/// <summary>One local MotherDuck endpoint for all tests that need nothing special of it. It ends with the test process.</summary>
public static class SharedEndpoint
{
    public const string Token = "shared-endpoint-token";

    private static readonly Lazy<Task<EndpointProcess>> Started = new(StartAsync);

    public static Task<EndpointProcess> GetAsync() => Started.Value;

    /// <summary>The settings that point an app at it.</summary>
    public static async Task<Dictionary<string, string?>> SettingsAsync()
    {
        var endpoint = await GetAsync();
        return new(StringComparer.OrdinalIgnoreCase)
        {
            ["MOTHERDUCK_TOKEN"] = Token,
            ["MotherDuck:Host"] = "localhost",
            ["MotherDuck:Port"] = endpoint.Port.ToString(CultureInfo.InvariantCulture),
            ["MotherDuck:RootCertificate"] = endpoint.CaFile,
            ["WEATHER_CSV_URL"] = "http://localhost:9/no-such-server.csv",
        };
    }

    /// <summary>A connection of the test's own, past the app.</summary>
    public static async Task<NpgsqlConnection> ConnectAsync()
    {
        var endpoint = await GetAsync();
        var source = new NpgsqlDataSourceBuilder(
            $"Host=localhost;Port={endpoint.Port};Username=postgres;Password={Token};Database=md:;SSL Mode=VerifyFull;Root Certificate={endpoint.CaFile};Pooling=false;No Reset On Close=true;GSS Encryption Mode=Disable");
        source.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
        return await source.Build().OpenConnectionAsync();
    }

    private static async Task<EndpointProcess> StartAsync()
    {
        var root = LocalHost.RepositoryRoot();
        var folder = Path.Combine(root, "local", "endpoint");
        await NodeModules.EnsureAsync(folder, forTests: true, _ => { }, CancellationToken.None);
        return await EndpointProcess.StartAsync(
            folder, ["--port", "0", "--ca-dir", Path.Combine(root, "local", ".data", "ca")], Token, NullLogger.Instance, CancellationToken.None);
    }
}
