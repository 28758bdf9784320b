using System.Text;
using MdFunctions.Local;
using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.MotherDuck;
using Xunit.Abstractions;

namespace MdFunctions.Tests.Ingest;

[Collection("Alone")]
public sealed class RestartTests(ITestOutputHelper output)
{
    /// <summary>As GitHub does, no delivery is sent again once it was answered 2xx; what was not is sent again by its id.</summary>
    [Fact]
    public async Task Of_1000_deliveries_with_restarts_in_between_none_is_lost_and_none_doubled()
    {
        const int deliveries = 1000;
        var random = new Random(20261125);
        var restarts = Enumerable.Range(0, 6).Select(_ => random.Next(20, deliveries)).ToHashSet();
        var data = Directory.CreateTempSubdirectory("mdfunctions-tests-").FullName;
        var token = Guid.NewGuid().ToString();
        await using var endpoint = await OwnEndpoint.StartAsync(token, "--data", data);
        await using var app = await LocalApp.StartAsync(
            new LocalOptions { MotherDuck = true, Settings = new Dictionary<string, string?>(endpoint.Settings()) { ["MOTHERDUCK_TOKEN"] = token, ["Secrets:Test"] = Webhook.Secret } },
            new Dictionary<string, string>
            {
                ["ingest/withid.sql"] = "/*\ntarget: my_db.main.withid\nsignature: { scheme: github, secret: Test }\nid: $header_x_delivery\ncolumns: { n: INTEGER }\n*/\nSELECT * FROM body",
                ["ingest/noid.sql"] = "/*\ntarget: my_db.main.noid\nsignature: { scheme: github, secret: Test }\ncolumns: { n: INTEGER }\n*/\nSELECT * FROM body",
                ["queries/with.sql"] = "SELECT count(*) AS n, count(DISTINCT n) AS d FROM my_db.main.withid",
                ["queries/without.sql"] = "SELECT count(*) AS n, count(DISTINCT n) AS d FROM my_db.main.noid",
            });
        int refused = 0, stored = 0;
        for (var n = 0; n < deliveries; n++)
        {
            if (restarts.Contains(n))
            {
                // Killed while one is under way: it may be stored and its answer lost, or the other way round.
                var under = SendAsync("withid", n);
                if (random.Next(2) == 0)
                    await Task.Delay(random.Next(30));
                await endpoint.KillAsync();
                var answer = await under;
                await endpoint.StartAsync();
                refused += answer is 503 or 502 or 504 ? 1 : 0;
                if (answer != 200)
                    Assert.Equal(200, await SendAsync("withid", n)); // It is up again: what the pool still holds is no reason for a 503.
                Assert.Equal(200, await SendAsync("noid", stored++));
                continue;
            }
            Assert.Equal(200, await SendAsync("withid", n));
            if (n % 10 == 0)
                Assert.Equal(200, await SendAsync("noid", stored++));
        }
        output.WriteLine($"{restarts.Count} restarts, {refused} deliveries were answered 5xx at one and sent again");
        var with = (await app.GetJsonAsync("/api/queries/with"))[0];
        Assert.Equal((deliveries, deliveries), (with.GetProperty("n").GetInt32(), with.GetProperty("d").GetInt32()));
        var without = (await app.GetJsonAsync("/api/queries/without"))[0];
        Assert.Equal((stored, stored), (without.GetProperty("n").GetInt32(), without.GetProperty("d").GetInt32()));

        async Task<int> SendAsync(string ingest, int n)
        {
            using var response = await app.Client.SendAsync(Webhook.Request(Encoding.UTF8.GetBytes($"{{\"n\":{n}}}"), $"d-{n}", path: $"/api/ingest/{ingest}"));
            return (int)response.StatusCode;
        }
    }
}
