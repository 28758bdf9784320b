using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Local;
using MdFunctions.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace MdFunctions.Tests.Queries;

/// <summary>Many callers for a while: what is refused is refused politely, and nothing piles up.</summary>
[Collection("Alone")]
public sealed class SoakTests
{
    [Fact]
    public async Task Two_hundred_callers_for_thirty_seconds_leak_nothing()
    {
        // In a process of its own, the endpoint neither takes the app's threads nor counts as its memory.
        await using var endpoint = await EndpointProcess.StartAsync("local");
        await using var app = await LocalApp.StartAsync(
            new LocalOptions
            {
                MotherDuck = true,
                Settings = new Dictionary<string, string?>
                {
                    ["MOTHERDUCK_TOKEN"] = "local",
                    ["MotherDuck:Host"] = "localhost",
                    ["MotherDuck:Port"] = endpoint.Port.ToString(System.Globalization.CultureInfo.InvariantCulture),
                    ["MotherDuck:RootCertificate"] = endpoint.CaFile,
                    ["MotherDuck:MaxPoolSize"] = "4",
                },
            },
            new Dictionary<string, string>
            {
                ["queries/some.sql"] = "/*\nparameters:\n  n: { type: integer }\n*/\nSELECT i, 'row ' || i AS t FROM range(500) r(i) WHERE i < $n",
                ["queries/fails.sql"] = "SELECT error('on purpose') AS e",
            });
        using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 200 }) { BaseAddress = app.Client.BaseAddress };
        var statuses = new ConcurrentDictionary<HttpStatusCode, int>();
        var wrong = new ConcurrentQueue<string>();
        var clock = Stopwatch.StartNew();

        var callers = Enumerable.Range(0, 200).Select(async caller =>
        {
            var random = new Random(caller);
            while (clock.Elapsed < TimeSpan.FromSeconds(30))
            {
                // One in ten fails at MotherDuck, one in ten goes away before its answer is there.
                var kind = random.Next(10);
                using var gone = new CancellationTokenSource();
                if (kind == 1)
                    gone.CancelAfter(random.Next(20));
                try
                {
                    using var response = await client.GetAsync(kind == 0 ? "/api/queries/fails" : $"/api/queries/some?n={random.Next(500)}", gone.Token);
                    statuses.AddOrUpdate(response.StatusCode, 1, (_, n) => n + 1);
                    var isExpected = response.StatusCode switch
                    {
                        HttpStatusCode.OK => kind != 0,
                        HttpStatusCode.BadGateway => kind == 0,
                        HttpStatusCode.ServiceUnavailable => response.Headers.RetryAfter is not null,
                        _ => false,
                    };
                    if (!isExpected)
                        wrong.Enqueue($"{response.StatusCode}: {await response.Content.ReadAsStringAsync(CancellationToken.None)}");
                    if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
                        await Task.Delay(100, CancellationToken.None);
                }
                catch (OperationCanceledException) when (kind == 1)
                {
                }
            }
        }).ToList();
        await Task.Delay(TimeSpan.FromSeconds(5));
        var (early, before) = (Live(), statuses.Values.Sum());
        await Task.WhenAll(callers);
        var (late, requests) = (Live(), statuses.Values.Sum() - before);

        Assert.True(wrong.IsEmpty, string.Join('\n', wrong.Take(5)) + $"\n{wrong.Count} of {string.Join(", ", statuses)}\n{string.Join('\n', app.Logs.All.Where(line => line.Contains("MotherDuck", StringComparison.Ordinal) && !line.Contains("on purpose", StringComparison.Ordinal) && !line.StartsWith("Debug", StringComparison.Ordinal) && !line.StartsWith("Trace", StringComparison.Ordinal)).GroupBy(line => line[..Math.Min(160, line.Length)]).Take(20).Select(group => $"{group.Count()} x {group.Key}"))}");
        Assert.True(statuses.GetValueOrDefault(HttpStatusCode.OK) > 200, string.Join(", ", statuses));
        // What lives is as much as after five seconds. A leak of one kilobyte a request would be over the bound: else there were too few requests to tell.
        var bound = (2 * 1024 * 1024) + (requests * 256L);
        Assert.True(late - early < bound, $"{late - early} bytes more live after {requests} requests");
        Assert.True(late - early + (requests * 1024L) > bound, $"{requests} requests show no leak of a kilobyte each, at {late - early} bytes more");
        var pool = app.Host.Services.GetRequiredService<MotherDuckDataSources>().Read;
        for (var i = 0; i < 100 && pool.State.InUse > 0; i++)
            await Task.Delay(50);
        Assert.Equal(0, pool.State.InUse);
        Assert.InRange(pool.State.Idle, 0, 4);
        for (var i = 0; i < 8; i++)
            Assert.Equal(3, (await app.GetJsonAsync("/api/queries/some?n=3")).GetArrayLength());

        // The log lines that this test keeps are its own.
        long Live() => GC.GetTotalMemory(forceFullCollection: true) - app.Logs.All.Sum(line => 64 + (2L * line.Length));
    }
}
