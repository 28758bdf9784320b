#if (entra)
using System.Net.Http.Headers;
#endif
using System.Text.Json;
using MdFunctions.Local;
using Microsoft.Extensions.Logging;

namespace MdFunctions.App.Tests;

/// <summary>The app with its SQL files, the local host and the local MotherDuck endpoint, started once for all tests. They know it by HTTP only.</summary>
public sealed class RunningApp : IAsyncLifetime
{
#if (entra)
    // Who calls: what your SQL files ask for, such as roles, scopes and claims, goes here.
    private static readonly Dictionary<string, object> Claims = new() { ["sub"] = "tests", ["roles"] = (string[])["reader"] };

    private Issuer? _issuer;
#endif
    private LocalHost? _host;

    /// <summary>Sends requests to it.</summary>
    public HttpClient Client { get; private set; } = new();

    /// <summary>Starts it; a setting or SQL file with a fault fails here, with all faults.</summary>
    public async Task InitializeAsync()
    {
        // Settings that your SQL files need go here, such as ["Secrets:NAME"] for a webhook.
        var settings = new Dictionary<string, string?>();
#if (entra)
        _issuer = await Issuer.StartAsync();
        (settings["Auth:Authority"], settings["Auth:Audience"]) = (_issuer.Authority, Issuer.Audience);
        settings["Auth:Open"] = "false";
#endif
        _host = await LocalHost.StartAsync(
            new LocalOptions { Port = 0, EndpointPort = 0, Settings = settings, LogLevel = LogLevel.Warning }, Console.WriteLine, CancellationToken.None);
        Client = new HttpClient { BaseAddress = _host.BaseAddress, Timeout = TimeSpan.FromMinutes(5) };
#if (entra)
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _issuer.Token(Claims));
#endif
    }

    /// <summary>Asks for JSON, which must be there.</summary>
    public async Task<JsonElement> GetAsync(string path)
    {
        using var response = await Client.GetAsync(path);
        return await ReadAsync(response);
    }

    /// <summary>Posts, which must succeed.</summary>
    public async Task<JsonElement> PostAsync(string path)
    {
        using var response = await Client.PostAsync(path, null);
        return await ReadAsync(response);
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        if (_host is not null)
            await _host.DisposeAsync();
#if (entra)
        if (_issuer is not null)
            await _issuer.DisposeAsync();
#endif
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage response)
    {
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{response.RequestMessage!.Method} {response.RequestMessage.RequestUri}: {(int)response.StatusCode} {body}");
        return JsonSerializer.Deserialize<JsonElement>(body);
    }
}
