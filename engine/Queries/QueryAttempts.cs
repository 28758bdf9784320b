using System.Runtime.ExceptionServices;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Templates;
using Npgsql;

namespace MdFunctions.Engine.Queries;

/// <summary>
/// A query on its way to its first row. The tables may have changed since its shape was asked for, and it may need its values in another form than was known:
/// then it is started again, and the new shape and form are kept.
/// </summary>
internal sealed class QueryAttempts(QueryShapes shapes, QueryTemplate query, int maxRows, ParameterValue?[] values)
{
    // For a shape that has changed, and each form of values.
    private const int Most = 5;

    private QueryShape? _shape = shapes.Find(query);
    private ValueForm _form = shapes.FormOf(query);
    private bool _isFresh;
    private (QueryShape Shape, ExceptionDispatchInfo Why)? _refused;
    private int _count;

    /// <summary>Starts the query and waits for its first row.</summary>
    public async Task<QueryExecution> StartAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        for (; ; _shape = null)
        {
            _count++;
            var shape = _shape ?? await RefreshAsync(connection, cancellationToken);
            var execution = await QueryExecution.StartAsync(connection, shape, maxRows, _form, values, cancellationToken);
            if (shape.Fits(execution.Reader) || _count >= Most)
            {
                shapes.Keep(query, _form);
                return execution;
            }
            await execution.DisposeAsync();
        }
    }

    /// <summary>Whether another attempt may do better than the one that failed. Nothing has been answered yet, and a SELECT can be sent twice.</summary>
    /// <exception cref="MotherDuckException">It cannot be prepared in any way; the message says what to change.</exception>
    public bool CanRetry(Exception exception)
    {
        if (exception is not PostgresException refusal || _count >= Most)
            return false;
        var isMismatch = QueryShape.IsMismatch(refusal);
        if (Preparing.IsRefusal(refusal) || (isMismatch && _isFresh))
        {
            _form = Preparing.Next(_form, values) ?? throw Preparing.Explain(query, refusal);
            return true;
        }
        // There are places where no subquery can stand either, such as in a lambda.
        if (Preparing.WantsConstant(query, refusal) || (_form == ValueForm.Hidden && _form != shapes.FormOf(query)))
            throw Preparing.Explain(query, refusal);
        if (_shape is not { } shape || _isFresh || !(isMismatch || MotherDuckError.From(refusal)?.Reason is "Binder Error" or "Catalog Error"))
            return false;
        _refused = isMismatch ? null : (shape, ExceptionDispatchInfo.Capture(refusal));
        _shape = null;
        return true;
    }

    private async Task<QueryShape> RefreshAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        _shape = await shapes.RefreshAsync(connection, query, cancellationToken);
        _isFresh = true;
        // The same statement is not sent twice.
        if (_refused is { } before && _shape.Equivalent(before.Shape))
            before.Why.Throw();
        return _shape;
    }
}
