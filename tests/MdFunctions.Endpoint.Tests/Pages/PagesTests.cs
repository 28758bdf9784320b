using System.Diagnostics;
using System.Text.RegularExpressions;
using MdFunctions.Endpoint.Tests.Infrastructure;
using Npgsql;

namespace MdFunctions.Endpoint.Tests.Pages;

/// <summary>The statements of MotherDuck's own pages about its Postgres endpoint: what works there works here, and what does not work there does not.</summary>
public sealed class PagesTests(DocumentedEndpoint shared) : IClassFixture<DocumentedEndpoint>
{
    private const string Stories = "SELECT title, score FROM sample_data.hn.hacker_news WHERE type = 'story' ORDER BY score DESC LIMIT 5";

    private readonly TestEndpoint _endpoint = shared.Endpoint;

    [Fact]
    public async Task The_query_of_the_Python_page()
    {
        await using var client = await _endpoint.ConnectAsync();
        Assert.Equal(5, (await client.TextsAsync(Stories)).Length);
        Assert.Equal(["my_db"], await client.TextsAsync("SELECT current_database()"));
    }

    [Fact]
    public async Task Loading_on_the_server_and_rows_from_memory_with_multi_values_INSERT()
    {
        await using var files = await WebFiles.StartAsync();
        files.Put("/weather.csv", "city,temp_lo,temp_hi,prcp,date\nSan Francisco,46,50,0.25,1994-11-27\nHayward,37,54,,1994-11-29\n");
        await using var client = await _endpoint.ConnectAsync();
        await client.RunAsync(
            $"""
            CREATE OR REPLACE TABLE my_db.main.weather_events AS
            SELECT *
            FROM read_csv(
                '{files.Url}/weather.csv',
                HEADER = true,
                AUTO_DETECT = true,
                MD_RUN = REMOTE
            )
            """);
        Assert.Equal(["Hayward|54|1994-11-29", "San Francisco|50|1994-11-27"], await client.TextsAsync("SELECT city, temp_hi, date FROM weather_events ORDER BY 1"));
        await using var insert = new NpgsqlCommand("INSERT INTO weather_events (city, temp_lo) VALUES ($1, $2), ($3, $4)", client)
        {
            Parameters = { new() { Value = "Zürich" }, new() { Value = 1 }, new() { Value = "Basel" }, new() { Value = 2 } },
        };
        Assert.Equal(2, await insert.ExecuteNonQueryAsync());
    }

    /// <summary>What the pages call unsupported, in their order.</summary>
    [Theory]
    [InlineData("COPY weather_events FROM '/local/file.csv'", "COPY ... FROM a local file")]
    [InlineData("COPY weather_events FROM STDIN", "COPY ... FROM STDIN")]
    [InlineData("EXPORT DATABASE '/tmp/x'", "EXPORT DATABASE")]
    [InlineData("IMPORT DATABASE '/tmp/x'", "IMPORT DATABASE")]
    [InlineData("ATTACH ':memory:'", "ATTACH")]
    [InlineData("ATTACH '/path/to/file.duckdb'", "ATTACH")]
    [InlineData("CREATE DATABASE d FROM '/path/to/file.duckdb'", "CREATE DATABASE ... FROM a path")]
    [InlineData("SELECT * FROM read_csv('https://localhost/x.csv', MD_RUN=LOCAL)", "MD_RUN = LOCAL")]
    [InlineData("INSTALL httpfs", "INSTALL")]
    [InlineData("LOAD httpfs", "LOAD")]
    [InlineData("CREATE SECRET (TYPE s3)", "CREATE SECRET")]
    [InlineData("CREATE RESULT r AS SELECT 1", "CREATE RESULT")]
    [InlineData("SET threads = 4", "SET threads")]
    [InlineData("CREATE TEMP TABLE t (a INT)", "CREATE TEMP")]
    [InlineData("SELECT pg_backend_pid()", "pg_* functions")]
    [InlineData("CREATE INDEX i ON weather_events (city)", "CREATE INDEX")]
    [InlineData("CREATE SEQUENCE s", "CREATE SEQUENCE")]
    [InlineData("CREATE PROCEDURE p() AS 1", "CREATE PROCEDURE")]
    public async Task What_they_call_unsupported_is_refused_in_words(string sql, string message)
    {
        await using var client = await _endpoint.ConnectAsync();
        var error = await client.FailureAsync(sql);
        Assert.StartsWith("Permission Error: ", error.MessageText, StringComparison.Ordinal);
        Assert.Contains(message, error.MessageText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Transactions_do_not_nest()
    {
        await using var client = await _endpoint.ConnectAsync();
        await client.RunAsync("BEGIN");
        Assert.Contains("cannot start a transaction within a transaction", (await client.FailureAsync("BEGIN")).MessageText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PGOPTIONS()
    {
        await using var client = await _endpoint.ConnectAsync(options: "--attach_mode=single --session_name=pg-using-options");
        Assert.Equal(["my_db"], await client.TextsAsync("SHOW DATABASES"));
        Assert.Contains("(pg-using-options)", _endpoint.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_by_its_name()
    {
        await using var client = await _endpoint.ConnectAsync("sample_data");
        Assert.Equal(["sample_data"], await client.TextsAsync("SELECT current_database()"));
    }

    [PsqlFact]
    public async Task Psql_by_keywords_and_by_URI()
    {
        var keywords = await PsqlAsync($"host=localhost port={_endpoint.Port} dbname=md: user=postgres sslmode=verify-full sslrootcert={_endpoint.CaFile}", "local", Stories);
        Assert.Equal(5, Regex.Count(keywords, @"^.+\|\d+$", RegexOptions.Multiline));
        var uri = await PsqlAsync($"postgresql://postgres:local@localhost:{_endpoint.Port}/md:?sslmode=verify-full&sslrootcert={_endpoint.CaFile}", "", "SELECT 1");
        Assert.Equal("1", uri.Trim());
    }

    [PsqlFact]
    public async Task Psql_copy_and_d_are_refused_in_words_and_the_session_goes_on()
    {
        var connection = $"host=localhost port={_endpoint.Port} dbname=md: user=postgres sslmode=verify-full sslrootcert={_endpoint.CaFile}";
        var output = await PsqlAsync(connection, "local", "CREATE OR REPLACE TABLE copied (a INT)", "\\copy copied FROM /dev/null CSV", "\\copy copied TO /dev/null CSV", "\\d", "SELECT * FROM nope", "SELECT 7");
        Assert.Contains("COPY ... FROM STDIN is not supported", output, StringComparison.Ordinal);
        Assert.Contains("COPY ... TO STDOUT is not supported", output, StringComparison.Ordinal);
        Assert.Contains("SHOW ALL TABLES", output, StringComparison.Ordinal);
        Assert.Contains("Table with name nope does not exist", output, StringComparison.Ordinal);
        Assert.Matches("(?m)^7$", output);
    }

    private static async Task<string> PsqlAsync(string connection, string password, params string[] commands)
    {
        var start = new ProcessStartInfo("psql") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var argument in (string[])["-X", "-A", "-t", .. commands.SelectMany(command => new[] { "-c", command }), connection]) start.ArgumentList.Add(argument);
        start.Environment["PGPASSWORD"] = password;
        start.Environment["PGCONNECT_TIMEOUT"] = "10";
        using var psql = Process.Start(start)!;
        psql.StandardInput.Close();
        var errors = psql.StandardError.ReadToEndAsync();
        var output = await psql.StandardOutput.ReadToEndAsync();
        await psql.WaitForExitAsync();
        return output + await errors;
    }
}
