using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.MotherDuck;

namespace MdFunctions.Tests.Ingest;

/// <summary>A webhook's value arrives in the table as it was sent, or the delivery is refused; and what becomes of a target whose columns differ.</summary>
public sealed class ExactIngestTests
{
    [Fact]
    public async Task A_narrower_target_refuses_what_it_would_round()
    {
        var (app, table) = await Webhook.AppAsync("id: BIGINT\namount: 'DECIMAL(38,10)'\nf: DOUBLE");
        await using var _ = app;
        await CreateAsync(table, "id BIGINT, amount DECIMAL(18,2), f INTEGER");
        foreach (var (body, why) in (IEnumerable<(string, string)>)
        [
            ("""{"id":1,"amount":12.3456,"f":2}""", "column 'amount': 12.3456000000 cannot be stored exactly as DECIMAL(18,2)"),
            ("""{"id":1,"amount":12.34,"f":2.7}""", "column 'f': 2.7 cannot be stored exactly as INTEGER"),
            ("""{"id":1,"amount":12.34,"f":3000000000}""", "column 'f': 3000000000.0 cannot be stored exactly as INTEGER"),
        ])
        {
            using var refused = await app.SendAsync(body);
            Assert.Contains(why, (await refused.ProblemAsync(422)).GetProperty("detail").GetString());
        }
        await app.StoreAsync("""{"id":1,"amount":12.3400,"f":2}""");
        Assert.Equal("1|12.34|2", await Webhook.RowAsync($"FROM {table}"));
    }

    [Fact]
    public async Task A_target_that_changes_between_two_deliveries_rounds_nothing()
    {
        var (app, table) = await Webhook.AppAsync("id: BIGINT\namount: 'DECIMAL(18,4)'");
        await using var _ = app;
        await app.StoreAsync("""{"id":1,"amount":12.3456}""");
        await Webhook.RowsAsync($"CREATE OR REPLACE TABLE {table} (id BIGINT, amount DECIMAL(18,2))");
        using var refused = await app.SendAsync("""{"id":1,"amount":12.3456}""");
        await refused.ProblemAsync(422);
        await app.StoreAsync("""{"id":2,"amount":12.34}""");
        Assert.Equal("2|12.34", await Webhook.RowAsync($"FROM {table}"));
        await Webhook.RowsAsync($"DROP TABLE {table}");
        await app.StoreAsync("""{"id":3,"amount":12.3456}""");
        Assert.Equal("3|12.3456", await Webhook.RowAsync($"FROM {table}"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("onSchemaChange: fail")]
    [InlineData("onSchemaChange: addColumns\nid: $header_x_delivery")]
    [InlineData("onSchemaChange: addColumns")]
    public async Task A_new_column_is_added_or_refused(string more)
    {
        var table = $"my_db.{Webhook.NewSchema()}.events";
        await CreateAsync(table, "id BIGINT");
        await using var app = await LocalApp.StartAsync(
            new Dictionary<string, string>
            {
                ["ingest/events.sql"] = $"/*\ntarget: {table}\nsignature: {{ scheme: github, secret: Test }}\n{more}\ncolumns: {{ id: BIGINT, extra: VARCHAR }}\n*/\nSELECT id, extra FROM body",
            }, Webhook.Settings);
        const string body = """{"id":1,"extra":"x"}""";
        if (more.Contains("addColumns", StringComparison.Ordinal))
        {
            await app.StoreAsync(body, "1");
            await app.StoreAsync(body.Replace('1', '2'), "2");
            Assert.Equal("1|x,2|x", string.Join(',', (await Webhook.RowsAsync($"FROM {table} ORDER BY id")).Select(row => string.Join('|', row))));
            return;
        }
        // The log says so before anybody sends.
        await Connections.EventuallyAsync(() => app.Logs.All.Any(line => line.Contains("will store nothing: column 'extra' is not in the target", StringComparison.Ordinal)), "the check at the start");
        using var refused = await app.SendAsync(body);
        Assert.Contains("column 'extra' is not in the target ('onSchemaChange: addColumns' would add it)", (await refused.ProblemAsync(503)).GetProperty("detail").GetString());
        await Webhook.RowsAsync($"ALTER TABLE {table} ADD COLUMN extra VARCHAR");
        await app.StoreAsync(body);
    }

    private static async Task CreateAsync(string table, string columns)
    {
        await Webhook.RowsAsync($"CREATE SCHEMA IF NOT EXISTS {table[..table.LastIndexOf('.')]}");
        await Webhook.RowsAsync($"CREATE TABLE {table} ({columns})");
    }
}
