using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>Tables that have to be there.</summary>
/// <param name="Name">Tells them from others.</param>
/// <param name="Statements">Make them where they are missing, each with <c>IF NOT EXISTS</c>.</param>
internal sealed record Tables(string Name, IReadOnlyList<string> Statements);

/// <summary>Writes into tables that it makes where they are missing, and tries again when another writer was in the way.</summary>
internal sealed class TableWriter(MotherDuckDataSources dataSources, ILogger<TableWriter> logger) : IDisposable
{
    /// <summary>How long the statements that make tables may take.</summary>
    public static readonly TimeSpan SetupLimit = TimeSpan.FromSeconds(15);

    private const int Attempts = 8;
    private readonly ConcurrentDictionary<string, bool> _prepared = new(StringComparer.OrdinalIgnoreCase);
    private readonly SemaphoreSlim _preparing = new(1);

    /// <summary>Runs work that writes. Each try is in a transaction of its own, so that nothing is stored twice.</summary>
    /// <param name="tables">What it writes into.</param>
    /// <param name="work">Writes.</param>
    /// <param name="isConflict">Whether it failed because another writer was in the way.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<T> RunAsync<T>(Tables tables, Func<Task<T>> work, Func<Exception, bool> isConflict, CancellationToken cancellationToken)
    {
        var madeAgain = false;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await PrepareAsync(tables, cancellationToken);
                return await work();
            }
            catch (Exception e) when (attempt < Attempts && isConflict(e))
            {
                logger.LogInformation("{Tables}: another transaction was in the way; trying again ({Attempt}): {Error}", tables.Name, attempt, MotherDuckError.OneLine(e.Message));
                await Task.Delay(Random.Shared.Next(5, 20 << attempt), cancellationToken);
            }
            catch (Exception e) when (!madeAgain && MotherDuckError.From(e)?.Reason == "Catalog Error")
            {
                // They were there when they were made. The statement may name others that are not, so this is tried once.
                madeAgain = true;
                _prepared.TryRemove(tables.Name, out _);
            }
        }
    }

    public void Dispose() => _preparing.Dispose();

    // Not in the transaction that writes, which would be in the way of other first ones.
    private async Task PrepareAsync(Tables tables, CancellationToken cancellationToken)
    {
        if (_prepared.ContainsKey(tables.Name))
            return;
        await _preparing.WaitAsync(cancellationToken);
        try
        {
            if (_prepared.ContainsKey(tables.Name))
                return;
            await dataSources.Write.RunAsync(SetupLimit, async (connection, stop) =>
            {
                foreach (var statement in tables.Statements)
                    await connection.ScalarAsync(statement, stop);
            }, MotherDuckError.IsTransientFailure, cancellationToken);
            _prepared[tables.Name] = true;
        }
        finally
        {
            _preparing.Release();
        }
    }
}
