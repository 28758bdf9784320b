using System.Collections.Concurrent;
using Npgsql;

namespace MdFunctions.Engine.Queries;

/// <summary>The shapes of the queries, asked for once a query and kept, and the form of values that each query was seen to need.</summary>
internal sealed class QueryShapes
{
    private readonly ConcurrentDictionary<string, QueryShape> _shapes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ValueForm> _forms = new(StringComparer.Ordinal);

    /// <summary>The shape of a query; null before it was asked for.</summary>
    public QueryShape? Find(QueryTemplate query) => _shapes.GetValueOrDefault(query.Template.Name);

    /// <summary>Asks MotherDuck for the shape of a query.</summary>
    public async Task<QueryShape> RefreshAsync(NpgsqlConnection connection, QueryTemplate query, CancellationToken cancellationToken) =>
        Keep(query, await QueryShape.DescribeAsync(connection, query, cancellationToken));

    /// <summary>Keeps a shape that is known already.</summary>
    public QueryShape Keep(QueryTemplate query, QueryShape shape) => _shapes[query.Template.Name] = shape;

    /// <summary>The form of values that a query needs as far as is known.</summary>
    public ValueForm FormOf(QueryTemplate query) => _forms.GetValueOrDefault(query.Template.Name);

    /// <summary>Keeps the form of values that a query ran with.</summary>
    public void Keep(QueryTemplate query, ValueForm form)
    {
        if (form != FormOf(query))
            _forms[query.Template.Name] = form;
    }
}
