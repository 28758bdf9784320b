using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Tests.Sql;

public sealed class LexerTests
{
    private static string Kinds(string sql) => string.Join(' ', Lexer.Tokenize(sql).Select(token => $"{token.Kind}:{token.Value}"));

    [Theory]
    [InlineData("SELECT a.b, \"c \"\"d\"\"\" FROM $1", "Word:select Word:a Punctuation:. Word:b Punctuation:, Quoted:c \"d\" Word:from Parameter:1")]
    [InlineData("'it''s' E'it\\'s' X'ab'", "String:it's String:it's String:ab")]
    [InlineData("E'a\\n\\x41\\u00e9\\101\\q'", "String:a\nA\u00e9Aq")]
    [InlineData("$$a$$ $t$ $$ $t$ $1 $name ?", "String:a String: $$  Parameter:1 Parameter:name Parameter:?")]
    [InlineData("1.5e-3 0xFF 1_000 .5 a1$b", "Number:1.5e-3 Number:0xFF Number:1_000 Number:.5 Word:a1$b")]
    [InlineData("x::int 'open", "Word:x Punctuation::: Word:int Unterminated:quote")]
    [InlineData("a /* b /* c */ d", "Word:a Unterminated:comment")]
    [InlineData("a /**/b/***/ -- c\n/*/ x */ d", "Word:a Word:b Word:d")]
    [InlineData("$a$ x $b$", "Unterminated:dollar")]
    [InlineData("", "")]
    public void Text_is_cut_as_DuckDB_does(string sql, string expected) => Assert.Equal(expected, Kinds(sql));

    [Fact]
    public void Statements_are_split_where_a_semicolon_is_one() =>
        Assert.Equal(["a ';'", "b -- ; c"], SqlText.Split("a ';' ; b -- ; c\n; /* ; */ ;").Select(statement => statement.Sql));

    [Fact]
    public void Places_count_from_the_statements_start()
    {
        var second = SqlText.Split(" a b ;  c 'd' ")[1];
        Assert.Equal("'d'", second.Sql[second.Tokens[1].Start..second.Tokens[1].End]);
    }

    [Fact]
    public void Edits_are_made_in_any_order() => Assert.Equal("xbyd", SqlText.Apply("abcd", [new(2, 3, "y"), new(0, 1, "x")]));
}
