using MdFunctions.Endpoint.Native;

namespace MdFunctions.Endpoint.Sessions;

/// <summary>
/// Statements that a session has prepared and may send again: to plan one costs DuckDB more than to run it. Kept are those that only read,
/// were prepared outside of a transaction, and not since anybody changed what a plan rests on: the schema, or the session's settings.
/// </summary>
/// <param name="changes">The endpoint's changes of schema.</param>
internal sealed class StatementCache(SchemaChanges changes) : IDisposable
{
    private const int Largest = 16;
    private const int MaxText = 8 * 1024;

    private readonly Dictionary<string, (Statement Statement, long Version)> _kept = [];

    /// <summary>Takes a statement out, if it is there and still good.</summary>
    public Statement? Take(string sql)
    {
        if (!_kept.Remove(sql, out var kept))
            return null;
        if (kept.Version == changes.Version)
            return kept.Statement;
        kept.Statement.Dispose();
        Clear();
        return null;
    }

    /// <summary>Keeps a statement, or disposes it.</summary>
    /// <param name="sql">Its text.</param>
    /// <param name="statement">The statement, of which nothing runs any more.</param>
    /// <param name="version">The version of the schema before it was prepared.</param>
    public void Give(string sql, Statement statement, long version)
    {
        if (statement.Kind != StatementKind.Select || version != changes.Version || sql.Length > MaxText || _kept.ContainsKey(sql))
        {
            statement.Dispose();
            return;
        }
        if (_kept.Count >= Largest)
            Clear();
        statement.ClearBindings();
        _kept[sql] = (statement, version);
    }

    public void Dispose() => Clear();

    private void Clear()
    {
        foreach (var (statement, _) in _kept.Values)
            statement.Dispose();
        _kept.Clear();
    }
}

/// <summary>Counts what may have changed the plans of statements, in any session of the endpoint.</summary>
internal sealed class SchemaChanges
{
    private long _version;

    public long Version => Interlocked.Read(ref _version);

    /// <summary>Whether statements of this kind leave plans good.</summary>
    public static bool Leaves(StatementKind kind)
        => kind is StatementKind.Select or StatementKind.Insert or StatementKind.Update or StatementKind.Delete or StatementKind.MergeInto
            or StatementKind.Explain or StatementKind.Transaction;

    /// <summary>Something has changed: to be called when it can be seen, not before.</summary>
    public void Add() => Interlocked.Increment(ref _version);
}
