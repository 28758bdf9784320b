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

        // What grows a request, in bytes, in each of five rounds. Memory that others left in the process may go in one of them, and hide a leak there.
        await RoundAsync(0);
        var growth = new List<double>();
        for (var (round, before) = (1, Live()); round <= 5; round++)
        {
            var requests = await RoundAsync(round);
            var after = Live();
            growth.Add((after - before) / (double)requests);
            before = after;
        }

        Assert.True(wrong.IsEmpty, string.Join('\n', wrong.Take(5)) + $"\n{wrong.Count} of {string.Join(", ", statuses)}\n{string.Join('\n', app.Logs.All.Where(line => line.Contains("MotherDuck", StringComparison.Ordinal) && !line.Contains("on purpose", StringComparison.Ordinal) && !line.StartsWith("Debug", StringComparison.Ordinal) && !line.StartsWith("Trace", StringComparison.Ordinal)).GroupBy(line => line[..Math.Min(160, line.Length)]).Take(20).Select(group => $"{group.Count()} x {group.Key}"))}");
        Assert.True(statuses.GetValueOrDefault(HttpStatusCode.OK) > 200, string.Join(", ", statuses));
        Assert.True(growth.Order().ElementAt(growth.Count / 2) < 512, $"Bytes more live after each request, by round: {string.Join(", ", growth)}");
        var pool = app.Host.Services.GetRequiredService<MotherDuckDataSources>().Read;
        for (var i = 0; i < 100 && pool.State.InUse > 0; i++)
            await Task.Delay(50);
        Assert.Equal(0, pool.State.InUse);
        Assert.InRange(pool.State.Idle, 0, 4);
        for (var i = 0; i < 8; i++)
            Assert.Equal(3, (await app.GetJsonAsync("/api/queries/some?n=3")).GetArrayLength());

        async Task<int> RoundAsync(int round)
        {
            var before = statuses.Values.Sum();
            var clock = Stopwatch.StartNew();
            await Task.WhenAll(Enumerable.Range(0, 200).Select(caller => CallAsync(new Random((round * 200) + caller), () => clock.Elapsed > TimeSpan.FromSeconds(5))));
            var requests = statuses.Values.Sum() - before;
            Assert.True(requests > 1000, $"{requests} requests are too few to tell a leak of a kilobyte each.");
            return requests;
        }

        async Task CallAsync(Random random, Func<bool> isOver)
        {
            while (!isOver())
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
        }

        // The log lines that this test keeps are its own.
        long Live() => GC.GetTotalMemory(forceFullCollection: true) - app.Logs.All.Sum(line => 64 + (2L * line.Length));
    }
}
