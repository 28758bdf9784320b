using System.Collections.Concurrent;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Queries;
using MdFunctions.Engine.Templates;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Engine.Docs;

/// <summary>The columns of the queries, as far as they are known or can be asked for quickly. MotherDuck is asked once a query, not again for each reader.</summary>
internal sealed class QueryColumns(MotherDuckDataSources dataSources, QueryShapes shapes, TemplateCatalog templates, ILogger<QueryColumns> logger)
{
    // For all queries together: who reads the document waits for it.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);

    private readonly SemaphoreSlim _asking = new(1);
    private readonly ConcurrentDictionary<string, bool> _refused = new(StringComparer.Ordinal);

    /// <summary>The columns of each query that has been asked for them; asks for those that are missing, for three seconds at most.</summary>
    public async Task<IReadOnlyDictionary<string, IReadOnlyList<Column>>> GetAsync(CancellationToken cancellationToken)
    {
        if (Missing().Any())
            await AskAsync(cancellationToken);
        return Known();
    }

    /// <summary>The columns that are known without asking.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<Column>> Known() => templates.Queries.Values
        .Select(query => (query.Template.Name, Shape: shapes.Find(query)))
        .Where(query => query.Shape is not null)
        .ToDictionary(query => query.Name, query => query.Shape!.Columns, StringComparer.Ordinal);

    private IEnumerable<QueryTemplate> Missing() => templates.Queries.Values
        .Where(query => shapes.Find(query) is null && !_refused.ContainsKey(query.Template.Name))
        .OrderBy(query => query.Template.Name, StringComparer.Ordinal);

    private async Task AskAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        var entered = false;
        try
        {
            await _asking.WaitAsync(limit.Token);
            entered = true;
            foreach (var query in Missing().ToList())
                await AskAsync(query, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            logger.LogInformation("The columns of some queries are not known yet: MotherDuck did not answer within {Limit}", Limit);
        }
        catch (Exception e) when (MotherDuckError.From(e) is { } error)
        {
            logger.LogInformation("The columns of some queries are not known yet: {Reason}", error.Reason);
        }
        finally
        {
            if (entered)
                _asking.Release();
        }
    }

    private async Task AskAsync(QueryTemplate query, CancellationToken cancellationToken)
    {
        try
        {
            // What a document says does not wait behind queries.
            await dataSources.Read.RunAsync(
                Limit, (connection, stop) => shapes.RefreshAsync(connection, query, stop), MotherDuckError.IsTransientFailure, cancellationToken, new Turn { CanWait = false });
        }
        catch (Exception e) when (MotherDuckError.From(e) is { Kind: MotherDuckErrorKind.Rejected } error)
        {
            // Its table may be made by a load that has not run yet; a call of the query will know its columns.
            _refused[query.Template.Name] = true;
            logger.LogInformation("The columns of query {Query} cannot be asked for: {Reason}", query.Template.Name, error.Reason);
        }
    }
}
