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
}
