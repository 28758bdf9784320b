using MdFunctions.Engine.Templates;

namespace MdFunctions.Engine.Queries;

/// <summary>A query in the catalog.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Summary">What it answers.</param>
/// <param name="Url">Where it is.</param>
/// <param name="Timeout">How long it may take.</param>
/// <param name="MaxRows">The most rows of an answer; null for no limit.</param>
/// <param name="Cache">How long an answer may be reused; null for not at all.</param>
/// <param name="Parameters">Its parameters.</param>
internal sealed record CatalogQuery(string Name, string? Summary, string Url, string Timeout, int? MaxRows, string? Cache, IReadOnlyList<CatalogParameter> Parameters);

/// <summary>A parameter in the catalog. What does not apply is null.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its DuckDB type.</param>
/// <param name="Summary">What it is for.</param>
/// <param name="Required">Whether a request must give it.</param>
/// <param name="Default">Its value when a request does not; of a list, a JSON array.</param>
/// <param name="Enum">The values it can have.</param>
/// <param name="Minimum">The smallest value.</param>
/// <param name="Maximum">The largest value.</param>
/// <param name="Pattern">A regular expression for it.</param>
/// <param name="MaxLength">The most characters, or elements of a list.</param>
internal sealed record CatalogParameter(
    string Name, string Type, string? Summary, bool Required, string? Default, IReadOnlyList<string>? Enum, string? Minimum, string? Maximum,
    string? Pattern, int? MaxLength)
{
    /// <summary>Describes a parameter.</summary>
    public static CatalogParameter Of(Parameter p) => new(
        p.Name, p.Type.Name, p.Summary, p is { Optional: false, Default: null }, p.Default?.Text, p.Enum, p.Minimum, p.Maximum, p.Pattern, p.MaxLength);
}

/// <summary>The catalog that <c>GET /api/queries</c> answers.</summary>
internal static class QueryCatalog
{
    /// <summary>Describes queries, in the order of their names.</summary>
    public static IReadOnlyList<CatalogQuery> Of(IEnumerable<QueryTemplate> queries, string url) =>
    [
        .. queries.OrderBy(query => query.Template.Name, StringComparer.Ordinal).Select(query => new CatalogQuery(
            query.Template.Name,
            query.Template.Summary,
            $"{url}/api/queries/{query.Template.Name}",
            Duration.Write(query.Timeout),
            query.MaxRows == 0 ? null : query.MaxRows,
            query.Cache is { } cache ? Duration.Write(cache) : null,
            [.. query.Template.RequestParameters.Select(CatalogParameter.Of)])),
    ];
}
