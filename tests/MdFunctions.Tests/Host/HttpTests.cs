using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using MdFunctions.Engine.Queries;
using MdFunctions.Local;
using MdFunctions.Local.Host;
using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.Ingest;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Tests.Host;

/// <summary>HTTP functions in the local host are answered as in the Functions host, its unhelpful answers included.</summary>
public sealed class HttpTests
{
    private static readonly Dictionary<string, string> Files = new()
    {
        ["queries/one.sql"] = "SELECT 1 AS n",
        ["queries/many.sql"] = "/*\nmaxRows: 1000000\n*/\nSELECT range AS n, md5(range::VARCHAR) AS text FROM range(1000000)",
    };

    [Theory]
    [InlineData("GET", "api/nothing")]
    [InlineData("GET", "api")]
    [InlineData("GET", "nothing")]
    [InlineData("PUT", "api/queries")]
    public async Task What_no_function_serves_is_an_empty_404(string method, string path)
    {
        await using var app = await LocalApp.StartAsync(Files);
        using var response = await app.Client.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("LoadsDaily", "application/json", "{}", 202)]
    [InlineData("loadsdaily", "application/json", """{ "input": "" }""", 202)]
    [InlineData("Health", "application/json", "{}", 202)]
    [InlineData("None", "application/json", "{}", 404)]
    [InlineData("LoadsDaily", "text/plain", "{}", 415)]
    [InlineData("LoadsDaily", null, "", 415)]
    [InlineData("LoadsDaily", "application/json", "", 400)]
    [InlineData("LoadsDaily", "application/json", "null", 400)]
    [InlineData("LoadsDaily", "application/json", "{", 400)]
    public async Task A_run_by_hand_takes_any_function_and_wants_JSON(string function, string? type, string body, int status)
    {
        await using var app = await LocalApp.StartAsync(Files);
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.ContentType = type is null ? null : new MediaTypeHeaderValue(type);
        using var response = await app.Client.PostAsync($"admin/functions/{function}", content);
        Assert.Equal(status, (int)response.StatusCode);
    }

    [Fact]
    public async Task A_function_that_throws_is_an_empty_500()
    {
        var settings = await SharedEndpoint.SettingsAsync();
        await using var app = await LocalApp.StartAsync(
            new LocalOptions { MotherDuck = true, Settings = settings, Services = services => services.AddSingleton<QueryRequests>(_ => throw new InvalidOperationException("no such service")) }, Files);
        using var response = await app.Client.GetAsync("api/queries/one");
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal("", await response.Content.ReadAsStringAsync());
        Assert.Contains(app.Logs.All, line => line.Contains("Executed 'Functions.Query' (Failed", StringComparison.Ordinal) && line.Contains("no such service", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_worker_that_is_lost_fails_its_calls()
    {
        var worker = new ScriptedWorker("0 0 0 1 1 *") { Succeeds = async _ => { await Task.Delay(-1); return true; } };
        await using var host = await worker.HostAsync([]);
        using var client = new HttpClient { BaseAddress = host.BaseAddress };
        var answer = client.GetAsync("api/page");
        while (worker.Calls.IsEmpty)
            await Task.Delay(20);
        worker.Break();
        using var response = await answer;
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        using var next = await client.GetAsync("api/page");
        Assert.Equal(HttpStatusCode.InternalServerError, next.StatusCode);
    }

    [Fact]
    public async Task A_body_above_Kestrels_own_limit_is_the_apps_413()
    {
        var (app, _) = await Webhook.AppAsync("a: INTEGER");
        await using var __ = app;
        using var request = Webhook.Request(new byte[31_000_000]);
        using var response = await app.Client.SendAsync(request);
        await response.ProblemAsync(413);
    }

    [Fact]
    public async Task A_body_that_stalls_is_ended_by_the_host()
    {
        var (app, _) = await Webhook.AppAsync("a: INTEGER");
        await using var __ = app;
        using var signed = Webhook.Request("[]"u8.ToArray());
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, app.Host.BaseAddress.Port);
        var stream = tcp.GetStream();
        var signature = signed.Headers.GetValues("X-Hub-Signature-256").Single();
        var head = $"POST {signed.RequestUri} HTTP/1.1\r\nHost: localhost\r\nX-Hub-Signature-256: {signature}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n[";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head));
        using var reader = new StreamReader(stream);
        Assert.Equal("HTTP/1.1 500 Internal Server Error", await reader.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public async Task The_worker_says_that_it_knows_the_hosts_telemetry()
    {
        await using var app = await LocalApp.StartAsync(Files);
        Assert.Equal("1.17.0", app.Host.Functions.Capabilities["WorkerOpenTelemetrySchemaVersion"]);
    }

    [Fact]
    public async Task An_answer_is_not_sent_to_the_host_a_second_time()
    {
        var settings = await SharedEndpoint.SettingsAsync();
        settings["LOADS_HOURLY_SCHEDULE"] = settings["LOADS_DAILY_SCHEDULE"] = "0 0 0 1 1 *";
        var returned = new ConcurrentQueue<object?>();
        await using var host = await FunctionsHost.StartAsync(
            new InProcessWorker(
                app =>
                {
                    app.Configuration.AddInMemoryCollection(settings);
                    app.Logging.SetMinimumLevel(LogLevel.Error);
                    app.Use(next => async context =>
                    {
                        await next(context);
                        returned.Enqueue(context.GetInvocationResult().Value);
                    });
                },
                null),
            new FunctionsHostOptions
            {
                Settings = new ConfigurationBuilder().AddInMemoryCollection(settings).Build(),
                ApplicationDirectory = AppContext.BaseDirectory,
                Logging = logging => logging.SetMinimumLevel(LogLevel.Error),
            },
            CancellationToken.None);
        using var client = new HttpClient { BaseAddress = host.BaseAddress };
        foreach (var path in (string[])["api/health", "api/queries", "api/queries/none"])
            Assert.NotEqual("", await (await client.GetAsync(path)).Content.ReadAsStringAsync());
        Assert.Equal([null, null, null], returned);
    }
}
