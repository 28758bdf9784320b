using MdFunctions.Engine.Templates;

namespace MdFunctions.Engine.Queries;

/// <summary>A file of <c>sql/queries</c>.</summary>
/// <param name="Template">The statement and its parameters.</param>
/// <param name="Timeout">How long a request may take; 504 after that.</param>
/// <param name="MaxRows">The most rows of an answer; 0 for no limit.</param>
/// <param name="ErrorOnLimit">Whether more rows than that are a 422 (<c>onLimit: error</c>) instead of an answer that is cut and says so.</param>
/// <param name="Cache">How long an answer may be reused, here and by clients; null for not at all.</param>
/// <param name="Mcp">Whether models see it as a tool.</param>
internal sealed record QueryTemplate(Template Template, TimeSpan Timeout, int MaxRows, bool ErrorOnLimit, TimeSpan? Cache, bool Mcp = true)
{
    /// <summary>Words of the query string that are not parameters: <c>format</c> is ours, <c>code</c> carries Azure's function key.</summary>
    public static readonly IReadOnlyCollection<string> Reserved = ["format", "code"];

    // Table functions take no parameters at MotherDuck. What follows FROM or JOIN and has parentheses is one, and so are the readers, wherever they stand.
    private static readonly string[] TableFunctionPrefixes = ["read_", "parquet_", "sniff_"];
    private static readonly string[] TableFunctionNames = ["glob", "query", "query_table", "parquet_scan", "iceberg_scan", "delta_scan"];

    /// <summary>Reads a file; faults go to it.</summary>
    public static QueryTemplate Read(SqlFile file, Settings settings, QueryOptions options)
    {
        var frontMatter = FrontMatter.Read(file);
        var template = Template.Read(file, frontMatter, settings);
        foreach (var parameter in template.Parameters.Where(parameter => Reserved.Contains(parameter.Name)))
            frontMatter.Fault("parameters", $"a parameter cannot be named '{parameter.Name}': that word of the query string has another meaning");
        CheckTableFunctions(file);

        var timeout = frontMatter.Duration("timeout") ?? options.Timeout;
        var maxRows = (int?)frontMatter.Integer("maxRows", 1, int.MaxValue - 1) ?? options.MaxRows;
        var onLimit = frontMatter.Choice("onLimit", "cut", "error");
        if (onLimit is not null && maxRows == 0)
            frontMatter.Fault("onLimit", "'onLimit' says what happens at 'maxRows', which is not set");
        var cache = frontMatter.Duration("cache");
        var mcp = frontMatter.Boolean("mcp", otherwise: true);
        frontMatter.RejectUnknown("a query");
        return new(template, timeout, maxRows, onLimit == "error", cache, mcp);
    }

    private static void CheckTableFunctions(SqlFile file)
    {
        var content = file.Statement.Where(token => token.Kind != SqlTokenKind.Space).ToList();
        // For each open parenthesis, whether it holds the arguments of a table function.
        var open = new Stack<bool>();
        for (var i = 0; i < content.Count; i++)
        {
            switch (content[i])
            {
                case { Text: "(" }:
                    open.Push(i > 0 && IsTableFunction(content, i - 1));
                    break;
                case { Text: ")" } when open.Count > 0:
                    open.Pop();
                    break;
                case { Kind: SqlTokenKind.Parameter } parameter when open.Contains(true):
                    file.FaultAt(parameter, $"{parameter.Text} is an argument of a table function, where MotherDuck takes no parameters");
                    break;
            }
        }
    }

    private static bool IsTableFunction(List<SqlToken> content, int name)
    {
        var word = content[name];
        if (word.Kind is not (SqlTokenKind.Word or SqlTokenKind.Quoted))
            return false;
        var text = word.Text.Trim('"');
        if (TableFunctionPrefixes.Any(prefix => text.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            || TableFunctionNames.Contains(text, StringComparer.OrdinalIgnoreCase))
            return true;
        var before = name - 1;
        while (before > 0 && content[before].Text == ".")
            before -= 2;
        return before >= 0 && (content[before].Is("FROM") || content[before].Is("JOIN") || content[before].Is("LATERAL"));
    }
}
