using MdFunctions.Endpoint.Native;
using MdFunctions.Endpoint.Policy;

namespace MdFunctions.Endpoint.Sessions;

/// <summary>Command tags with counts.</summary>
internal static class CommandTags
{
    /// <summary>As PostgreSQL has them: drivers read the number of rows from them.</summary>
    public static string Postgres(StatementKind kind, Examination found, long rows, bool isSilent) => kind switch
    {
        StatementKind.Delete when found.Verb == "truncate" => "TRUNCATE TABLE",
        StatementKind.Insert => $"INSERT 0 {rows}",
        StatementKind.Update => $"UPDATE {rows}",
        StatementKind.Delete => $"DELETE {rows}",
        StatementKind.MergeInto => $"MERGE {rows}",
        StatementKind.Copy => $"COPY {rows}",
        // CREATE TABLE ... AS counts the rows that it has read.
        StatementKind.Create when isSilent && rows > 0 => $"SELECT {rows}",
        StatementKind.Create when IsTableAs(found) => "SELECT 0",
        StatementKind.Select when found.Tag is "SELECT" or "" => $"SELECT {rows}",
        StatementKind.Execute when !isSilent => $"SELECT {rows}",
        _ => found.Tag,
    };

    /// <summary>As they were recorded under --compatibility-mode=metabase.</summary>
    public static string Metabase(StatementKind kind, string tag, long rows, bool isSilent) => kind switch
    {
        _ when !isSilent => $"SELECT {rows}",
        StatementKind.Insert => $"INSERT 0 {rows}",
        StatementKind.Update => $"UPDATE {rows}",
        StatementKind.Delete => $"DELETE {rows}",
        StatementKind.MergeInto => $"MERGE {rows}",
        _ => tag,
    };

    private static bool IsTableAs(Examination found)
        => found.Tag == "CREATE TABLE" && found.Tokens.Any(token => token is { Kind: Sql.TokenKind.Word, Value: "as" }) && !HasColumnList(found);

    // In CREATE TABLE t (a INTEGER GENERATED ALWAYS AS (b)) the word stands within parentheses.
    private static bool HasColumnList(Examination found)
    {
        var depth = 0;
        foreach (var token in found.Tokens)
        {
            if (token is { Kind: Sql.TokenKind.Word, Value: "as" } && depth == 0)
                return false;
            if (token.Kind == Sql.TokenKind.Punctuation)
                depth += token.Value switch { "(" => 1, ")" => -1, _ => 0 };
        }
        return true;
    }
}
