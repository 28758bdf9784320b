using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Ingest;

public sealed class OverloadTests
{
    [Fact]
    public async Task Who_cannot_be_served_in_time_is_told_to_come_again_and_nothing_of_it_is_stored()
    {
        // Every statement takes far longer than the two seconds it has, and there are two connections for all.
        var (app, table) = await Webhook.AppAsync(
            "a: INTEGER", "SELECT a, (SELECT count(*) FROM range(300000) AS x(i), range(200000) AS y(j) WHERE (i * j) % 7 = a) AS n FROM body", more: "timeout: 2s",
            settings: new() { ["MotherDuck:MaxWritePoolSize"] = "2" });
        await using var _ = app;
        await app.StoreAsync("[]");

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => app.SendAsync("""{"a": 1}""")));

        foreach (var answer in answers)
        {
            await answer.ProblemAsync(answer.Headers.RetryAfter is null ? 504 : 503);
            answer.Dispose();
        }
        Assert.InRange(answers.Count(answer => answer.Headers.RetryAfter is not null), 1, 7);
        // The connection is free again, and no transaction was left open on it.
        await app.StoreAsync("[]");
        Assert.Equal("0", await Webhook.ScalarAsync($"SELECT count(*) FROM {table}"));
    }

    [Fact]
    public async Task Many_deliveries_with_one_id_let_another_ingest_pass()
    {
        var schema = Webhook.NewSchema();
        string File(string table, string select, string more) =>
            $"/*\ntarget: my_db.{schema}.{table}\nsignature: {{ scheme: github, secret: Test }}\n{more}\ntimeout: 4s\ncolumns: {{ a: INTEGER }}\n*/\n{select}";
        await using var app = await LocalApp.StartAsync(
            new Dictionary<string, string>
            {
                ["ingest/slow.sql"] = File("slow", "SELECT a, (SELECT count(*) FROM range(300000) AS x(i), range(200000) AS y(j) WHERE (i * j) % 7 = a) AS n FROM body", "id: $header_x_delivery"),
                ["ingest/events.sql"] = File("events", "SELECT * FROM body", ""),
            },
            new Dictionary<string, string?>(Webhook.Settings) { ["MotherDuck:MaxWritePoolSize"] = "2" });
        var slow = Enumerable.Range(0, 9).Select(_ => app.Client.SendAsync(Webhook.Request("""{"a": 1}"""u8.ToArray(), "one id", path: "/api/ingest/slow"))).ToList();
        await Task.Delay(500);
        await app.StoreAsync("""{"a": 1}""");
        Assert.DoesNotContain(slow, delivery => delivery.IsCompleted);
        foreach (var response in await Task.WhenAll(slow))
            response.Dispose();
    }
}
