using System.Diagnostics;
using System.Net;
using System.Text.Json;
using MdFunctions.Tests.Infrastructure;
using Xunit.Abstractions;

namespace MdFunctions.Tests.Ingest;

[Collection("Alone")]
public sealed class ExactlyOnceTests(ITestOutputHelper output)
{
    private const string Columns = "delivery: INTEGER NOT NULL\nrow: INTEGER NOT NULL\nname: VARCHAR";

    [Fact]
    public async Task Of_5000_concurrent_deliveries_of_100_rows_sent_twice_each_row_is_stored_exactly_once()
    {
        const int deliveries = 5000, rows = 100;
        var run = Guid.NewGuid();
        var (app, table) = await Webhook.AppAsync(Columns, more: "id: $header_x_delivery");
        await using var _ = app;
        // The sockets at both ends are this process's.
        using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 5000 }) { BaseAddress = app.Host.BaseAddress, Timeout = TimeSpan.FromMinutes(3) };
        var bodies = Enumerable.Range(0, deliveries).Select(delivery => JsonSerializer.SerializeToUtf8Bytes(
            Enumerable.Range(0, rows).Select(row => new { delivery, row, name = $"row {row} of {delivery}" }))).ToArray();
        var start = Stopwatch.GetTimestamp();
        int stored = 0, duplicates = 0, again = 0, broken = 0;

        await Task.WhenAll(Enumerable.Range(0, 2 * deliveries).Select(n => Task.Run(() => DeliverAsync(n / 2))));

        output.WriteLine($"{2 * deliveries} deliveries in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s; {again} sent again as the answer asked, {broken} after a broken connection or a timeout");
        Assert.Equal(2 * deliveries, stored + duplicates);
        Assert.InRange(stored, deliveries - broken, deliveries); // The answer of one that broke may be lost.
        Assert.Equal(
            $"{deliveries * rows}|{deliveries * rows}|{deliveries}",
            await Webhook.RowAsync($"SELECT count(*), count(DISTINCT (delivery, row)), count(DISTINCT delivery) FROM {table} WHERE name = format('row {{}} of {{}}', row, delivery)"));
        Assert.Equal($"{deliveries * rows}", await Webhook.ScalarAsync($"SELECT count(*) FROM {table}"));

        // As a sender does: what is turned away or breaks off is sent again.
        async Task DeliverAsync(int delivery)
        {
            while (true)
            {
                HttpResponseMessage response;
                try
                {
                    response = await client.SendAsync(Webhook.Request(bodies[delivery], $"{run}-{delivery}"));
                }
                catch (HttpRequestException)
                {
                    Interlocked.Increment(ref broken); // The listener's queue of new connections is short.
                    await Task.Delay(1000);
                    continue;
                }
                using var _ = response;
                if (response.StatusCode == HttpStatusCode.GatewayTimeout)
                {
                    Interlocked.Increment(ref broken); // A machine as busy as that: whether it was stored is not known.
                    continue;
                }
                if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
                {
                    Interlocked.Increment(ref again);
                    await Task.Delay(response.Headers.RetryAfter!.Delta!.Value);
                    continue;
                }
                var answer = await response.StoredAsync();
                var duplicate = answer.GetProperty("duplicate").GetBoolean();
                Assert.Equal(duplicate ? 0 : rows, answer.GetProperty("inserted").GetInt32());
                if (duplicate)
                    Interlocked.Increment(ref duplicates);
                else
                    Interlocked.Increment(ref stored);
                return;
            }
        }
    }

    [Fact]
    public async Task Two_instances_that_get_the_same_deliveries_at_once_store_each_once()
    {
        const int deliveries = 150;
        var table = $"my_db.{Webhook.NewSchema()}.events";
        var files = new Dictionary<string, string>
        {
            // A name of its own: the ids of one ingest are one set, whatever its target.
            [$"ingest/{table.Split('.')[1]}.sql"] = $"/*\ntarget: {table}\nsignature: {{ scheme: github, secret: Test }}\nid: $header_x_delivery\ncolumns: {{ delivery: INTEGER }}\n*/\nSELECT * FROM body",
        };
        await using var one = await LocalApp.StartAsync(files, Webhook.Settings);
        await using var other = await LocalApp.StartAsync(files, Webhook.Settings);

        var answers = await Task.WhenAll(Enumerable.Range(0, 2 * deliveries).Select(async n =>
        {
            using var response = await (n % 2 == 0 ? one : other).Client.SendAsync(
                Webhook.Request(JsonSerializer.SerializeToUtf8Bytes(new { delivery = n / 2 }), $"delivery-{n / 2}", path: $"/api/ingest/{table.Split('.')[1]}"));
            return (await response.StoredAsync()).GetProperty("duplicate").GetBoolean();
        }));

        output.WriteLine($"{one.Logs.All.Concat(other.Logs.All).Count(line => line.Contains("met another writer", StringComparison.Ordinal))} conflicts");
        Assert.Equal(deliveries, answers.Count(duplicate => duplicate));
        Assert.Equal($"{deliveries}|{deliveries}", await Webhook.RowAsync($"SELECT count(*), count(DISTINCT delivery) FROM {table}"));
    }

    [Fact]
    public async Task A_delivery_that_was_refused_can_be_sent_again_under_its_id()
    {
        var (app, table) = await Webhook.AppAsync("a: VARCHAR", "SELECT a::INTEGER AS a FROM body", more: "id: $header_x_delivery");
        await using var _ = app;
        var id = Guid.NewGuid().ToString();
        using var refused = await app.SendAsync("""[{"a": "1"}, {"a": "one"}]""", id);
        await refused.ProblemAsync(422);
        Assert.False((await app.StoreAsync("""[{"a": "1"}, {"a": "1"}]""", id)).GetProperty("duplicate").GetBoolean());
        Assert.Equal("1,1", await Webhook.ScalarAsync($"SELECT string_agg(a, ',') FROM {table}"));
        using var without = await app.SendAsync("""{"a": "1"}""");
        Assert.Contains("header x-delivery is missing", (await without.ProblemAsync(400)).GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sender_that_hangs_up_after_its_body_has_its_rows_stored()
    {
        // The statement takes a while, and the sender does not wait for it.
        var (app, table) = await Webhook.AppAsync("a: INTEGER", "SELECT a, (SELECT count(*) FROM range(20000) AS x(i), range(20000) AS y(j) WHERE (i * j) % 7 = a) AS n FROM body", more: "timeout: 2m");
        await using var _ = app;
        await app.StoreAsync("[]");
        using var deadline = new CancellationTokenSource(TimeSpan.FromMilliseconds(400));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => app.Client.SendAsync(Webhook.Request("{\"a\": 1}"u8.ToArray()), deadline.Token));
        Assert.Equal("0", await Webhook.ScalarAsync($"SELECT count(*) FROM {table}"));
        for (var tries = 0; await Webhook.ScalarAsync($"SELECT count(*) FROM {table}") == "0"; tries++)
        {
            Assert.True(tries < 1200, "The row did not arrive.");
            await Task.Delay(100);
        }
    }
}
