using MdFunctions.Endpoint.Tests.Infrastructure;
using Npgsql;

namespace MdFunctions.Endpoint.Tests.Clients;

/// <summary>Npgsql with its default settings: it loads types, binds and reads in binary, and resets connections that go back to the pool.</summary>
public sealed class NpgsqlTests(DocumentedEndpoint shared) : IClassFixture<DocumentedEndpoint>
{
    private readonly TestEndpoint _endpoint = shared.Endpoint;

    [Fact]
    public async Task Values_both_ways()
    {
        await using var source = NpgsqlDataSource.Create(_endpoint.ConnectionString());
        var id = Guid.NewGuid();
        await using var command = source.CreateCommand("SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9");
        object[] values =
        [
            "it's 'ß'", 42, 9007199254740993L, 12345678901234567890.123456789m, true, new DateOnly(2024, 2, 29),
            new DateTime(2024, 2, 29, 23, 59, 59, DateTimeKind.Utc).AddTicks(1234560), id, new byte[] { 1, 255 },
        ];
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        await using var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        Assert.Equal(values[0], reader.GetString(0));
        Assert.Equal(values[1], reader.GetInt32(1));
        Assert.Equal(values[2], reader.GetInt64(2));
        Assert.Equal(values[4], reader.GetBoolean(4));
        Assert.Equal(values[5], reader.GetFieldValue<DateOnly>(5));
        Assert.Equal(values[6], reader.GetDateTime(6));
        Assert.Equal(id, reader.GetGuid(7));
        Assert.Equal((byte[])values[8], reader.GetFieldValue<byte[]>(8));
    }

    [Fact]
    public async Task Lists_decimals_and_nulls_are_read()
    {
        await using var source = NpgsqlDataSource.Create(_endpoint.ConnectionString());
        await using var command = source.CreateCommand("SELECT [1, 2, 3], ['a', NULL], 1.10::DECIMAL(10, 2), NULL::INTEGER");
        await using var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        Assert.Equal([1, 2, 3], reader.GetFieldValue<int[]>(0));
        Assert.Equal(new string?[] { "a", null }, reader.GetFieldValue<string?[]>(1));
        Assert.Equal("1.10", reader.GetDecimal(2).ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.True(reader.IsDBNull(3));
    }

    [Fact]
    public async Task A_connection_goes_back_to_the_pool_and_is_as_new()
    {
        await using var source = NpgsqlDataSource.Create(_endpoint.ConnectionString() + ";Maximum Pool Size=1");
        await using (var first = await source.OpenConnectionAsync()) await first.RunAsync("SET application_name = 'changed'");
        await using var second = await source.OpenConnectionAsync();
        Assert.Equal([""], await second.TextsAsync("SHOW application_name"));
    }

    [Fact]
    public async Task A_transaction_with_an_isolation_level_is_refused_in_words_and_one_by_BEGIN_is_kept()
    {
        await using var source = NpgsqlDataSource.Create(_endpoint.ConnectionString());
        await using var connection = await source.OpenConnectionAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            // Npgsql sends BEGIN with the first statement, and names an isolation level.
            Assert.Contains("isolation levels", (await connection.FailureAsync("SELECT 1")).MessageText, StringComparison.Ordinal);
        }
        await using var own = await source.OpenConnectionAsync();
        await own.RunAsync("BEGIN");
        await own.RunAsync("CREATE OR REPLACE TABLE npgsql_t AS SELECT 1 AS a");
        await own.RunAsync("COMMIT");
        await using var other = await source.OpenConnectionAsync();
        Assert.Equal(["1"], await other.TextsAsync("SELECT a FROM npgsql_t"));
    }

    [Fact]
    public async Task A_batch_and_a_prepared_statement()
    {
        await using var source = NpgsqlDataSource.Create(_endpoint.ConnectionString());
        await using var connection = await source.OpenConnectionAsync();
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new("SELECT 1"), new("SELECT $1") { Parameters = { new() { Value = 2 } } } } };
        await using (var reader = await batch.ExecuteReaderAsync())
        {
            Assert.True(await reader.ReadAsync());
            Assert.Equal(1, reader.GetInt32(0));
            Assert.True(await reader.NextResultAsync());
            Assert.True(await reader.ReadAsync());
            Assert.Equal(2, reader.GetInt32(0));
        }
        await using var prepared = new NpgsqlCommand("SELECT count(*) FROM sample_data.hn.hacker_news WHERE id <= $1", connection) { Parameters = { new NpgsqlParameter<long> { TypedValue = 0 } } };
        await prepared.PrepareAsync();
        for (var i = 1; i <= 3; i++)
        {
            ((NpgsqlParameter<long>)prepared.Parameters[0]).TypedValue = 30_000_000 + i;
            Assert.Equal((long)i, await prepared.ExecuteScalarAsync());
        }
    }
}
