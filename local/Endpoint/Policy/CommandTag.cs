using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Policy;

/// <summary>PostgreSQL's command tags.</summary>
internal static class CommandTag
{
    /// <summary>The tag of a statement, without the count that some have.</summary>
    public static string Of(Token[] tokens)
    {
        var verb = tokens.IsWord(0) ? tokens[0].Value : "select";
        return verb switch
        {
            "select" or "from" or "with" or "values" or "table" or "describe" or "desc" or "summarize" or "pivot" or "unpivot" => "SELECT",
            "insert" => "INSERT",
            "show" => "SHOW",
            "end" => "COMMIT",
            "abort" => "ROLLBACK",
            "start" => "BEGIN",
            "create" or "drop" or "alter" => $"{verb.ToUpperInvariant()} {Kind(tokens)}".TrimEnd(),
            "discard" => $"DISCARD {(tokens.IsWord(1) ? tokens[1].Value.ToUpperInvariant() : "ALL")}",
            "close" => "CLOSE CURSOR ALL",
            "deallocate" when tokens.IsWord(1, "all") => "DEALLOCATE ALL",
            _ => verb.ToUpperInvariant(),
        };
    }

    private static string Kind(Token[] tokens)
    {
        for (var i = 1; i < Math.Min(tokens.Length, 8); i++)
        {
            if (!tokens.IsWord(i) || tokens.IsWord(i, "or", "replace", "temp", "temporary", "persistent", "recursive", "on", "unlogged")) continue;
            return tokens[i].Value.ToUpperInvariant();
        }
        return "";
    }
}
