using MdFunctions.Engine.Templates;

namespace MdFunctions.Tests.Templates;

public sealed class SqlLexerTests
{
    [Theory]
    [InlineData("SELECT $a, $b_2", "a b_2")]
    [InlineData("SELECT '$a', $b", "b")]
    [InlineData("SELECT 'it''s $a', $b", "b")]
    [InlineData("SELECT \"$a\", \"x\"\"$b\", $c", "c")]
    [InlineData("SELECT $$ $a $$, $tag$ $b $$ $tag$, $c", "c")]
    [InlineData("SELECT -- $a\n$b", "b")]
    [InlineData("SELECT /* $a /* $b */ $c */ $d", "d")]
    [InlineData("SELECT E'\\' $a', $b", "b")]
    [InlineData("SELECT '\\', $a", "a")]
    [InlineData("SELECT col$a, $b", "b")]
    [InlineData("SELECT $a::INTEGER[$b]", "a b")]
    public void Only_names_outside_of_text_are_parameters(string sql, string expected)
    {
        var names = SqlLexer.Read(sql).Where(token => token.Kind == SqlTokenKind.Parameter).Select(token => token.Text[1..]);
        Assert.Equal(expected, string.Join(' ', names));
    }

    [Theory]
    [InlineData("SELECT 'x")]
    [InlineData("SELECT \"x")]
    [InlineData("SELECT $$x$")]
    [InlineData("SELECT /* /* */")]
    [InlineData("SELECT ?")]
    [InlineData("SELECT $1")]
    public void What_has_no_end_or_is_no_named_parameter_is_refused(string sql) => Assert.Throws<SqlLexerException>(() => SqlLexer.Read(sql));

    [Fact]
    public void Tokens_are_the_whole_text()
    {
        const string sql = "/* c */ WITH x AS (SELECT 'a''b' AS \"q\"\"r\", $p) -- end\nFROM x;";
        Assert.Equal(sql, string.Concat(SqlLexer.Read(sql).Select(token => token.Text)));
    }
}
