using System.Text;
using System.Text.Json;
using MdFunctions.Engine;
using MdFunctions.Engine.Access;
using MdFunctions.Local;
using MdFunctions.Tests.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace MdFunctions.Tests.Access;

/// <summary>Event Grid has the function key, which the platform checks, and no token.</summary>
public sealed class EventAccessTests(AccessApp app) : IClassFixture<AccessApp>
{
    [Fact]
    public async Task A_delivery_by_function_key_needs_no_token_and_runs_its_loads()
    {
        using (var permission = await app.SendAsync("OPTIONS", "api/events/storage", null, change: request => request.Headers.Add("WebHook-Request-Origin", "eventgrid.azure.net")))
            Assert.Equal(200, (int)permission.StatusCode);
        using (var delivery = await DeliverAsync(app.App, null))
            Assert.Equal(200, (int)delivery.StatusCode);

        var admin = app.Issuer.Token(("roles", new[] { "admin" }));
        using var history = await app.SendAsync("GET", "api/loads/blobs/runs", admin);
        var run = Assert.Single(JsonSerializer.Deserialize<JsonElement>(await history.Content.ReadAsStringAsync()).GetProperty("runs").EnumerateArray());
        Assert.Equal(("succeeded", "event"), (run.GetProperty("status").GetString(), run.GetProperty("trigger").GetString()));
        // Its runs are for those who may run it.
        using var others = await app.SendAsync("GET", "api/loads/blobs/runs", app.Issuer.Token());
        await others.ProblemAsync(403);
        using var nobody = await app.SendAsync("GET", "api/loads/blobs/runs", null);
        await nobody.ProblemAsync(401);
    }

    [Fact]
    public async Task Behind_an_open_trigger_a_delivery_needs_a_token_with_the_loads_role()
    {
        var settings = await SharedEndpoint.SettingsAsync();
        foreach (var (name, value) in app.Issuer.Settings(("Secrets:hook", "x")))
            settings[name] = value;
        var options = new LocalOptions
        {
            MotherDuck = true,
            Settings = settings,
            // What the engine makes of an open trigger: see the test below. (The services are made from the last options registered.)
            Services = services => services.AddSingleton(
                (AccessOptions)services.Last(service => service.ServiceType == typeof(AccessOptions)).ImplementationInstance! with { EventsHaveKey = false }),
        };
        var files = AccessApp.Files.ToDictionary(file => file.Key, file => file.Value.Replace("access_blobs", "access_open_blobs", StringComparison.Ordinal));
        await using var own = await LocalApp.StartAsync(options, files);
        foreach (var (token, status) in ((string?, int)[])[(null, 401), (app.Issuer.Token(), 400), (app.Issuer.Token(("roles", new[] { "admin" })), 200)])
        {
            using var response = await DeliverAsync(own, token);
            Assert.True((int)response.StatusCode == status, $"expected {status}, got {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
        }
    }

    [Fact]
    public void Only_a_trigger_that_asks_for_a_key_takes_the_place_of_a_token()
    {
        Assert.True(Read(AppTriggers.Of(typeof(LoadFunctions))).EventsHaveKey);
        var open = HttpTrigger.Read(typeof(OpenEventFunctions).GetMethod(nameof(OpenEventFunctions.Receive))!)!;
        var none = new Dictionary<string, string>();
        Assert.False(Read(new(none, none) { Http = [open] }).EventsHaveKey);
        Assert.False(Read(new(none, none)).EventsHaveKey);

        static AccessOptions Read(AppTriggers triggers) => AccessOptions.Read(new Settings(new ConfigurationBuilder().Build()), triggers);
    }

    private static Task<HttpResponseMessage> DeliverAsync(LocalApp app, string? token) => AccessApp.SendAsync(app, "POST", "api/events/storage", token, change: request =>
        request.Content = new StringContent(AttemptTests.Blob.Replace("0x1", "0x2", StringComparison.Ordinal), Encoding.UTF8, "application/cloudevents-batch+json"));
}

/// <summary>The trigger of storage events, opened.</summary>
public sealed class OpenEventFunctions(Engine.Loads.StorageEvents events)
{
    [Function("OpenStorageEvents")]
    public Task<IResult> Receive([HttpTrigger(AuthorizationLevel.Anonymous, Route = "events/storage")] HttpRequest request) => events.ReceiveAsync(request);
}
