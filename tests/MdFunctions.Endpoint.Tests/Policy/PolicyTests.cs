using System.Text.RegularExpressions;
using MdFunctions.Endpoint.Policy;
using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Tests.Policy;

public sealed class PolicyTests
{
    private static Examination Examine(string sql, Behaviour behaviour) => StatementPolicy.Examine(SqlText.Split(sql).Single(), behaviour);

    /// <summary>The same statement as its author might hide it.</summary>
    private static IEnumerable<string> Disguises(string sql)
    {
        var verb = Regex.Match(sql, @"^\w+").Value;
        var rest = sql[verb.Length..];
        yield return sql;
        yield return $"/* a comment */ {sql}";
        yield return $"-- a comment\n{sql}";
        yield return $"/* nested /* comments */ */\n\t {verb} /* between */ {rest}";
        yield return $"\u00a0\u2003\f\v {sql}";
        yield return verb.ToLowerInvariant() + rest;
        yield return string.Concat(verb.Select((c, i) => i % 2 == 0 ? char.ToUpperInvariant(c) : char.ToLowerInvariant(c))) + rest;
        yield return $"; ;{sql};";
    }

    private static void AssertRefused(string sql, string message, Behaviour behaviour)
    {
        foreach (var disguise in Disguises(sql))
        {
            var error = Assert.Throws<EndpointException>(() => Examine(disguise, behaviour));
            Assert.Matches(new Regex(message, RegexOptions.IgnoreCase), error.Message);
            Assert.Equal("XX000", error.CodeFor(Behaviour.Observed));
        }
    }

    [Theory]
    [MemberData(nameof(Refusals.Always), MemberType = typeof(Refusals))]
    public void What_MotherDuck_refuses_is_refused_however_it_is_written(string sql, string message)
    {
        AssertRefused(sql, message, Behaviour.Documented);
        AssertRefused(sql, message, Behaviour.Observed);
    }

    [Theory]
    [MemberData(nameof(Refusals.ObservedOnly), MemberType = typeof(Refusals))]
    public void Observed_the_settings_and_catalog_of_PostgreSQL_are_refused_and_documented_they_are_not(string sql, string message)
    {
        AssertRefused(sql, message, Behaviour.Observed);
        Examine(sql, Behaviour.Documented);
    }

    [Theory]
    [MemberData(nameof(Refusals.PostgresOnly), MemberType = typeof(Refusals))]
    public void Documented_what_only_PostgreSQL_has_is_refused_in_words(string sql, string message)
    {
        AssertRefused(sql, message, Behaviour.Documented);
        Assert.Equal("0A000", Assert.Throws<EndpointException>(() => Examine(sql, Behaviour.Documented)).CodeFor(Behaviour.Documented));
    }

    [Theory]
    [InlineData("SELECT $1::DATE")]
    [InlineData("SELECT CAST($1 AS INTEGER)")]
    [InlineData("SELECT ($1)::INT[]")]
    [InlineData("SELECT TRY_CAST(? AS TIMESTAMP)")]
    public void Observed_a_parameter_is_cast_to_text_alone(string sql)
    {
        Assert.Contains("CAST(CAST(", Assert.Throws<EndpointException>(() => Examine(sql, Behaviour.Observed)).Message, StringComparison.Ordinal);
        Examine(sql, Behaviour.Documented);
    }

    [Theory]
    [InlineData("SELECT * FROM read_csv($1)")]
    [InlineData("SELECT * FROM read_csv('https://h/x.csv', delim = $1)")]
    [InlineData("SELECT * FROM range($1)")]
    [InlineData("SELECT * FROM read_csv('https://h/' || $1)")]
    public void A_parameter_in_a_table_functions_arguments_is_refused_in_both(string sql)
    {
        foreach (var behaviour in Enum.GetValues<Behaviour>())
            Assert.Contains("table function's arguments", Assert.Throws<EndpointException>(() => Examine(sql, behaviour)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SELECT * FROM read_csv('https://h/x', MD_RUN = REMOTE)", "SELECT * FROM read_csv('https://h/x')")]
    [InlineData("SELECT * FROM read_csv('https://h/x', HEADER = true, md_run := 'auto', delim = ',')", "SELECT * FROM read_csv('https://h/x', HEADER = true, delim = ',')")]
    [InlineData("SELECT * FROM read_csv(MD_RUN=REMOTE, 'https://h/x')", "SELECT * FROM read_csv( 'https://h/x')")]
    public void MD_RUN_is_stripped_wherever_it_stands(string sql, string expected)
    {
        var found = Examine(sql, Behaviour.Documented);
        Assert.Equal(expected, SqlText.Apply(sql, found.Edits));
        Assert.Equal(["https://h/x"], found.Remote.Single().Urls);
    }

    [Fact]
    public void A_refusal_does_not_advise_what_is_refused_too()
    {
        Assert.DoesNotContain("INSERT", Assert.Throws<EndpointException>(() => Examine("COPY t TO STDOUT", Behaviour.Documented)).Message, StringComparison.Ordinal);
        foreach (var (behaviour, refusals) in new[] { (Behaviour.Documented, Refusals.Always), (Behaviour.Observed, Refusals.ObservedOnly) })
        {
            foreach (var sql in refusals.Select(row => (string)row[0]))
            {
                var message = Assert.Throws<EndpointException>(() => Examine(sql, behaviour)).Message;
                var advice = message.Split(". Use ");
                if (advice.Length > 1) Assert.DoesNotMatch(@"\bpg_\w+|COPY|ATTACH|\bSET\b", advice[1]);
            }
        }
    }

    [Theory]
    [InlineData("SELECT 1", "SELECT")]
    [InlineData("FROM t", "SELECT")]
    [InlineData("insert into t values (1)", "INSERT")]
    [InlineData("CREATE OR REPLACE TABLE t AS SELECT 1", "CREATE TABLE")]
    [InlineData("CREATE VIEW v AS SELECT 1", "CREATE VIEW")]
    [InlineData("DROP SCHEMA s CASCADE", "DROP SCHEMA")]
    [InlineData("START TRANSACTION", "BEGIN")]
    [InlineData("END", "COMMIT")]
    [InlineData("ABORT", "ROLLBACK")]
    [InlineData("TRUNCATE t", "TRUNCATE")]
    [InlineData("COMMENT ON TABLE t IS 'x'", "COMMENT")]
    public void A_statement_has_PostgreSQLs_command_tag(string sql, string tag) => Assert.Equal(tag, Examine(sql, Behaviour.Documented).Tag);
}
