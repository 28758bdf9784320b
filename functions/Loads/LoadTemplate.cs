using MdFunctions.MotherDuck;
using MdFunctions.Templates;

namespace MdFunctions.Loads;

/// <summary>A table's full name.</summary>
/// <param name="Database">The MotherDuck database.</param>
/// <param name="Schema">The schema.</param>
/// <param name="Table">The table.</param>
public sealed record TableName(string Database, string Schema, string Table)
{
    /// <summary>The name as SQL, each part quoted.</summary>
    public override string ToString() => $"{Sql.Identifier(Database)}.{Sql.Identifier(Schema)}.{Sql.Identifier(Table)}";

    /// <summary>Reads <c>database.schema.table</c>; a part may be quoted as in SQL.</summary>
    /// <returns>Null if it is not three names.</returns>
    public static TableName? Parse(string text)
    {
        List<SqlToken> tokens;
        try
        {
            tokens = SqlLexer.Read(text.Trim());
        }
        catch (SqlLexerException)
        {
            return null;
        }
        if (tokens is not [var database, { Text: "." }, var schema, { Text: "." }, var table])
            return null;
        return Part(database) is { } d && Part(schema) is { } s && Part(table) is { } t ? new(d, s, t) : null;

        static string? Part(SqlToken token) => token switch
        {
            { Kind: SqlTokenKind.Word } when !char.IsAsciiDigit(token.Text[0]) => token.Text,
            { Kind: SqlTokenKind.Quoted, Text: ['"', _, .., '"'] quoted } => quoted[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal),
            _ => null,
        };
    }
}

/// <summary>A file of <c>sql/loads</c>.</summary>
/// <param name="Template">The statement and its parameters.</param>
/// <param name="Target">The table it fills.</param>
/// <param name="Mode">What happens to the rows that are there.</param>
/// <param name="Schedule">The timer that runs it: <c>hourly</c>, <c>daily</c> or <c>none</c>.</param>
/// <param name="Timeout">How long a run may take.</param>
public sealed record LoadTemplate(Template Template, TableName Target, string Mode, string Schedule, TimeSpan Timeout)
{
    /// <summary>The load's name.</summary>
    public string Name => Template.Name;

    /// <summary>Reads a file; faults go to it.</summary>
    public static LoadTemplate Read(SqlFile file, Settings settings)
    {
        var frontMatter = FrontMatter.Read(file);
        var template = Template.Read(file, frontMatter, settings);
        var target = TableName.Parse(frontMatter.Text("target") ?? "");
        if (target is null)
            frontMatter.Fault("target", "'target' is not a table's full name, database.schema.table");
        var mode = frontMatter.Choice("mode", "replace");
        if (mode is null)
            frontMatter.Fault("mode", "'mode' is missing; expected replace");
        var schedule = frontMatter.Choice("schedule", "hourly", "daily", "none") ?? "none";
        var timeout = frontMatter.Duration("timeout") ?? TimeSpan.FromMinutes(10);
        frontMatter.RejectUnknown("a load");
        return new(template, target ?? new("", "", ""), mode ?? "replace", schedule, timeout);
    }
}
