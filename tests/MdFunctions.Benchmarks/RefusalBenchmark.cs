using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Queries;
using MdFunctions.Local;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace MdFunctions.Benchmarks;

/// <summary>What it costs to turn a request away, in processor time: the app's own part, and all of it with the host and the worker around.</summary>
internal static class RefusalBenchmark
{
    private const int Calls = 30_000;

    /// <summary>Measures and prints.</summary>
    public static Task RunAsync() => BenchmarkHost.WithQueriesAsync(
        new Dictionary<string, string>
        {
            ["one"] = "/*\nparameters:\n  n: { type: integer }\n*/\nSELECT $n AS n",
            ["kept"] = "/*\ncache: 1h\nparameters:\n  n: { type: integer }\n*/\nSELECT $n AS n",
        }, MeasureAsync, more: [("Queries:QueueLimit", "0"), ("Queries:RefusalRate", "0")]);

    private static async Task MeasureAsync(LocalHost app)
    {
        await OverHostAsync(app, "kept"); // In the cache from now on, and everything is compiled.
        var kept = await OverHostAsync(app, "kept");
        var read = app.Services.GetRequiredService<MotherDuckDataSources>().Read;
        for (var i = 0; i < BenchmarkHost.PoolSize; i++)
            await read.OpenAsync(CancellationToken.None); // Nobody gets one any more.
        await EngineAsync(app);
        var (engine, bytes) = await EngineAsync(app);
        await OverHostAsync(app, "one");
        Figures.Print("processor time of a refused request, the app's own code", engine, "us", goal: $"next to nothing; {bytes:0} bytes allocated");
        Figures.Print("  with the host and the worker, its callers apart", await OverHostAsync(app, "one"), "us", kept, "an answer from the cache is 1x");
    }

    // Straight to what the trigger calls.
    private static async Task<(double Microseconds, double Bytes)> EngineAsync(LocalHost app)
    {
        var requests = app.Services.GetRequiredService<QueryRequests>();
        var (time, bytes) = (Environment.CpuUsage.TotalTime, GC.GetTotalAllocatedBytes());
        for (var i = 0; i < Calls; i++)
        {
            var http = new DefaultHttpContext { RequestServices = app.Services };
            (http.Request.Method, http.Request.Path, http.Request.QueryString) = ("GET", "/api/queries/one", new("?n=42"));
            await (await requests.RunAsync(http.Request, "one")).ExecuteAsync(http);
            if (http.Response.StatusCode != 503)
                throw new InvalidOperationException($"A request that had to be refused was answered {http.Response.StatusCode}.");
        }
        return ((Environment.CpuUsage.TotalTime - time).TotalMicroseconds / Calls, (GC.GetTotalAllocatedBytes() - bytes) / (double)Calls);
    }

    private static async Task<double> OverHostAsync(LocalHost app, string query)
    {
        var asked = await Callers.AskAsync($"{app.BaseAddress}api/queries/{query}?n=42", 50, TimeSpan.FromSeconds(5), regard: false);
        return asked.Processor;
    }
}
