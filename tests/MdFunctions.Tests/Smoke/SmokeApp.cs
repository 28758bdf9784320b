using MdFunctions.Engine.MotherDuck;
using MdFunctions.Local.Host;
using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.MotherDuck;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace MdFunctions.Tests.Smoke;

/// <summary>The published app as a child process, the host in front of it, and an endpoint that nobody else uses.</summary>
internal sealed class SmokeApp : IAsyncDisposable
{
    private readonly string _token;
    private readonly string? _sql;

    private SmokeApp(OwnEndpoint endpoint, string token, string? sql, LogLines logs, ChildWorker worker, FunctionsHost host) =>
        (Endpoint, _token, _sql, Logs, Worker, Host, Client) = (endpoint, token, sql, logs, worker, host, new HttpClient { BaseAddress = host.BaseAddress, Timeout = TimeSpan.FromMinutes(2) });

    public OwnEndpoint Endpoint { get; }

    public LogLines Logs { get; }

    public ChildWorker Worker { get; }

    public FunctionsHost Host { get; }

    public HttpClient Client { get; }

    /// <summary>Starts all of them.</summary>
    /// <param name="published">The app.</param>
    /// <param name="files">Its SQL files; null for its own.</param>
    /// <param name="more">More settings.</param>
    /// <param name="on">An app whose endpoint it uses too; it must outlive this one.</param>
    public static async Task<SmokeApp> StartAsync(PublishedApp published, Dictionary<string, string>? files = null, Dictionary<string, string?>? more = null, SmokeApp? on = null)
    {
        var token = on?._token ?? Connections.NewToken();
        TokenWatch.Watch(token);
        var endpoint = on?.Endpoint ?? await OwnEndpoint.StartAsync(token);
        string? sql = null;
        var settings = endpoint.Settings();
        settings["MOTHERDUCK_TOKEN"] = token;
        settings["LOADS_HOURLY_SCHEDULE"] = settings["LOADS_DAILY_SCHEDULE"] = "0 0 0 1 1 *";
        foreach (var (name, value) in more ?? [])
            settings[name] = value;
        if (files is not null)
        {
            settings["SqlDirectory"] = sql = Directory.CreateTempSubdirectory("mdfunctions-tests-").FullName;
            foreach (var (name, text) in files)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(sql, name))!);
                await File.WriteAllTextAsync(Path.Combine(sql, name), text);
            }
        }
        var logs = new LogLines();
        var worker = new ChildWorker(published.Folder, settings);
        var host = await FunctionsHost.StartAsync(
            worker,
            new FunctionsHostOptions
            {
                Settings = new ConfigurationBuilder().AddInMemoryCollection(settings).Build(),
                ApplicationDirectory = published.Folder,
                Logging = logging => logging.SetMinimumLevel(LogLevel.Debug).AddFilter("Microsoft", LogLevel.Warning).AddFilter("Grpc", LogLevel.Warning).AddProvider(logs),
            },
            CancellationToken.None);
        return new SmokeApp(endpoint, token, sql, logs, worker, host);
    }

    /// <summary>The rows of a statement, past the app: columns joined by <c>|</c>.</summary>
    public async Task<string[]> SqlAsync(string sql)
    {
        await using var source = new NpgsqlDataSourceBuilder(
            $"Host=localhost;Port={Endpoint.Port};Username=postgres;Password={_token};Database=md:;SSL Mode=VerifyFull;Root Certificate={Endpoint.CaFile};Pooling=false;No Reset On Close=true;GSS Encryption Mode=Disable")
            .ConfigureTypeLoading(types => types.EnableTypeLoading(false)).Build();
        await using var connection = await source.OpenConnectionAsync();
        return [.. (await connection.RowsAsync(sql, [], CancellationToken.None)).Select(row => string.Join('|', row))];
    }

    /// <summary>Stops the app; the endpoint goes on for another that was started on it.</summary>
    public async ValueTask StopAsync()
    {
        Client.Dispose();
        await Host.DisposeAsync();
        if (_sql is not null)
            Directory.Delete(_sql, recursive: true);
        TokenWatch.AssertNothing();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Endpoint.DisposeAsync();
    }
}
