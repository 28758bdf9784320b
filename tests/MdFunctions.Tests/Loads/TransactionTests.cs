using MdFunctions.Engine.MotherDuck;
using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.MotherDuck;
using Microsoft.Extensions.DependencyInjection;

namespace MdFunctions.Tests.Loads;

/// <summary>What a failed load leaves on its connection, which goes back to the pool.</summary>
public sealed class TransactionTests
{
    private static readonly Dictionary<string, string> Loads = new()
    {
        ["loads/conversion.sql"] = "/*\ntarget: my_db.main.a\nmode: replace\n*/\nSELECT CAST(range || 'x' AS INTEGER) AS n FROM range(10)",
        ["loads/check.sql"] = "/*\ntarget: my_db.main.b\nmode: append\ncheck: SELECT count(*) > 10 FROM staged\n*/\nSELECT 1 AS n",
        ["loads/parser.sql"] = "/*\ntarget: my_db.main.f\nmode: append\ncheck: SELECT 1 +\n*/\nSELECT 1 AS n",
        ["loads/missing.sql"] = "/*\ntarget: my_db.main.c\nmode: merge\nkeys: nothing\n*/\nSELECT 1 AS n",
        ["loads/source.sql"] = "/*\ntarget: my_db.main.d\nmode: append\n*/\nSELECT * FROM read_csv('http://127.0.0.1:9/nothing.csv')",
        ["loads/timeout.sql"] = "/*\ntarget: my_db.main.e\nmode: replace\ntimeout: 300ms\n*/\nSELECT sum(a.range * b.range) AS s FROM range(100000000) a, range(100000) b",
    };

    [Theory]
    [InlineData("idle")]
    [InlineData("truthful")]
    public async Task A_failed_load_never_leaves_its_transaction_open_in_the_pool(string readyStatus)
    {
        var token = Connections.NewToken();
        await using var endpoint = await OwnEndpoint.StartAsync(token, "--ready-status", readyStatus);
        var settings = endpoint.Settings();
        settings["MOTHERDUCK_TOKEN"] = token;
        settings["MotherDuck:MaxWritePoolSize"] = "2";
        await using var app = await LocalApp.StartAsync(new MdFunctions.Local.LocalOptions { MotherDuck = true, Settings = settings }, Loads);
        var pool = app.Host.Services.GetRequiredService<MotherDuckDataSources>().Write;

        for (var round = 0; round < 3; round++)
        {
            foreach (var load in (string[])["conversion", "check", "parser", "missing", "source", "timeout"])
            {
                using var response = await app.Client.PostAsync($"api/loads/{load}", null);
                Assert.False(response.IsSuccessStatusCode, load);
                // Both connections of the pool: outside a transaction each statement has one of its own.
                await using var one = await pool.OpenAsync(CancellationToken.None);
                await using var two = await pool.OpenAsync(CancellationToken.None);
                foreach (var connection in (Npgsql.NpgsqlConnection[])[one, two])
                {
                    var first = await connection.ScalarAsync("SELECT txid_current()", CancellationToken.None);
                    Assert.True(first != await connection.ScalarAsync("SELECT txid_current()", CancellationToken.None), $"a transaction is open after {load}");
                }
            }
        }
        await using var clean = await pool.OpenAsync(CancellationToken.None);
        Assert.Empty(await clean.RowsAsync("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' AND database_name = 'my_db'", [], CancellationToken.None));
    }

    [Fact]
    public async Task The_test_above_would_notice_an_open_transaction()
    {
        await using var connection = await SharedEndpoint.ConnectAsync();
        await connection.ScalarAsync("BEGIN TRANSACTION", CancellationToken.None);
        var first = await connection.ScalarAsync("SELECT txid_current()", CancellationToken.None);
        Assert.Equal(first, await connection.ScalarAsync("SELECT txid_current()", CancellationToken.None));
        await connection.ScalarAsync("ROLLBACK", CancellationToken.None);
    }

    [Fact]
    public async Task A_connection_whose_rollback_fails_is_thrown_away()
    {
        var token = Connections.NewToken();
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        var settings = endpoint.Settings();
        settings["MOTHERDUCK_TOKEN"] = token;
        settings["MotherDuck:MaxWritePoolSize"] = "2";
        await using var app = await LocalApp.StartAsync(new MdFunctions.Local.LocalOptions { MotherDuck = true, Settings = settings }, Loads);
        var pool = app.Host.Services.GetRequiredService<MotherDuckDataSources>().Write;
        int process;
        await using (var connection = await pool.OpenAsync(CancellationToken.None))
        {
            process = connection.ProcessID;
            // A reader that is still open makes ROLLBACK impossible, as Npgsql takes one command at a time.
            var reader = default(Npgsql.NpgsqlDataReader);
            await Assert.ThrowsAsync<TimeZoneNotFoundException>(() => connection.InTransactionAsync<int>(async () =>
            {
                reader = await connection.Statement("SELECT * FROM range(1000000)").ExecuteReaderAsync();
                throw new TimeZoneNotFoundException();
            }, CancellationToken.None));
            await reader!.DisposeAsync();
        }
        await using var next = await pool.OpenAsync(CancellationToken.None);
        Assert.NotEqual(process, next.ProcessID);
    }
}
