using MdFunctions.Templates;

namespace MdFunctions.Queries;

/// <summary>A file of <c>sql/queries</c>.</summary>
/// <param name="Template">The statement and its parameters.</param>
/// <param name="Timeout">How long a request may take; 504 after that.</param>
public sealed record QueryTemplate(Template Template, TimeSpan Timeout)
{
    /// <summary>Words of the query string that are not parameters: <c>format</c> is ours, <c>code</c> carries Azure's function key.</summary>
    public static readonly IReadOnlyCollection<string> Reserved = ["format", "code"];

    /// <summary>Reads a file; faults go to it.</summary>
    public static QueryTemplate Read(SqlFile file, Settings settings)
    {
        var frontMatter = FrontMatter.Read(file);
        var template = Template.Read(file, frontMatter, settings);
        foreach (var parameter in template.Parameters.Where(parameter => Reserved.Contains(parameter.Name)))
            frontMatter.Fault("parameters", $"a parameter cannot be named '{parameter.Name}': that word of the query string has another meaning");
        var timeout = frontMatter.Duration("timeout") ?? TimeSpan.FromSeconds(30);
        frontMatter.RejectUnknown("a query");
        return new(template, timeout);
    }
}
