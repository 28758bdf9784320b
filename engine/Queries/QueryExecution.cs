using System.Runtime.ExceptionServices;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Templates;
using Npgsql;

namespace MdFunctions.Engine.Queries;

/// <summary>A statement that MotherDuck has accepted and whose rows are arriving. Disposing it stops the statement and gives the connection back.</summary>
internal sealed class QueryExecution : IAsyncDisposable
{
    // For a shape that has changed, and each form of values.
    private const int MostAttempts = 5;

    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlCommand _command;
    private bool _isComplete;

    private QueryExecution(NpgsqlConnection connection, NpgsqlCommand command, NpgsqlDataReader reader, QueryShape shape) =>
        (_connection, _command, Reader, Shape) = (connection, command, reader, shape);

    /// <summary>The rows.</summary>
    public NpgsqlDataReader Reader { get; }

    /// <summary>What they look like.</summary>
    public QueryShape Shape { get; }

    /// <summary>
    /// Starts a query and waits for its first row. The tables may have changed since its shape was asked for, and it may need its values in another form than
    /// was known: then it is started again, and the new shape and form are kept.
    /// </summary>
    public static async Task<QueryExecution> StartAsync(
        MotherDuckDataSource dataSource, QueryShapes shapes, QueryTemplate query, ParameterValue?[] values, CancellationToken cancellationToken)
    {
        var shape = shapes.Find(query);
        var isFresh = false;
        var form = shapes.FormOf(query);
        (QueryShape Shape, ExceptionDispatchInfo Why)? refused = null;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var execution = await ExecuteAsync(dataSource, GetShapeAsync, query.MaxRows, form, values, cancellationToken);
                if (execution.Shape.Fits(execution.Reader) || attempt == MostAttempts)
                {
                    shapes.Keep(query, form);
                    return execution;
                }
                await execution.DisposeAsync();
                shape = null;
            }
            catch (PostgresException e) when (attempt < MostAttempts)
            {
                var isMismatch = QueryShape.IsMismatch(e);
                if (Preparing.IsRefusal(e) || (isMismatch && isFresh))
                    form = Preparing.Next(form, values) ?? throw Preparing.Explain(query, e);
                // There are places where no subquery can stand either, such as in a lambda.
                else if (Preparing.WantsConstant(query, e) || (form == ValueForm.Hidden && form != shapes.FormOf(query)))
                    throw Preparing.Explain(query, e);
                else if (shape is null || isFresh || !(isMismatch || MotherDuckError.From(e)?.Reason is "Binder Error" or "Catalog Error"))
                    throw;
                else
                    (refused, shape) = (isMismatch ? null : (shape, ExceptionDispatchInfo.Capture(e)), null);
            }
        }

        async ValueTask<QueryShape> GetShapeAsync(NpgsqlConnection connection)
        {
            if (shape is not null)
                return shape;
            shape = await shapes.RefreshAsync(connection, query, cancellationToken);
            isFresh = true;
            // The same statement is not sent twice.
            if (refused is { } before && shape.Equivalent(before.Shape))
                before.Why.Throw();
            return shape;
        }
    }

    /// <summary>Says that the rows have been read: there is nothing to stop.</summary>
    public void Complete() => _isComplete = true;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_isComplete)
            await StopAsync();
        await Reader.DisposeAsync();
        await _command.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private static async Task<QueryExecution> ExecuteAsync(
        MotherDuckDataSource dataSource, Func<NpgsqlConnection, ValueTask<QueryShape>> getShape, int maxRows, ValueForm form, ParameterValue?[] values,
        CancellationToken cancellationToken)
    {
        var connection = await dataSource.OpenAsync(cancellationToken);
        NpgsqlCommand? command = null;
        try
        {
            var shape = await getShape(connection);
            command = connection.Statement(shape.StatementFor(maxRows, form, values), [.. values.Select(value => value?.Text)]);
            // Without sequential access, which hands a row out before all of it has come: the rest would be waited for with the thread blocked.
            return new(connection, command, await command.ExecuteReaderAsync(cancellationToken), shape);
        }
        catch (Exception e)
        {
            // The idle connections of the pool are as old as this one: none of them is tried again.
            if (MotherDuckError.From(e)?.Kind == MotherDuckErrorKind.Unreachable)
                MotherDuckDataSource.Discard(connection);
            if (command is not null)
                await command.DisposeAsync();
            await connection.DisposeAsync();
            throw;
        }
    }

    // Disposing a reader reads all the rows that are left. Reading on with a cancelled token cancels the statement at the far side first, and drops the
    // connection where it does not listen. It costs a connection of its own, so it is for what has not ended by itself.
    private async Task StopAsync()
    {
        try
        {
            while (await Reader.ReadAsync(new CancellationToken(canceled: true)))
            {
            }
        }
        catch (Exception e) when (e is OperationCanceledException or NpgsqlException or InvalidOperationException)
        {
        }
    }
}
