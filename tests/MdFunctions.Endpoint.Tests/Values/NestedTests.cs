using System.Text.RegularExpressions;
using MdFunctions.Endpoint.Tests.Infrastructure;

namespace MdFunctions.Endpoint.Tests.Values;

/// <summary>Lists, structs, maps and unions; time zones; and all of DuckDB's types at once.</summary>
public sealed class NestedTests(ObservedWire endpoint) : IClassFixture<ObservedWire>
{
    [Fact]
    public async Task Nested_values_are_text_in_DuckDBs_own_form()
    {
        await using var client = await endpoint.ConnectAsync();
        foreach (var sql in Scalars.Nested)
        {
            var row = (await client.RowsAsync($"SELECT ({sql}), ({sql})::VARCHAR"))[0];
            Assert.Equal((sql, row[1]), (sql, row[0]));
        }
    }

    [Fact]
    public async Task Lists_have_array_OIDs_and_a_text_that_PostgreSQL_would_quote_otherwise()
    {
        await using var client = await endpoint.ConnectAsync();
        var messages = await client.AskAsync("SELECT [1, 2], ['x y', NULL], [[1.5]], [DATE '2024-01-01'], [{'a': 1}], array_value(1, 2)");
        Assert.Equal([1007, 1009, 17000, 1182, 1009, 1007], messages.Columns().Select(column => column.Oid));
        Assert.Equal<string?[]>(["[1, 2]", "[x y, NULL]", "[[1.5]]", "[2024-01-01]", "[{'a': 1}]", "[1, 2]"], messages.Rows()[0]);
    }

    [Fact]
    public async Task With_compatibility_mode_metabase_lists_have_braces_their_elements_unquoted()
    {
        await using var client = await endpoint.ConnectAsync(options: "--compatibility-mode=metabase");
        var rows = await client.RowsAsync("SELECT [1, NULL], ['x y', 'a,b', 'null'], [[1],[2,3]], [true], []::INTEGER[], {'a': 1}");
        Assert.Equal<string?[]>(["{1,NULL}", "{x y,a,b,null}", "{{1},{2,3}}", "{t}", "{}", "{'a': 1}"], rows[0]);
    }

    [Theory]
    [InlineData("[1, NULL]", "00000001" + "00000001" + "00000017" + "00000002" + "00000001" + "00000004" + "00000001" + "ffffffff")]
    [InlineData("[]::INTEGER[]", "00000000" + "00000000" + "00000017")]
    [InlineData(
        "[[1,2],[3,4]]",
        "00000002" + "00000000" + "00000017" + "00000002" + "00000001" + "00000002" + "00000001"
            + "0000000400000001" + "0000000400000002" + "0000000400000003" + "0000000400000004")]
    public async Task Lists_in_binary_are_PostgreSQL_arrays(string sql, string hex)
    {
        await using var client = await endpoint.ConnectAsync();
        var messages = await client.AskAsync(Frames.Parse("", $"SELECT {sql}"), Frames.Bind(results: [1]), Frames.Execute(), Frames.Sync);
        Assert.Equal(hex, Convert.ToHexStringLower(messages.First(message => message.Type == 'D').Values()[0]!));
    }

    [Fact]
    public async Task A_ragged_list_has_no_binary_form_and_the_session_goes_on_with_whole_messages()
    {
        await using var client = await endpoint.ConnectAsync();
        var messages = await client.AskAsync(Frames.Parse("", "SELECT [[1],[2,3]]"), Frames.Bind(results: [1]), Frames.Execute(), Frames.Sync);
        Assert.Equal("12EZ", messages.Types());
        Assert.Contains("no binary array form", messages.ErrorText());
        Assert.Equal("TDCZ", (await client.AskAsync("SELECT 1")).Types());
    }

