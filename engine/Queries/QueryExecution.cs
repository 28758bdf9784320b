using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Templates;
using Npgsql;

namespace MdFunctions.Engine.Queries;

/// <summary>A statement that MotherDuck has accepted and whose rows are arriving. Disposing it stops the statement.</summary>
internal sealed class QueryExecution : IAsyncDisposable
{
    private readonly NpgsqlCommand _command;
    private bool _isComplete;

    private QueryExecution(NpgsqlCommand command, NpgsqlDataReader reader, QueryShape shape) => (_command, Reader, Shape) = (command, reader, shape);

    /// <summary>The rows.</summary>
    public NpgsqlDataReader Reader { get; }

    /// <summary>What they look like.</summary>
    public QueryShape Shape { get; }

    /// <summary>Runs a statement and waits for its first row.</summary>
    public static async Task<QueryExecution> StartAsync(
        NpgsqlConnection connection, QueryShape shape, int maxRows, ValueForm form, ParameterValue?[] values, CancellationToken cancellationToken)
    {
        var command = connection.Statement(shape.StatementFor(maxRows, form, values), [.. values.Select(value => value?.Text)]);
        try
        {
            // Without sequential access, which hands a row out before all of it has come: the rest would be waited for with the thread blocked.
            return new(command, await command.ExecuteReaderAsync(cancellationToken), shape);
        }
        catch
        {
            await command.DisposeAsync();
            throw;
        }
    }

    /// <summary>Says that the rows have been read: there is nothing to stop.</summary>
    public void Complete() => _isComplete = true;

    public async ValueTask DisposeAsync()
    {
        if (!_isComplete)
            await StopAsync();
        await Reader.DisposeAsync();
        await _command.DisposeAsync();
    }

    // Disposing a reader reads all the rows that are left. Reading on with a cancelled token cancels the statement at the far side first, and drops the
    // connection where it does not listen. It costs a connection of its own, so it is for what has not ended by itself; and Npgsql blocks the thread for it.
    private Task StopAsync() => Task.Factory.StartNew(async () =>
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
    }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
}
