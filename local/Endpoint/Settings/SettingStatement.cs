using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Settings;

/// <summary>SET, RESET, DISCARD, DEALLOCATE and savepoints, as drivers write them.</summary>
internal static class SettingStatement
{
    /// <summary>What the statement asks for, or null where it is not about a setting of PostgreSQL's.</summary>
    public static SettingAction? Read(Token[] tokens, int at) => tokens[at].Value switch
    {
        "set" => Set(tokens, at + 1),
        "reset" when tokens.IsWord(at + 1, "all") => new(SettingVerb.ResetAll),
        "reset" when tokens.IsWord(at + 1, "session") && tokens.IsWord(at + 2, "authorization") => new(SettingVerb.Reset, "session_authorization"),
        "reset" when PostgresSettings.IsSettable(tokens.Name(at + 1)) => new(SettingVerb.Reset, tokens.Name(at + 1)),
        "discard" => new(tokens.IsWord(at + 1, "all") ? SettingVerb.DiscardAll : SettingVerb.Discard),
        "deallocate" => Deallocate(tokens, at + 1),
        // There are no cursors and no notifications, so a driver that cleans up has nothing to close.
        "close" when tokens.IsWord(at + 1, "all") => new(SettingVerb.Discard),
        "unlisten" when tokens.IsPunctuation(at + 1, "*") => new(SettingVerb.Discard),
        "savepoint" or "release" => new(SettingVerb.Savepoint),
        _ => null,
    };

    private static SettingAction? Set(Token[] tokens, int at)
    {
        var local = tokens.IsWord(at, "local");
        if (tokens.IsWord(at, "session", "local")) at++;
        if (tokens.IsWord(at, "names")) return new(SettingVerb.Set, "client_encoding", Value(tokens, at + 1), local);
        if (tokens.IsWord(at, "transaction", "characteristics"))
            throw EndpointException.Refused("SET TRANSACTION is not supported: transactions follow the DuckDB model, and isolation levels are PostgreSQL's own");
        if (tokens.IsWord(at, "authorization") && tokens.IsWord(at + 1, "default")) return new(SettingVerb.Reset, "session_authorization");
        if (!PostgresSettings.IsSettable(tokens.Name(at)) || !(tokens.IsWord(at + 1, "to") || tokens.IsPunctuation(at + 1, "="))) return null;
        return new(SettingVerb.Set, tokens.Name(at), tokens.IsWord(at + 2, "default") ? null : Value(tokens, at + 2), local);
    }

    /// <summary>The rest of the statement as one value: <c>ISO, MDY</c> without quotes is one too.</summary>
    private static string Value(Token[] tokens, int at)
    {
        var value = "";
        for (; at < tokens.Length; at++) value += tokens.IsPunctuation(at, ",") ? ", " : tokens[at].Value;
        return value;
    }

    private static SettingAction Deallocate(Token[] tokens, int at)
    {
        if (tokens.IsWord(at, "prepare")) at++;
        return new(SettingVerb.Deallocate, tokens.IsWord(at, "all") || !tokens.IsName(at) ? "" : tokens[at].Value);
    }
}
