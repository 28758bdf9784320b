using System.Collections.Frozen;
using System.Text.RegularExpressions;
using MdFunctions.Endpoint.Catalog;
using MdFunctions.Endpoint.Policy.Rules;
using MdFunctions.Endpoint.Settings;
using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Policy;

/// <summary>
/// What of the account a session sees: information_schema tells of the connected database only, and with --attach_mode=single there is
/// no other database at all. DuckDB has one catalog for all sessions, so the statements that ask about it are narrowed before DuckDB
/// sees them.
/// </summary>
/// <param name="Behaviour">The endpoint's behaviour.</param>
/// <param name="Database">The session's current database.</param>
/// <param name="User">The user name that the client gave.</param>
/// <param name="Settings">The session's settings.</param>
/// <param name="Others">With attach_mode=single the other databases of the account, which the session must not see; else null.</param>
internal sealed partial record SessionScope(Behaviour Behaviour, string Database, string User, SessionSettings Settings, IReadOnlyCollection<string>? Others)
{
    /// <summary>The views of information_schema, and the column that names the database.</summary>
    private static readonly FrozenDictionary<string, string> InformationSchema = new Dictionary<string, string>
    {
        ["tables"] = "table_catalog",
        ["columns"] = "table_catalog",
        ["views"] = "table_catalog",
        ["schemata"] = "catalog_name",
        ["key_column_usage"] = "constraint_catalog",
        ["table_constraints"] = "constraint_catalog",
        ["constraint_column_usage"] = "constraint_catalog",
        ["constraint_table_usage"] = "constraint_catalog",
        ["referential_constraints"] = "constraint_catalog",
        ["check_constraints"] = "constraint_catalog",
    }.ToFrozenDictionary();

    private static readonly FrozenSet<string> CatalogFunctions = FrozenSet.Create(
        "duckdb_databases", "duckdb_schemas", "duckdb_tables", "duckdb_views", "duckdb_columns", "duckdb_constraints", "duckdb_indexes",
        "duckdb_sequences", "duckdb_functions", "duckdb_types");

    /// <summary>The edits that narrow a statement to what its session sees; what is asked of PostgreSQL's catalog becomes what DuckDB has of it.</summary>
    /// <exception cref="EndpointException">The statement names a database that the session does not see, or a table of PostgreSQL's that DuckDB has not.</exception>
    public IReadOnlyList<TextEdit> Narrow(Examination found)
    {
        if (found.IsUnfinished || found.Tokens.Length == 0) return [];
        if (found.Verb == "show" && Show(found.Tokens) is { } shown) return [new(0, found.Tokens[^1].End, shown)];
        if (found.Relations.Count == 0 && Others is null && !MayHoldExpressions(found)) return [];

        var edits = new List<TextEdit>();
        foreach (var at in found.Relations) NarrowRelation(found.Tokens, at, edits);
        Expressions(found, edits);
        if (Others is not null) CheckOthers(found);
        return edits;
    }

    private string Here => SqlText.Literal(Database);

    /// <summary>SHOW of what DuckDB has otherwise: settings, and in single mode the databases.</summary>
    private string? Show(Token[] tokens)
    {
        if (Others is not null && Array.Exists(tokens, token => token is { Kind: TokenKind.Word, Value: "databases" })) return $"SELECT {Here} AS database_name";
        if (Others is not null && tokens.IsWord(1, "all") && tokens.IsWord(2, "tables")) return $"FROM (SHOW ALL TABLES) WHERE database = {Here}";
        if (Behaviour != Behaviour.Documented) return null;
        var name = tokens switch
        {
            [_, var single] when tokens.IsName(1) => single.Value.ToLowerInvariant(),
            [_, { Value: "time" }, { Value: "zone" }] => "timezone",
            [_, { Value: "transaction" }, { Value: "isolation" }, { Value: "level" }] => "transaction_isolation",
            [_, { Value: "session" }, { Value: "authorization" }] => "session_authorization",
            _ => "",
        };
        var title = name == "timezone" ? "TimeZone" : name;
        return Settings.Get(name) is { } value ? $"SELECT {SqlText.Literal(value)} AS {SqlText.Identifier(title)}" : null;
    }

    // Most statements hold nothing that needs a look at each token.
    private static bool MayHoldExpressions(Examination found) => found.Tokens.Length > 3;

    private void Expressions(Examination found, List<TextEdit> edits)
    {
        var account = found.Tokens;
        for (var i = 0; i < account.Length; i++)
        {
            if (account.IsName(i, "md_user") && account.IsPunctuation(i + 1, "(") && account.IsPunctuation(i + 2, ")"))
                edits.Add(new(account[i].Start, account[i + 2].End, SqlText.Literal(User)));
        }
        if (Behaviour != Behaviour.Documented) return;
        var catalog = new CatalogExpressions(found.Tokens, Settings, edits, CatalogQuery);
        for (var i = 0; i < found.Tokens.Length; i++) catalog.Look(i, found.Relations.Contains(i));
    }

