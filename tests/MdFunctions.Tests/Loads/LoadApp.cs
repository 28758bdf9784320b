using System.Net.Http.Json;
using System.Text.Json;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Tests.Infrastructure;
using Npgsql;

namespace MdFunctions.Tests.Loads;

/// <summary>An app with loads of the test's own, a file server that they read, and a database that nobody else uses. <c>{db}</c> and <c>{files}</c> in SQL name them.</summary>
public sealed class LoadApp : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;

    private LoadApp(LocalApp app, FileServer files, NpgsqlConnection connection, string database) => (App, Files, _connection, Database) = (app, files, connection, database);

    public LocalApp App { get; }

    public HttpClient Client => App.Client;

    public FileServer Files { get; }

    public string Database { get; }

    /// <summary>Starts an app.</summary>
    /// <param name="loads">Front matter and statement of each load, by name.</param>
    /// <param name="settings">Settings of this test.</param>
    public static async Task<LoadApp> StartAsync(IReadOnlyDictionary<string, string> loads, IReadOnlyDictionary<string, string?>? settings = null)
    {
        var files = await FileServer.StartAsync();
        var connection = await SharedEndpoint.ConnectAsync();
        var database = $"loads_{Guid.NewGuid():N}";
        await connection.ScalarAsync($"CREATE DATABASE {database}", CancellationToken.None);
        var sql = loads.ToDictionary(load => $"loads/{load.Key}.sql", load => Fill(load.Value, database, files));
        return new LoadApp(await LocalApp.StartAsync(sql, settings), files, connection, database);
    }

    /// <summary>POSTs a load and asserts the status of the answer.</summary>
    public async Task<JsonElement> RunAsync(string load, int status = 200, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"api/loads/{load}");
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        using var response = await Client.SendAsync(request);
        if (status != 200)
            return await response.ProblemAsync(status);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }

    /// <summary>The rows of a statement, past the app: columns joined by <c>|</c>.</summary>
    public async Task<string[]> SqlAsync(string sql)
    {
        var rows = await _connection.RowsAsync(Fill(sql, Database, Files), [], CancellationToken.None);
        return [.. rows.Select(row => string.Join('|', row.Select(value => value ?? "NULL")))];
    }

    /// <summary>What a load's runs are, oldest first: status and rows.</summary>
    public Task<string[]> RunsAsync(string load) =>
        SqlAsync($"SELECT status, rows FROM {{db}}.md_functions.load_runs WHERE load = '{load}' ORDER BY started_at");

    /// <summary>Tables that no user made.</summary>
    public Task<string[]> LeftoversAsync() =>
        SqlAsync("SELECT table_name FROM duckdb_tables() WHERE database_name = '{db}' AND table_name LIKE '\\_\\_md\\_functions%' ESCAPE '\\'");

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        await Files.DisposeAsync();
        // Not open any more where a statement of the test's own failed, which is then what the test tells.
        if (_connection.FullState.HasFlag(System.Data.ConnectionState.Open))
            await _connection.ScalarAsync($"DROP DATABASE {Database}", CancellationToken.None);
        await _connection.DisposeAsync();
    }

    private static string Fill(string sql, string database, FileServer files) =>
        sql.Replace("{db}", database, StringComparison.Ordinal).Replace("{files}", files.Url, StringComparison.Ordinal);
}
