using MdFunctions.Endpoint.Tests.Infrastructure;

namespace MdFunctions.Endpoint.Tests.Sessions;

/// <summary>
/// Several statements before one Sync. An error skips all that comes until Sync, as PostgreSQL's protocol has it. What ran before it stays, as MotherDuck's
/// page has it: transactions follow DuckDB's model, where a statement outside of BEGIN commits by itself. Within BEGIN nothing stays.
/// </summary>
public abstract class PipelineTests(WireEndpoint endpoint)
{
    [Fact]
    public async Task After_an_error_in_the_second_of_three_the_third_is_skipped_and_the_first_stays()
    {
        await using var client = await endpoint.ConnectAsync();
        await client.AskAsync("CREATE OR REPLACE TABLE piped (a INTEGER)");
        var messages = await client.AskAsync([.. Insert("1"), .. Insert("error('second')"), .. Insert("3"), Frames.Sync]);
        Assert.Equal("12C12EZ", messages.Types().Replace("D", "", StringComparison.Ordinal));
        Assert.Contains("second", messages.ErrorText());
        Assert.Equal("I", messages[^1].Text);
        Assert.Equal([["1"]], await client.RowsAsync("SELECT a FROM piped"));
        // Others see it too: it is committed.
        await using var other = await endpoint.ConnectAsync();
        Assert.Equal([["1"]], await other.RowsAsync("SELECT a FROM piped"));
    }

    [Theory]
    [InlineData("INSERT INTO piped_parse VALUES (nope)")]
    [InlineData("INSERT INTO piped_parse VALUES (")]
    [InlineData("INSTALL httpfs")]
    public async Task An_error_of_Parse_skips_what_follows_it_as_well(string wrong)
    {
        await using var client = await endpoint.ConnectAsync();
        await client.AskAsync("CREATE OR REPLACE TABLE piped_parse (a INTEGER)");
        var messages = await client.AskAsync(
            [.. Insert("1", "piped_parse"), Frames.Parse("", wrong), Frames.Bind(), Frames.Execute(), .. Insert("3", "piped_parse"), Frames.Flush, Frames.Sync]);
        Assert.Equal("12CEZ", messages.Types().Replace("D", "", StringComparison.Ordinal));
        Assert.Equal([["1"]], await client.RowsAsync("SELECT a FROM piped_parse"));
        // After Sync all is well.
        Assert.Equal("12CZ", (await client.AskAsync([.. Insert("4", "piped_parse"), Frames.Sync])).Types().Replace("D", "", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Within_a_transaction_an_error_undoes_what_came_before()
    {
        await using var client = await endpoint.ConnectAsync();
        await client.AskAsync("CREATE OR REPLACE TABLE piped_begin (a INTEGER)");
        var messages = await client.AskAsync(
            [.. Statement("BEGIN"), .. Insert("1", "piped_begin"), .. Insert("error('third')", "piped_begin"), .. Insert("3", "piped_begin"), .. Statement("COMMIT"), Frames.Sync]);
        Assert.Equal("12C12C12EZ", messages.Types().Replace("D", "", StringComparison.Ordinal));
        // The COMMIT was skipped: the transaction is there still, and failed.
        Assert.Equal(endpoint.Options.Behaviour == Behaviour.Documented ? "E" : "I", messages[^1].Text);
        Assert.Contains("aborted", (await client.AskAsync("SELECT 1")).ErrorText());
        await client.AskAsync("ROLLBACK");
        Assert.Empty(await client.RowsAsync("SELECT a FROM piped_begin"));
    }

    [Fact]
    public async Task Three_that_succeed_are_all_there_and_a_transaction_may_begin_and_end_before_one_Sync()
    {
        await using var client = await endpoint.ConnectAsync();
        await client.AskAsync("CREATE OR REPLACE TABLE piped_all (a INTEGER)");
        await client.AskAsync([.. Insert("1", "piped_all"), .. Insert("2", "piped_all"), .. Insert("3", "piped_all"), Frames.Sync]);
        var messages = await client.AskAsync([.. Statement("BEGIN"), .. Insert("4", "piped_all"), .. Statement("COMMIT"), .. Statement("BEGIN"), .. Insert("5", "piped_all"), .. Statement("ROLLBACK"), Frames.Sync]);
        Assert.Equal(("", "I"), (messages.ErrorText(), messages[^1].Text));
        Assert.Equal([["1"], ["2"], ["3"], ["4"]], await client.RowsAsync("SELECT a FROM piped_all ORDER BY a"));
    }

    private static byte[][] Insert(string value, string table = "piped") => Statement($"INSERT INTO {table} SELECT {value}");

    private static byte[][] Statement(string sql) => [Frames.Parse("", sql), Frames.Bind(), Frames.Execute()];
}

public sealed class DocumentedPipelineTests(DocumentedWire endpoint) : PipelineTests(endpoint), IClassFixture<DocumentedWire>;

public sealed class ObservedPipelineTests(ObservedWire endpoint) : PipelineTests(endpoint), IClassFixture<ObservedWire>;
