using System.Net;
using MdFunctions.Local;
using MdFunctions.Local.Host;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace MdFunctions.Tests.Host;

/// <summary>The limits of <c>host.json</c>, as the Functions host keeps them.</summary>
public sealed class HostFileTests
{
    [Fact]
    public void Our_own_file_sets_no_limits() => Assert.Equal(new HostFile("api", -1, -1), HostFile.Read(LocalHost.RepositoryRoot()));

    [Theory]
    [InlineData("{}", "api", -1, -1)]
    [InlineData("""{ "extensions": { "http": { "routePrefix": "", "maxConcurrentRequests": 5, "maxOutstandingRequests": 7 } } } // comment""", "", 5, 7)]
    public void What_the_file_says_is_read(string json, string prefix, int concurrent, int outstanding)
    {
        var folder = Directory.CreateTempSubdirectory("mdfunctions-tests-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "host.json"), json);
            Assert.Equal(new HostFile(prefix, concurrent, outstanding), HostFile.Read(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task More_than_may_run_wait_and_more_than_may_wait_are_429()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        await using var app = builder.Build();
        new HostFile("api", 2, 3).UseLimits(app);
        var (running, end) = (0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        app.MapGet("/api/work", async context =>
        {
            Interlocked.Increment(ref running);
            await end.Task;
        });
        app.MapGet("/admin/status", _ => Task.CompletedTask);
        await app.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        var inside = new List<Task<HttpResponseMessage>> { client.GetAsync("/api/work"), client.GetAsync("/api/work") };
        while (Volatile.Read(ref running) < 2)
            await Task.Delay(10);

        // Of two more one waits and the other is turned away.
        Task<HttpResponseMessage>[] more = [client.GetAsync("/api/work"), client.GetAsync("/api/work")];
        var first = await Task.WhenAny(more);
        Assert.Equal((HttpStatusCode)429, (await first).StatusCode);
        Assert.Equal("", await (await first).Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/admin/status")).StatusCode);
        Assert.Equal(2, running);
        end.SetResult();
        Assert.All(await Task.WhenAll([.. inside, more.Single(task => task != first)]), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
    }
}
