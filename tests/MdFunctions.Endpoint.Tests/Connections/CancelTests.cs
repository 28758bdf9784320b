using MdFunctions.Endpoint.Tests.Infrastructure;

namespace MdFunctions.Endpoint.Tests.Connections;

/// <summary>Cancel requests, and clients that go away or do not read.</summary>
public sealed class CancelTests(ObservedWire endpoint) : IClassFixture<ObservedWire>
{
    private const string Endless = "SELECT count(*) FROM range(100000000000) t(i) WHERE hash(i) % 7 = 3";

    [Fact]
    public async Task A_cancel_request_stops_a_statement_and_the_session_goes_on()
    {
        await using var client = await endpoint.ConnectAsync();
        await client.SendAsync(Frames.Query(Endless));
        await using (var other = await endpoint.ConnectAsync())
            Assert.Equal([["1"]], await other.RowsAsync("SELECT 1"));
        // A wrong key cancels nothing: the statement is still there for the right one.
        await RawClient.CancelAsync(endpoint.Port, client.Id, client.Secret ^ 1);
        await RawClient.CancelAsync(endpoint.Port, client.Id + 1000, client.Secret);
        await CancelUntilAsync(client, 'Z', message => Assert.Equal("57014", message.Field('C')));
        // In the middle of rows, too.
        await client.SendAsync(Frames.Query("SELECT i, repeat('x', 100) FROM range(100000000) t(i)"));
        await client.UntilAsync('D');
        await CancelUntilAsync(client, 'Z', message => Assert.Equal("57014", message.Field('C')));
        // An idle session has nothing to cancel, and its next statement runs.
        await RawClient.CancelAsync(endpoint.Port, client.Id, client.Secret);
        for (var i = 0; i < 20; i++)
            Assert.Equal("TDCZ", (await client.AskAsync("SELECT 1")).Types());
        // In a transaction it is an error like any other.
        await client.AskAsync("BEGIN TRANSACTION");
        await client.SendAsync(Frames.Query(Endless));
        await CancelUntilAsync(client, 'Z', message => Assert.Equal("57014", message.Field('C')));
        Assert.Contains("Current transaction is aborted", (await client.AskAsync("SELECT 1")).ErrorText());
        Assert.Equal("TCZ", (await client.AskAsync("ROLLBACK")).Types());
    }

    [Fact]
    public async Task A_cancel_request_may_come_over_TLS()
    {
        await using var client = await endpoint.ConnectAsync();
        await client.SendAsync(Frames.Query(Endless));
        var answer = client.UntilAsync('Z');
        while (!answer.IsCompleted)
        {
            await using (var canceller = await RawClient.SecureAsync(endpoint.Port))
            {
                await canceller.SendAsync(Frames.Cancel(client.Id, client.Secret));
                Assert.Null(await canceller.NextAsync());
            }
            await Task.WhenAny(answer, Task.Delay(50));
        }
        Assert.Equal("57014", (await answer).Error().Field('C'));
    }

    [Fact]
    public async Task An_interrupt_does_not_outlive_its_query()
    {
        await using var client = await endpoint.ConnectAsync();
        for (var i = 0; i < 60; i++)
        {
            // Some arrive before the statement, some within it, some after its end.
            await client.SendAsync(Frames.Query("SELECT count(*) FROM range(300000) t(i) WHERE hash(i) % 7 < 7"));
            var cancelled = RawClient.CancelAsync(endpoint.Port, client.Id, client.Secret);
            var first = await client.UntilAsync('Z');
            // It may come when the row is sent already, and the statement is not over yet.
            Assert.True(first.Types() is "TDCZ" or "EZ" or "TEZ" or "TDEZ", first.Types());
            await cancelled;
            Assert.Equal([["1"]], await client.RowsAsync("SELECT 1"));
        }
    }

    [Fact]
    public async Task A_client_that_goes_away_ends_its_statement()
    {
        var client = await endpoint.ConnectAsync();
        await client.SendAsync(Frames.Query(Endless));
        client.Abort();
        for (var i = 0; i < 500 && !endpoint.Log.Contains($"session {client.Id}: closed"); i++)
            await Task.Delay(20);
        Assert.Contains($"session {client.Id}: closed", endpoint.Log);
    }

    [Fact]
    public async Task A_client_that_sends_more_meanwhile_and_goes_away_ends_its_statement_too()
    {
        var client = await endpoint.ConnectAsync();
        await client.SendAsync([Frames.Query(Endless), .. Enumerable.Repeat(Frames.Query("SELECT 1"), 1000)]);
        await client.Stream.ShutdownAsync();
        client.Abort();
        for (var i = 0; i < 500 && !endpoint.Log.Contains($"session {client.Id}: closed"); i++)
            await Task.Delay(20);
        Assert.Contains($"session {client.Id}: closed", endpoint.Log);
    }

    [Fact]
    public async Task What_is_sent_while_a_statement_runs_for_long_is_answered_after_it()
    {
        await using var client = await endpoint.ConnectAsync();
        await client.SendAsync(Frames.Query("SELECT count(*) FROM range(60000000) t(i) WHERE hash(i) % 7 < 7"));
        for (var i = 0; i < 2000; i++)
            await client.SendAsync(Frames.Query($"SELECT '{i} {new string('x', 500)}'"));
        Assert.Equal([["60000000"]], (await client.UntilAsync('Z')).Rows());
        for (var i = 0; i < 2000; i++)
            Assert.StartsWith($"{i} ", (await client.UntilAsync('Z')).Rows()[0][0]);
    }

    [Fact]
    public async Task Messages_over_the_limit_are_refused()
    {
        await using var small = await LocalEndpoint.StartAsync(new LocalEndpointOptions { MaxMessage = 4096 });
        await using var client = await RawClient.ConnectAsync(small.Port);
        await client.SendAsync(Frames.Query($"SELECT '{new string('x', 5000)}'"));
        var error = (await client.UntilAsync('E')).Error();
        Assert.Equal("FATAL", error.Field('S'));
        Assert.Contains("larger than the limit of 4096", error.Field('M'));
        Assert.Null(await client.NextAsync());
    }

    [Fact]
    public async Task A_client_that_reads_slowly_does_not_grow_the_endpoints_memory()
    {
        await using var program = await EndpointProgram.StartAsync("--quiet");
        await using var client = await RawClient.ConnectAsync(program.Port);
        await client.SendAsync(Frames.Query("SELECT repeat('x', 1000) FROM range(2000000)"));
        await Task.Delay(1500);
        program.Process.Refresh();
        var megabytes = program.Process.WorkingSet64 / 1024 / 1024;
        Assert.True(megabytes < 300, $"{megabytes} MB for a result of 2 GB that nobody reads");
        client.Abort();
    }

    // A statement that has not begun yet is not there to be cancelled: the request is repeated, as a user would.
    private async Task CancelUntilAsync(RawClient client, char type, Action<Message> check)
    {
        var answer = client.UntilAsync(type);
        while (!answer.IsCompleted)
        {
            await RawClient.CancelAsync(endpoint.Port, client.Id, client.Secret);
            await Task.WhenAny(answer, Task.Delay(50));
        }
        check((await answer).Error());
    }
}
