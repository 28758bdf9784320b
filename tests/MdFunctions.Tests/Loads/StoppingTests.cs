using MdFunctions.Engine.Loads;
using MdFunctions.Engine.Templates;
using MdFunctions.Tests.MotherDuck;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace MdFunctions.Tests.Loads;

public sealed class StoppingTests
{
    [Fact]
    public async Task A_load_that_waits_when_the_app_stops_is_told_so()
    {
        const string slow = "/*\ntarget: {db}.main.t{n}\nmode: append\n*/\nSELECT sum(a.range * b.range) AS s FROM range(1000000000) a, range(100000) b";
        await using var app = await LoadApp.StartAsync(
            new Dictionary<string, string> { ["a"] = slow.Replace("{n}", "1", StringComparison.Ordinal), ["b"] = slow.Replace("{n}", "2", StringComparison.Ordinal) },
            new Dictionary<string, string?> { ["Loads:Concurrency"] = "1" });
        var services = app.App.Host.Services;
        var runner = services.GetRequiredService<LoadRunner>();
        Task<LoadRun> Run(string load) =>
            runner.RunAsync(new LoadRequest(services.GetRequiredService<TemplateCatalog>().Loads[load], Guid.NewGuid().ToString(), "http", DateTimeOffset.UtcNow, []), TimeSpan.Zero);
        var running = Run("a");
        await Connections.EventuallyAsync(() => app.App.Logs.All.Any(line => line.Contains("Load a: ", StringComparison.Ordinal)), "the first load runs");
        // This one waits for its turn.
        var waiting = Run("b");
        services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        foreach (var run in (Task<LoadRun>[])[running, waiting])
        {
            var failure = await Assert.ThrowsAsync<LoadException>(() => run);
            Assert.Equal((503, "Stopping"), (failure.Problem.Status, failure.Problem.Title));
        }
    }
}
