using MdFunctions.Engine.Templates;

namespace MdFunctions.Engine.Queries;

/// <summary>A parameter in the catalogs of queries and loads. What does not apply is null.</summary>
internal sealed record CatalogParameter(
    string Name, string Type, string? Summary, bool Required, string? Default, IReadOnlyList<string>? Enum, string? Minimum, string? Maximum, string? Pattern, int? MaxLength)
{
    /// <summary>Describes a parameter; the default of a list is a JSON array.</summary>
    public static CatalogParameter Of(Parameter p) => new(
        p.Name, p.Type.Name, p.Summary, p is { Optional: false, Default: null }, p.Default?.Text, p.Enum, p.Minimum, p.Maximum, p.Pattern, p.MaxLength);
}

/// <summary>The catalog that <c>GET /api/queries</c> answers.</summary>
internal static class QueryCatalog
{
    /// <summary>Describes queries, in the order of their names.</summary>
    public static IReadOnlyList<object> Of(IEnumerable<QueryTemplate> queries, string url) =>
    [
        .. queries.OrderBy(query => query.Template.Name, StringComparer.Ordinal).Select(query => new
        {
            query.Template.Name,
            query.Template.Summary,
            Url = $"{url}/api/queries/{query.Template.Name}",
            Timeout = Duration.Write(query.Timeout),
            MaxRows = query.MaxRows == 0 ? (int?)null : query.MaxRows,
            Cache = query.Cache is { } cache ? Duration.Write(cache) : null,
            Parameters = query.Template.RequestParameters.Select(CatalogParameter.Of).ToList(),
        }),
    ];
}
