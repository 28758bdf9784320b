using System.Net.Http.Json;
using System.Text.Json;
using MdFunctions.Endpoint;
using MdFunctions.Local;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Tests.Infrastructure;

/// <summary>
/// The app under test: the real functions behind real HTTP, over real Npgsql and TLS, on a real endpoint. What differs from production is what
/// this class passes in.
/// </summary>
public sealed class LocalApp : IAsyncDisposable
{
    private readonly string? _folder;

    private LocalApp(LocalHost host, LogLines logs, string? folder) =>
        (Host, Logs, _folder, Client) = (host, logs, folder, new HttpClient(new TokenWatch.Responses()) { BaseAddress = host.BaseAddress, Timeout = TimeSpan.FromMinutes(2) });

    public LocalHost Host { get; }

    public HttpClient Client { get; }

    /// <summary>Every log line so far.</summary>
    public LogLines Logs { get; }

    /// <summary>Starts an app on the shared endpoint.</summary>
    /// <param name="files">Its SQL files by name (<c>queries/name.sql</c>); null for the repository's own.</param>
    /// <param name="settings">Settings of this test.</param>
    public static async Task<LocalApp> StartAsync(IReadOnlyDictionary<string, string>? files = null, IReadOnlyDictionary<string, string?>? settings = null)
    {
        var all = await SharedEndpoint.SettingsAsync();
        foreach (var (key, value) in settings ?? new Dictionary<string, string?>())
            all[key] = value;
        return await StartAsync(new LocalOptions { MotherDuck = true, Settings = all }, files);
    }

    /// <summary>Starts an app whose options the test chooses, such as an endpoint of its own.</summary>
    /// <param name="options">The options.</param>
    /// <param name="files">Its SQL files by name; null for the repository's own.</param>
    /// <param name="behaviour">How an endpoint of its own behaves: as harshly as the live one was seen to, unless a test says otherwise.</param>
    public static async Task<LocalApp> StartAsync(LocalOptions options, IReadOnlyDictionary<string, string>? files = null, Behaviour behaviour = Behaviour.Observed)
    {
        var settings = new Dictionary<string, string?>(options.Settings, StringComparer.OrdinalIgnoreCase);
        string? folder = null;
        if (files is not null)
        {
            folder = Directory.CreateTempSubdirectory("mdfunctions-tests-").FullName;
            foreach (var (name, text) in files)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, name))!);
                await File.WriteAllTextAsync(Path.Combine(folder, name), text);
            }
            settings["SqlDirectory"] = folder;
        }
        foreach (var name in (string[])["MOTHERDUCK_TOKEN", "MOTHERDUCK_READ_TOKEN"])
            TokenWatch.Watch(settings.GetValueOrDefault(name) ?? "");
        var logs = new LogLines();
        // Timers fire when a test says so.
        settings.TryAdd("LOADS_HOURLY_SCHEDULE", "0 0 0 1 1 *");
        settings.TryAdd("LOADS_DAILY_SCHEDULE", "0 0 0 1 1 *");
        try
        {
            var host = await LocalHost.StartAsync(
                options with { Port = 0, Endpoint = options.Endpoint with { Behaviour = behaviour }, EndpointPort = 0, Settings = settings, LogLevel = LogLevel.Debug, LoggerProvider = logs, Console = false },
                _ => { }, CancellationToken.None);
            return new LocalApp(host, logs, folder);
        }
        catch when (folder is not null)
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>GETs a path and reads the JSON of its answer, which must be a 200.</summary>
    public async Task<JsonElement> GetJsonAsync(string path)
    {
        using var response = await Client.GetAsync(path);
        Assert.True(response.IsSuccessStatusCode, $"GET {path}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Host.DisposeAsync();
        if (_folder is not null)
            Directory.Delete(_folder, recursive: true);
        TokenWatch.AssertNothing();
    }
}

/// <summary>Reading problem details.</summary>
public static class ProblemAssertions
{
    /// <summary>Asserts that an answer is problem details of a status, with a trace id, and reads it.</summary>
    public static async Task<JsonElement> ProblemAsync(this HttpResponseMessage response, int status)
    {
        var body = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status, $"expected {status}, got {(int)response.StatusCode}: {body}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = JsonSerializer.Deserialize<JsonElement>(body);
        Assert.Equal(status, problem.GetProperty("status").GetInt32());
        Assert.NotEmpty(problem.GetProperty("traceId").GetString()!);
        return problem;
    }
}
