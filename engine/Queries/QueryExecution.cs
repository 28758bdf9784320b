using System.Runtime.ExceptionServices;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Templates;
using Npgsql;

namespace MdFunctions.Engine.Queries;

/// <summary>A statement that MotherDuck has accepted and whose rows are arriving. Disposing it stops the statement and gives the connection back.</summary>
internal sealed class QueryExecution : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlCommand _command;
    private bool _isComplete;

    private QueryExecution(NpgsqlConnection connection, NpgsqlCommand command, NpgsqlDataReader reader, QueryShape shape) =>
        (_connection, _command, Reader, Shape) = (connection, command, reader, shape);

    /// <summary>The rows.</summary>
    public NpgsqlDataReader Reader { get; }

    /// <summary>What they look like.</summary>
    public QueryShape Shape { get; }

    /// <summary>Starts a query and waits for its first row.</summary>
    public static async Task<QueryExecution> StartAsync(
        MotherDuckDataSource dataSource, QueryShapes shapes, QueryTemplate query, ParameterValue?[] values, CancellationToken cancellationToken)
    {
        ExceptionDispatchInfo? refusal = null;
        var known = shapes.Find(query);
        if (known is not null)
        {
            // The tables may have changed since the shape was asked for: other columns than it says, or none of a name that it uses.
            try
            {
                var execution = await ExecuteAsync(dataSource, _ => new(known), values, cancellationToken);
                if (known.Fits(execution.Reader))
                    return execution;
                await execution.DisposeAsync();
            }
            catch (PostgresException e) when (MotherDuckError.From(e)?.Reason is "Binder Error" or "Catalog Error")
            {
                refusal = ExceptionDispatchInfo.Capture(e);
            }
        }
        var second = await ExecuteAsync(dataSource, async connection =>
        {
            var fresh = await shapes.RefreshAsync(connection, query, cancellationToken);
            // The same statement is not sent twice.
            if (refusal is not null && fresh.Equivalent(known!))
                refusal.Throw();
            return fresh;
        }, values, cancellationToken);
        second.Shape.Fits(second.Reader);
        return second;
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
        MotherDuckDataSource dataSource, Func<NpgsqlConnection, ValueTask<QueryShape>> getShape, ParameterValue?[] values, CancellationToken cancellationToken)
    {
        var connection = await dataSource.OpenAsync(cancellationToken);
        NpgsqlCommand? command = null;
        try
        {
            var shape = await getShape(connection);
            command = connection.Statement(shape.Statement, [.. values.Select(value => value?.Text)]);
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
