namespace MdFunctions.Endpoint.Sql;

/// <summary>One statement of a text, with its tokens, whose places count from the statement's start.</summary>
internal sealed record SqlStatement(string Sql, Token[] Tokens);

/// <summary>A change to a statement's text: what stands from Start up to End becomes Text.</summary>
internal readonly record struct TextEdit(int Start, int End, string Text);
