using System.Text.RegularExpressions;
using MdFunctions.Endpoint.Tests.Infrastructure;

namespace MdFunctions.Endpoint.Tests.Policy;

public sealed class RefusalsOverTheWireTests(DocumentedEndpoint documented, ObservedEndpoint observed)
    : IClassFixture<DocumentedEndpoint>, IClassFixture<ObservedEndpoint>
{
    private static async Task AssertRefusedAsync(TestEndpoint endpoint, string sql, string message, string state)
    {
        await using var connection = await endpoint.ConnectAsync();
        var error = await connection.FailureAsync(sql);
        Assert.Matches(new Regex(message, RegexOptions.IgnoreCase), error.MessageText);
        Assert.Equal(error.MessageText.StartsWith("Permission Error", StringComparison.Ordinal) ? state : "XX000", error.SqlState);
    }

    [Theory]
    [MemberData(nameof(Refusals.Always), MemberType = typeof(Refusals))]
    [MemberData(nameof(Refusals.Evaluated), MemberType = typeof(Refusals))]
    [MemberData(nameof(Refusals.PostgresOnly), MemberType = typeof(Refusals))]
    public Task Documented_they_are_told_with_0A000(string sql, string message) => AssertRefusedAsync(documented.Endpoint, sql, message, "0A000");

    [Theory]
    [MemberData(nameof(Refusals.Always), MemberType = typeof(Refusals))]
    [MemberData(nameof(Refusals.Evaluated), MemberType = typeof(Refusals))]
    [MemberData(nameof(Refusals.ObservedOnly), MemberType = typeof(Refusals))]
    public async Task Observed_they_are_told_with_XX000(string sql, string message)
    {
        await using var connection = await observed.Endpoint.ConnectAsync();
        var error = await connection.FailureAsync(sql);
        Assert.Matches(new Regex(message, RegexOptions.IgnoreCase), error.MessageText);
        Assert.Equal("XX000", error.SqlState);
    }

    [Theory]
    [InlineData("SELECT 'INSTALL httpfs'")]
    [InlineData("SELECT 'LOAD x; COPY t FROM ''/etc/passwd'''")]
    [InlineData("SELECT 1 AS \"INSTALL\"")]
    [InlineData("SELECT $$SET threads = 4; pg_typeof(1)$$")]
    [InlineData("SELECT $a$ $$ read_csv('/etc/passwd') $$ $a$")]
    [InlineData("SELECT 1 -- INSTALL httpfs")]
    [InlineData("SELECT 1 /* COPY t FROM STDIN */")]
    [InlineData("SELECT copy, load, \"install\", \"set\", \"temp\", attach, export, pg_type FROM words")]
    [InlineData("SELECT words.pg_type, w.load FROM words, words AS w")]
    [InlineData("SELECT E'it\\'s; INSTALL httpfs'")]
    [InlineData("SELECT * FROM words WHERE copy = 'COPY t FROM STDIN'")]
    [InlineData("SELECT \"read_csv\" FROM (SELECT 1 AS \"read_csv\")")]
    [InlineData("SELECT 'x.csv' AS file FROM words")]
    [InlineData("SELECT extract(year FROM DATE '2024-01-01'), substring('abc' FROM 2), trim(both 'x' FROM 'x.csv')")]
    [InlineData("SELECT 'a', '/etc/passwd', 'x.csv'")]
    [InlineData("SELECT 1 WHERE 'a.csv' IS DISTINCT FROM 'b.csv'")]
    [InlineData("SELECT * FROM (VALUES ('x.csv'), ('/etc/passwd'))")]
    [InlineData("SELECT * FROM words WHERE copy IN ('x.csv', 'y.csv')")]
    [InlineData("SELECT temp.a FROM (SELECT 1 AS a) AS temp")]
    [InlineData("UPDATE words SET copy = 'x.csv'")]
    [InlineData("SELECT 'pg_typeof(1)'")]
    [InlineData("SELECT 1 AS pg_catalog")]
    [InlineData("SELECT * FROM words ORDER BY copy || 'x.csv'")]
    [InlineData("SELECT list_transform(['a.csv'], x -> x)")]
    [InlineData("SELECT count(*) FROM range(3) t(i), range(2) s(j)")]
    [InlineData("SELECT * FROM query('SELECT 1')")]
    [InlineData("SELECT * FROM query_table('words')")]
    [InlineData("COMMENT ON TABLE words IS 'INSTALL'")]
    [InlineData("SELECT \"SET\" FROM words")]
    public async Task What_only_contains_such_words_is_not_refused(string sql)
    {
        foreach (var endpoint in new[] { documented.Endpoint, observed.Endpoint })
        {
            await using var connection = await endpoint.ConnectAsync();
            await connection.RunAsync("CREATE TABLE IF NOT EXISTS words (copy VARCHAR, load INT, \"install\" INT, \"set\" INT, \"temp\" INT, attach INT, export INT, pg_type INT)");
            await connection.RunAsync(sql);
        }
    }
}
