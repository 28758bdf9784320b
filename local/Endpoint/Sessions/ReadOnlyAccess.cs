using MdFunctions.Endpoint.Native;
using MdFunctions.Endpoint.Policy;
using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Sessions;

/// <summary>What a session with a read-only token may run.</summary>
internal static class ReadOnlyAccess
{
    private static readonly HashSet<string> Writes = ["insert", "update", "delete", "merge", "create", "drop", "alter", "copy", "truncate"];

    /// <summary>Refuses what writes.</summary>
    /// <exception cref="EndpointException">It does.</exception>
    public static void Check(StatementKind kind, Examination found)
    {
        var reads = kind is StatementKind.Select or StatementKind.Explain or StatementKind.Transaction or StatementKind.Pragma or StatementKind.Call
            or StatementKind.Set or StatementKind.VariableSet or StatementKind.Relation or StatementKind.LogicalPlan;
        // DuckDB counts CHECKPOINT among the pragmas.
        if (!reads || found.Verb is "checkpoint" or "force")
            throw Refused(found);
        if (found.Verb == "explain")
            CheckWords(found);
    }

    /// <summary>Refuses a text with a word that writes, where DuckDB's kind of statement does not tell.</summary>
    /// <exception cref="EndpointException">There is one.</exception>
    public static void CheckWords(Examination found)
    {
        if (found.Tokens.Any(token => token.Kind == TokenKind.Word && Writes.Contains(token.Value)))
            throw Refused(found);
    }

    public static EndpointException Refused(Examination found)
        => EndpointException.Refused($"{found.Tag} is not allowed: this session has a read-only token");
}
