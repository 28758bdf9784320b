using MdFunctions.Endpoint.Tests.Infrastructure;
using Npgsql;

namespace MdFunctions.Endpoint.Tests.Settings;

/// <summary>Documented: the settings that drivers send are taken, and told by SHOW.</summary>
public sealed class SettingsTests(DocumentedEndpoint shared) : IClassFixture<DocumentedEndpoint>
{
    private readonly TestEndpoint _endpoint = shared.Endpoint;

    [Theory]
    [InlineData("SET extra_float_digits = 3", "extra_float_digits", "3")]
    [InlineData("SET application_name TO 'a client'", "application_name", "a client")]
    [InlineData("SET SESSION DateStyle = ISO, DMY", "datestyle", "ISO, DMY")]
    [InlineData("SET client_encoding = 'utf-8'", "client_encoding", "UTF8")]
    [InlineData("SET NAMES 'UTF8'", "client_encoding", "UTF8")]
    [InlineData("SET standard_conforming_strings = true", "standard_conforming_strings", "on")]
    [InlineData("SET client_min_messages TO WARNING", "client_min_messages", "warning")]
    [InlineData("SET statement_timeout = '30s'", "statement_timeout", "30s")]
    [InlineData("SET TIME ZONE 'Europe/Vienna'", "TIME ZONE", "Europe/Vienna")]
    [InlineData("SET TimeZone TO 'UTC'", "timezone", "UTC")]
    [InlineData("SELECT 1", "transaction_isolation", "repeatable read")]
    [InlineData("SELECT 1", "TRANSACTION ISOLATION LEVEL", "repeatable read")]
    [InlineData("SELECT 1", "server_version", "16.0")]
    [InlineData("SELECT 1", "search_path", "main")]
    public async Task They_are_taken_and_told(string set, string name, string expected)
    {
        await using var connection = await _endpoint.ConnectAsync();
        await connection.RunAsync(set);
        Assert.Equal([expected], await connection.TextsAsync($"SHOW {name}"));
    }

    [Theory]
    [InlineData("SET client_encoding = 'LATIN1'", "UTF8 only")]
    [InlineData("SET datestyle = 'SQL'", "ISO form only")]
    [InlineData("SET IntervalStyle = 'iso_8601'", "form postgres only")]
    [InlineData("SET standard_conforming_strings = off", "backslash")]
    [InlineData("SET statement_timeout = 'soon'", "milliseconds")]
    [InlineData("SET default_transaction_read_only = on", "may only read")]
    public async Task A_value_that_would_change_answers_is_refused(string sql, string message)
    {
        await using var connection = await _endpoint.ConnectAsync();
        var error = await connection.FailureAsync(sql);
        Assert.Contains(message, error.MessageText, StringComparison.Ordinal);
        Assert.Equal("22023", error.SqlState);
    }

    [Fact]
    public async Task What_is_set_in_a_transaction_goes_with_it()
    {
        await using var connection = await _endpoint.ConnectAsync();
        foreach (var (end, local, plain) in new[] { ("ROLLBACK", "1", "0"), ("COMMIT", "1", "5s") })
        {
            await connection.RunAsync("BEGIN");
            await connection.RunAsync("SET LOCAL extra_float_digits = 2");
            await connection.RunAsync("SET lock_timeout = '5s'");
            Assert.Equal(["2"], await connection.TextsAsync("SHOW extra_float_digits"));
            await connection.RunAsync(end);
            Assert.Equal([local], await connection.TextsAsync("SHOW extra_float_digits"));
            Assert.Equal([plain], await connection.TextsAsync("SHOW lock_timeout"));
        }
    }

    [Fact]
    public async Task RESET_and_DISCARD_ALL_go_back_to_what_the_client_began_with()
    {
        await using var source = NpgsqlDataSource.Create(_endpoint.ConnectionString() + ";Application Name=first;Timezone=Asia/Tokyo");
        await using var connection = await source.OpenConnectionAsync();
        Assert.Equal(["Asia/Tokyo"], await connection.TextsAsync("SHOW TimeZone"));
        foreach (var reset in (string[])["RESET ALL", "DISCARD ALL"])
        {
            await connection.RunAsync("SET application_name = 'changed'");
            await connection.RunAsync("SET TimeZone = 'UTC'");
            await connection.RunAsync(reset);
            Assert.Equal(["first"], await connection.TextsAsync("SHOW application_name"));
            Assert.Equal(["Asia/Tokyo"], await connection.TextsAsync("SHOW TimeZone"));
        }
    }

    [Fact]
    public async Task They_are_told_by_current_setting_and_pg_settings_too()
    {
        await using var connection = await _endpoint.ConnectAsync();
        Assert.Equal(["160000"], await connection.TextsAsync("SELECT current_setting('server_version_num')"));
        Assert.Equal(["UTF8"], await connection.TextsAsync("SELECT setting FROM pg_catalog.pg_settings WHERE name = 'client_encoding'"));
        Assert.Contains("PostgreSQL 16.0", Assert.Single(await connection.TextsAsync("SELECT pg_catalog.version()")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_savepoint_is_taken_and_going_back_to_it_is_not()
    {
        await using var connection = await _endpoint.ConnectAsync();
        await connection.RunAsync("BEGIN");
        await connection.RunAsync("SAVEPOINT a");
        await connection.RunAsync("RELEASE SAVEPOINT a");
        Assert.Contains("whole transaction", (await connection.FailureAsync("ROLLBACK TO SAVEPOINT a")).MessageText, StringComparison.Ordinal);
        await connection.RunAsync("ROLLBACK");
    }

    [Fact]
    public async Task DEALLOCATE_drops_statements_of_PREPARE_one_by_one_and_all()
    {
        await using var connection = await _endpoint.ConnectAsync();
        foreach (var drop in (string[])["DEALLOCATE mine", "DEALLOCATE PREPARE mine", "DEALLOCATE ALL", "DISCARD ALL"])
        {
            await connection.RunAsync("PREPARE mine AS SELECT 1");
            await connection.RunAsync(drop);
            Assert.Equal(["0"], await connection.TextsAsync("SELECT count(*) FROM pg_prepared_statements WHERE name = 'mine'"));
        }
    }
}
