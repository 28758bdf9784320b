using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Xunit.Abstractions;

namespace MdFunctions.Tests.Ingest;

public sealed class ExactlyOnceTests(ITestOutputHelper output)
{
    private const string Columns = "delivery: INTEGER NOT NULL\nrow: INTEGER NOT NULL\nname: VARCHAR";

    [Fact]
    public async Task Of_5000_concurrent_deliveries_of_100_rows_sent_twice_each_row_is_stored_exactly_once()
    {
        const int deliveries = 5000, rows = 100;
        var (app, table) = await Webhook.AppAsync(Columns, more: "id: $header_x_delivery");
        await using var _ = app;
        // The sockets at both ends are this process's.
        using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 5000 }) { BaseAddress = app.Host.BaseAddress, Timeout = TimeSpan.FromMinutes(3) };
        var bodies = Enumerable.Range(0, deliveries).Select(delivery => JsonSerializer.SerializeToUtf8Bytes(
            Enumerable.Range(0, rows).Select(row => new { delivery, row, name = $"row {row} of {delivery}" }))).ToArray();
        var start = Stopwatch.GetTimestamp();
        int stored = 0, duplicates = 0, turnedAway = 0;

        await Task.WhenAll(Enumerable.Range(0, 2 * deliveries).Select(n => Task.Run(() => DeliverAsync(n / 2))));

        output.WriteLine($"{2 * deliveries} deliveries in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s, {turnedAway} sent again");
        Assert.Equal((deliveries, deliveries), (stored, duplicates));
        Assert.Equal(
            $"{deliveries * rows}|{deliveries * rows}|{deliveries}",
            await Webhook.RowAsync($"SELECT count(*), count(DISTINCT (delivery, row)), count(DISTINCT delivery) FROM {table} WHERE name = format('row {{}} of {{}}', row, delivery)"));
        Assert.Equal($"{deliveries * rows}", await Webhook.ScalarAsync($"SELECT count(*) FROM {table}"));

        // As a sender does: what is turned away is sent again when the answer says so.
        async Task DeliverAsync(int delivery)
        {
            while (true)
            {
                using var response = await client.SendAsync(Webhook.Request(bodies[delivery], $"delivery-{delivery}"));
                var text = await response.Content.ReadAsStringAsync();
                if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
                {
                    Interlocked.Increment(ref turnedAway);
                    await Task.Delay(response.Headers.RetryAfter!.Delta!.Value);
                    continue;
                }
                Assert.True(response.StatusCode == HttpStatusCode.OK, $"{(int)response.StatusCode}: {text}");
                var answer = JsonSerializer.Deserialize<JsonElement>(text);
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
}
