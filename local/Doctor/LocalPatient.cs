using MdFunctions.Endpoint;
using MdFunctions.Engine;
using MdFunctions.Engine.MotherDuck;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace MdFunctions.Local.Doctor;

/// <summary>A local endpoint to ask, with what an account has: a second database, and a read token.</summary>
internal sealed class LocalPatient : IAsyncDisposable
{
    private readonly LocalEndpoint _endpoint;

    private LocalPatient(LocalEndpoint endpoint, MotherDuckOptions motherDuck) => (_endpoint, MotherDuck) = (endpoint, motherDuck);

    /// <summary>How it is reached.</summary>
    public MotherDuckOptions MotherDuck { get; }

    /// <summary>Starts it.</summary>
    public static async Task<LocalPatient> StartAsync(Behaviour behaviour, CancellationToken cancellationToken)
    {
        var (token, readToken) = (Guid.NewGuid().ToString(), Guid.NewGuid().ToString());
        var endpoint = await LocalEndpoint.StartAsync(new LocalEndpointOptions
        {
            Behaviour = behaviour,
            Tokens = [token],
            ReadOnlyTokens = [readToken],
            CertificateAuthorityDirectory = Path.Combine(LocalHost.RepositoryRoot(), "local", ".data", "ca"),
        }, cancellationToken);
        var motherDuck = Options(endpoint, token, readToken);
        var builder = new NpgsqlDataSourceBuilder(new NpgsqlConnectionStringBuilder(motherDuck.ToConnectionString()) { Password = token, Pooling = false }.ConnectionString);
        builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
        await using var source = builder.Build();
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await connection.RunAsync(cancellationToken, "CREATE DATABASE other_db");
        return new LocalPatient(endpoint, motherDuck);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _endpoint.DisposeAsync();

    private static MotherDuckOptions Options(LocalEndpoint endpoint, string token, string readToken) => MotherDuckOptions.Read(new Settings(new ConfigurationBuilder().AddInMemoryCollection(
        new Dictionary<string, string?>
        {
            ["MOTHERDUCK_TOKEN"] = token,
            ["MOTHERDUCK_READ_TOKEN"] = readToken,
            ["MotherDuck:Host"] = "localhost",
            ["MotherDuck:Port"] = $"{endpoint.Port}",
            ["MotherDuck:RootCertificate"] = endpoint.CaFile,
            ["MotherDuck:SessionName"] = $"doctor-{endpoint.Port}",
        }).Build()));
}
