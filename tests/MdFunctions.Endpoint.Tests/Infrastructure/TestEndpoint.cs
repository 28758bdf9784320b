using System.Collections.Concurrent;
using Npgsql;

namespace MdFunctions.Endpoint.Tests.Infrastructure;

/// <summary>An endpoint in this process, and connections to it over TLS.</summary>
public sealed class TestEndpoint : IAsyncDisposable
{
    private readonly LocalEndpoint _endpoint;
    private readonly ConcurrentQueue<string> _log;
    private readonly Behaviour _behaviour;
    private readonly ConcurrentDictionary<(string, string?), NpgsqlDataSource> _sources = new();

    private TestEndpoint(LocalEndpoint endpoint, ConcurrentQueue<string> log, Behaviour behaviour) => (_endpoint, _log, _behaviour) = (endpoint, log, behaviour);

    public string CaFile => _endpoint.CaFile;

    public int Port => _endpoint.Port;

    public string Log => string.Join('\n', _log);

    public static async Task<TestEndpoint> StartAsync(LocalEndpointOptions options)
    {
        var log = new ConcurrentQueue<string>();
        return new(await LocalEndpoint.StartAsync(options with { Log = log.Enqueue }), log, options.Behaviour);
    }

    /// <summary>A connection with Npgsql's own defaults where the endpoint is documented; observed, with what MotherDuck was seen to take.</summary>
    public async Task<NpgsqlConnection> ConnectAsync(string database = "md:", string? options = null)
    {
        var source = _sources.GetOrAdd((database, options), _ => Source(ConnectionString(database, options)));
        return await source.OpenConnectionAsync();
    }

    private NpgsqlDataSource Source(string connectionString)
    {
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        if (_behaviour == Behaviour.Observed) builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
        return builder.Build();
    }

    public string ConnectionString(string database = "md:", string? options = null)
    {
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = "localhost",
            Port = Port,
            Username = "postgres",
            Password = "local",
            Database = database,
            SslMode = SslMode.VerifyFull,
            RootCertificate = CaFile,
        };
        if (options is not null) settings.Options = options;
        settings.NoResetOnClose = _behaviour == Behaviour.Observed;
        return settings.ConnectionString;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var source in _sources.Values) await source.DisposeAsync();
        await _endpoint.DisposeAsync();
    }
}

/// <summary>Shortcuts for queries whose values are compared as the text that came over the wire.</summary>
public static class Queries
{
    /// <summary>The rows as text, with columns parted by a bar, and <c>NULL</c>.</summary>
    public static async Task<string[]> TextsAsync(this NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { AllResultTypesAreUnknown = true };
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync())
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? "NULL" : reader.GetString(i))));
        return [.. rows];
    }

    public static async Task RunAsync(this NpgsqlConnection connection, string sql) => await connection.TextsAsync(sql);

    /// <summary>The error of a statement that must fail.</summary>
    public static async Task<PostgresException> FailureAsync(this NpgsqlConnection connection, string sql) =>
        await Assert.ThrowsAsync<PostgresException>(() => connection.TextsAsync(sql));
}
