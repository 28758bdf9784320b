using MdFunctions.Endpoint.Tests.Infrastructure;

namespace MdFunctions.Endpoint.Tests.Fuzz;

/// <summary>
/// Thousands of malformed and reordered messages: each is answered or its connection is closed, the endpoint lives, and other sessions do not
/// notice. The random numbers are seeded: FUZZ_SEED repeats a run, FUZZ_MESSAGES makes it longer.
/// </summary>
public sealed class FuzzTests(FuzzTests.SmallMessages endpoint) : IClassFixture<FuzzTests.SmallMessages>
{
    private const int Rounds = 5;
    private static readonly int Seed = Setting("FUZZ_SEED", 20240229);
    private static readonly int Messages = Setting("FUZZ_MESSAGES", 3000);
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(60);

    public sealed class SmallMessages() : WireEndpoint(Behaviour.Observed)
    {
        public override LocalEndpointOptions Options => base.Options with { MaxMessage = 1_000_000 };
    }

    [Fact]
    public async Task Messages_well_formed_and_not_in_any_order_do_no_harm()
    {
        var random = new FuzzMessages(Seed);
        await using var healthy = await endpoint.ConnectAsync();
        await RunAsync(random, Messages / 10, healthy); // What every session needs is there before memory is measured.
        var growth = new List<long>();
        for (var round = 0; round < Rounds; round++)
        {
            var before = Memory();
            await RunAsync(random, Messages / Rounds, healthy);
            growth.Add(Memory() - before);
        }
        // Other tests share this process: a round or two may see their memory, where a leak shows in all.
        Assert.True(growth.Order().ElementAt(Rounds / 2) < 32 / Rounds, $"memory grew by {string.Join(", ", growth)} MB (seed {Seed})");
        Assert.DoesNotContain("unexpected", endpoint.Log);
        Assert.Equal([["12000"]], await healthy.RowsAsync("SELECT count(*) FROM sample_data.nyc.taxi"));
    }

    [Fact]
    public async Task Logins_with_wrong_bytes_in_the_clear_and_encrypted_do_no_harm()
    {
        var random = new FuzzMessages(Seed + 2);
        for (var sent = 0; sent < Messages / 10; sent++)
        {
            using (var socket = await RawClient.OpenAsync(endpoint.Port))
            {
                await socket.SendAsync(random.FirstBytes());
                socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
                await DrainAsync(socket).WaitAsync(MaxWait);
            }
            if (sent % 3 != 0)
                continue;
            await using var client = await RawClient.SecureAsync(endpoint.Port);
            await client.SendAsync(random.Login());
            await client.Stream.ShutdownAsync();
            await AllAsync(client).WaitAsync(MaxWait);
        }
        Assert.DoesNotContain("unexpected", endpoint.Log);
    }

    private async Task RunAsync(FuzzMessages random, int count, RawClient healthy)
    {
        for (var sent = 0; sent < count;)
        {
            var sequence = random.Sequence();
            sent += sequence.Length;
            var (token, options) = random.Session();
            await using var client = await endpoint.ConnectAsync(token, options);
            try
            {
                await client.SendAsync(sequence);
                await client.Stream.ShutdownAsync();
            }
            catch (IOException)
            {
                // A fatal error has closed the connection before all was sent.
            }
            await AllAsync(client).WaitAsync(MaxWait);
            if (sent % 50 < 10)
                Assert.Equal([[$"{sent}"]], await healthy.RowsAsync($"SELECT {sent}"));
        }
    }

    private static async Task AllAsync(RawClient client)
    {
        while (await client.NextAsync() is not null)
        {
        }
    }

    private static async Task DrainAsync(System.Net.Sockets.Socket socket)
    {
        try
        {
            var buffer = new byte[4096];
            while (await socket.ReceiveAsync(buffer) > 0)
            {
            }
        }
        catch (System.Net.Sockets.SocketException)
        {
            // Closed with input unread: as good as closed.
        }
    }

    private static long Memory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        return process.WorkingSet64 / 1024 / 1024;
    }

    private static int Setting(string name, int usual) => int.TryParse(Environment.GetEnvironmentVariable(name), out var value) ? value : usual;
}
