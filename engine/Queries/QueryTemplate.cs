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
    /// <summary>Words of the query string that are not parameters: <c>code</c> carries Azure's function key, the others say how the answer is written.</summary>
    public static readonly IReadOnlyCollection<string> Reserved = ["format", "bom", "download", "code"];

    /// <summary>Reads a file; faults go to it.</summary>
    public static QueryTemplate Read(SqlFile file, Settings settings, QueryOptions options)
    {
        var frontMatter = FrontMatter.Read(file);
        var template = Template.Read(file, frontMatter, settings, _ => false, hasCallers: true);
        foreach (var parameter in template.Parameters.Where(parameter => Reserved.Contains(parameter.Name)))
            frontMatter.Fault("parameters", $"a parameter cannot be named '{parameter.Name}': that word of the query string has another meaning");
        StatementChecks.CheckTableFunctions(file);
        StatementChecks.CheckPivots(file);

        var timeout = frontMatter.Duration("timeout", TimeSpan.FromMilliseconds(1), QueryOptions.MaxTimeout) ?? options.Timeout;
        var maxRows = (int?)frontMatter.Integer("maxRows", 1, int.MaxValue - 1) ?? options.MaxRows;
        var onLimit = frontMatter.Choice("onLimit", "cut", "error");
        if (onLimit is not null && maxRows == 0)
            frontMatter.Fault("onLimit", "'onLimit' says what happens at 'maxRows', which is not set");
        var cache = frontMatter.Duration("cache", TimeSpan.FromSeconds(1), TimeSpan.FromDays(365));
        var mcp = frontMatter.Boolean("mcp", otherwise: true);
        frontMatter.RejectUnknown("a query");
        return new(template, timeout, maxRows, onLimit == "error", cache, mcp);
    }
}