    [Fact]
    public async Task A_binary_array_is_a_parameter_too()
    {
        await using var client = await endpoint.ConnectAsync();
        const string Strings = @"['a b', NULL, 'it''s', '', '\']";
        var made = await client.AskAsync(Frames.Parse("", $"SELECT {Strings}, [[1,2],[3,4]]"), Frames.Bind(results: [1]), Frames.Execute(), Frames.Sync);
        var values = made.First(message => message.Type == 'D').Values();
        var messages = await client.AskAsync(
            Frames.Parse(
                "",
                $"SELECT CAST(CAST($1 AS VARCHAR) AS VARCHAR[]) = {Strings}, CAST(CAST($2 AS VARCHAR) AS INTEGER[][]) = [[1,2],[3,4]]",
                1009,
                1007),
            Frames.Bind(values: [.. values], formats: [1]),
            Frames.Execute(),
            Frames.Sync);
        Assert.Equal("", messages.ErrorText());
        Assert.Equal<string?[]>(["t", "t"], messages.Rows()[0]);
    }

    [Theory]
    [InlineData("America/New_York")]
    [InlineData("Europe/Amsterdam")]
    [InlineData("Asia/Kathmandu")]
    [InlineData("Australia/Lord_Howe")]
    public async Task The_sessions_time_zone_shows_in_TIMESTAMPTZ_as_DuckDB_has_it(string zone)
    {
        await using var client = await endpoint.ConnectAsync();
        await client.AskAsync($"SET TimeZone = '{zone}'");
        // Every day of two centuries at an odd second, and by the second around changes that are not on the hour.
        var rows = await client.RowsAsync(
            """
            SELECT m, m::VARCHAR FROM (
              SELECT TIMESTAMPTZ '1850-01-01 00:07:13+00' + to_seconds(i * 86461) AS m FROM range(80000) t(i)
              UNION ALL SELECT TIMESTAMPTZ '1937-06-30 23:30:00+00' + to_seconds(i) FROM range(3600) t(i)
              UNION ALL SELECT TIMESTAMPTZ '1883-11-18 16:50:00+00' + to_seconds(i) FROM range(1200) t(i)
              UNION ALL SELECT 'infinity'::TIMESTAMPTZ)
            """);
        Assert.Equal(84_801, rows.Length);
        // DuckDB leaves out the seconds of an offset that has some, PostgreSQL does not.
        Assert.All(rows, row => Assert.StartsWith(row[1]!, row[0]));
    }

    [Fact]
    public async Task The_time_zone_can_be_set_in_every_way_and_reset()
    {
        await using var client = await endpoint.ConnectAsync();
        await client.AskAsync("SET TIME ZONE 'Asia/Kolkata'");
        Assert.Equal("2024-01-01 05:30:00+05:30", (await client.RowsAsync("SELECT TIMESTAMPTZ '2024-01-01 00:00:00+00'"))[0][0]);
        await client.AskAsync("RESET TimeZone");
        Assert.Equal("2024-01-01 00:00:00+00", (await client.RowsAsync("SELECT TIMESTAMPTZ '2024-01-01 00:00:00+00'"))[0][0]);
    }

    [Fact]
    public async Task A_type_that_cannot_be_sent_is_an_error_not_an_empty_value()
    {
        await using var client = await endpoint.ConnectAsync();
        Assert.Contains("column \"v\" is a VARIANT", (await client.AskAsync("SELECT 'x'::VARIANT AS v")).ErrorText());
    }

    [Fact]
    public async Task All_of_DuckDBs_own_test_types_can_be_read_their_nested_ones_exactly_as_DuckDB_writes_them()
    {
        await using var client = await endpoint.ConnectAsync();
        var columns = await client.RowsAsync("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM test_all_types())");
        Assert.True(columns.Length > 50);
        foreach (var (name, type) in columns.Select(row => (row[0], row[1]!)))
        {
            foreach (var format in new[] { 0, 1 })
            {
                var messages = await client.AskAsync(
                    Frames.Parse("", $"SELECT \"{name}\" FROM test_all_types()"), Frames.Bind(results: [format]), Frames.Execute(), Frames.Sync);
                // Ragged lists of lists have no binary form in PostgreSQL.
                if (messages.ErrorText() is not "" and var error)
                    Assert.Contains("no binary array form", error);
                else
                    Assert.Equal((name, 3), (name, messages.Rows().Length));
            }
            if (!Regex.IsMatch(type, @"\[|STRUCT|MAP|UNION"))
                continue;
            foreach (var row in await client.RowsAsync($"SELECT \"{name}\", \"{name}\"::VARCHAR FROM test_all_types()"))
                Assert.Equal((name, row[1]), (name, row[0]));
        }
    }
}