    private void NarrowRelation(Token[] tokens, int at, List<TextEdit> edits)
    {
        void Replace(int from, int to, string query, string alias) =>
            edits.Add(new(tokens[from].Start, tokens[to].End, $"({Filled(query)}){(HasAlias(tokens, to + 1) ? "" : $" AS {alias}")}"));

        var i = at;
        // database.information_schema.tables is as good as information_schema.tables.
        if (tokens.IsPunctuation(i + 1, ".") && tokens.IsPunctuation(i + 3, ".") && tokens.Name(i + 2) is "information_schema" or "pg_catalog") i += 2;
        var (name, qualified) = (tokens.Name(i), tokens.IsPunctuation(i + 1, ".") ? tokens.Name(i + 2) : "");
        if (name == "information_schema" && InformationSchema.TryGetValue(qualified, out var column))
            Replace(at, i + 2, $"SELECT * FROM system.information_schema.{qualified} WHERE {column} = current_database()", qualified);
        else if (name == "md_information_schema" && AccountRelations.View(qualified) is { } view) Replace(at, i + 2, view, qualified);
        else if (tokens.IsPunctuation(at + 1, "(") && tokens.IsPunctuation(at + 2, ")")) NarrowFunction(tokens, at, Replace);
        else if (Behaviour == Behaviour.Documented && (name == "pg_catalog" ? qualified : qualified == "" ? name : "") is var table && CatalogRelations.IsTable(table))
            Replace(at, name == "pg_catalog" ? i + 2 : i, CatalogRelations.Query(table) ?? throw PostgresOnly.Catalog(table, Behaviour), table);
    }

    private void NarrowFunction(Token[] tokens, int at, Action<int, int, string, string> replace)
    {
        var name = tokens.Name(at);
        if (Others is not null && CatalogFunctions.Contains(name)) replace(at, at + 2, $"SELECT * FROM {name}() WHERE database_name IN ({Here}, 'system')", name);
        else if (AccountRelations.Function(name, User) is { } query) replace(at, at + 2, query, name);
    }

    private string CatalogQuery(string table) => Filled(CatalogRelations.Query(table)!);

    /// <summary>A query with what only the session knows.</summary>
    private string Filled(string query) => Placeholder().Replace(query, match => match.Value switch
    {
        "@visible" => Others is null ? "true" : $"database_name = {Here}",
        "@user" => SqlText.Literal(User),
        _ => SettingRows(),
    });

    [GeneratedRegex("@(visible|user|settings)")]
    private static partial Regex Placeholder();

    private string SettingRows() => string.Join(", ", PostgresSettings.Names.Append("TimeZone").Select(name =>
        $"({SqlText.Literal(name)}, {SqlText.Literal(Settings.Get(name)!)}, NULL::VARCHAR, 'PostgreSQL', '', {(PostgresSettings.IsSettable(name) || name == "TimeZone" ? "'user'" : "'internal'")}, 'string')"));

    private static bool HasAlias(Token[] tokens, int i) =>
        tokens.IsWord(i, "as") || (tokens.IsName(i) && (tokens[i].Kind == TokenKind.Quoted || !KnownNames.NotAliases.Contains(tokens[i].Value)));

    private void CheckOthers(Examination found)
    {
        var tokens = found.Tokens;
        for (var i = 0; i < tokens.Length; i++)
        {
            if (!tokens.IsName(i) || tokens.IsPunctuation(i - 1, ".") || !Others!.Contains(tokens.Name(i), StringComparer.OrdinalIgnoreCase)) continue;
            var named = tokens.IsPunctuation(i + 1, ".") && (found.Relations.Contains(i) ||
                tokens.IsWord(i - 1, "into", "update", "table", "view", "schema", "exists", "macro", "type", "describe", "desc", "summarize", "show"));
            if (named || (found.Verb == "use" && i == 1))
                throw new EndpointException($"Binder Error: Catalog \"{tokens[i].Value}\" does not exist! (the session has attach_mode=single)");
        }
    }

    /// <summary>DuckDB's error without suggestions of what the session does not see: PostgreSQL's tables, and other databases.</summary>
    public string WithoutHiddenNames(string message)
    {
        var at = message.IndexOf("\nDid you mean \"", StringComparison.Ordinal);
        if (at < 0) return message;
        var end = message.IndexOf('\n', at + 1);
        var hint = message[at..(end < 0 ? message.Length : end)];
        var hidden = hint.Contains("pg_", StringComparison.Ordinal) || hint.Contains("temp.", StringComparison.Ordinal) ||
            Others?.Any(other => hint.Contains($"\"{other}.", StringComparison.OrdinalIgnoreCase)) == true;
        return hidden ? message.Remove(at, hint.Length) : message;
    }
}
