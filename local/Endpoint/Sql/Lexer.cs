namespace MdFunctions.Endpoint.Sql;

internal static class Lexer
{
    public static List<Token> Tokenize(string sql) => throw new NotImplementedException();
}
