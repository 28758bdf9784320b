using System.Globalization;
using MdFunctions.Endpoint;
using MdFunctions.Local;
using Npgsql;

namespace MdFunctions.Tests.Infrastructure;

/// <summary>One local MotherDuck endpoint for all tests that need nothing special of it. It ends with the test process.</summary>
public static class SharedEndpoint
{
    public const string Token = "shared-endpoint-token";

    private static readonly Lazy<Task<LocalEndpoint>> Started = new(StartAsync);

    public static Task<LocalEndpoint> GetAsync() => Started.Value;

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

    private static Task<LocalEndpoint> StartAsync() => LocalEndpoint.StartAsync(new()
    {
        Behaviour = Behaviour.Observed,
        Tokens = [Token],
        CertificateAuthorityDirectory = Path.Combine(LocalHost.RepositoryRoot(), "local", ".data", "ca"),
    });
}
