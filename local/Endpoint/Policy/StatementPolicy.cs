using MdFunctions.Endpoint.Policy.Rules;
using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Policy;

/// <summary>
/// What MotherDuck's Postgres endpoint does not take, and what of a statement must be read or changed before DuckDB sees it: remote
/// files, MD_RUN, parameters where they are not allowed. It works on tokens, so what stands in a string, a quoted identifier or a
/// comment is never mistaken for a statement. That no local file can be reached does not rest on this: DuckDB's own settings see to it.
/// </summary>
internal static class StatementPolicy
{
    /// <summary>Looks at one statement, and says what it is.</summary>
    /// <exception cref="EndpointException">It is refused.</exception>
    public static Examination Examine(SqlStatement statement, Behaviour behaviour)
    {
        if (statement.Tokens is [.., { Kind: TokenKind.Unterminated }]) return new(statement) { IsUnfinished = true };
        var found = new Examination(statement);
        new StatementRules(found, behaviour).Check(0);
        if (found.Setting is not null) return found;
        new TokenScan(found, behaviour).Run();
        if (found.Remote.Count > 0 && found.Stored is not null)
        {
            throw EndpointException.Refused(
                $"a {found.Stored} over a remote file cannot be kept by the local endpoint, which reads remote files a statement at a time. " +
                "Load it into a table: CREATE TABLE ... AS SELECT ... FROM read_...(...)");
        }
        return found;
    }
}
