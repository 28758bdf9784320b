using MdFunctions.Endpoint.Databases;
using MdFunctions.Endpoint.Remote;
using MdFunctions.Endpoint.Settings;
using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Policy;

/// <summary>What the policy found out about a statement that it lets pass.</summary>
internal sealed class Examination(SqlStatement statement)
{
    public string Sql { get; } = statement.Sql;

    public Token[] Tokens { get; } = statement.Tokens;

    /// <summary>The first word, in lower case; empty where a statement begins with none.</summary>
    public string Verb { get; } = statement.Tokens is [{ Kind: TokenKind.Word } first, ..] ? first.Value : "";

    /// <summary>PostgreSQL's command tag without a count: <c>SELECT</c>, <c>CREATE TABLE</c>.</summary>
    public string Tag { get; } = CommandTag.Of(statement.Tokens);

    /// <summary>Changes to make in the text before DuckDB sees it.</summary>
    public List<TextEdit> Edits { get; } = [];

    /// <summary>The remote files to read first.</summary>
    public List<RemoteRead> Remote { get; } = [];

    /// <summary>Where relations are named: the places of their first tokens.</summary>
    public List<int> Relations { get; } = [];

    /// <summary>Set where the statement is about whole databases, which the endpoint carries out itself.</summary>
    public DatabaseAction? Database { get; set; }

    /// <summary>Set where the statement is about a setting of PostgreSQL's, which the endpoint carries out itself (documented behaviour only).</summary>
    public SettingAction? Setting { get; set; }

    /// <summary>What the statement makes that outlives it (a view, a macro), or null.</summary>
    public string? Stored { get; set; }

    /// <summary>Whether the text ends within a string or a comment: DuckDB's parser words the error.</summary>
    public bool IsUnfinished { get; init; }
}
