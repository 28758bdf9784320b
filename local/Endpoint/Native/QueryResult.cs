using DuckDB.NET.Native;
using MdFunctions.Endpoint.Values;

namespace MdFunctions.Endpoint.Native;

/// <summary>The rows of a statement that has run, or runs still.</summary>
internal sealed class QueryResult : IDisposable
{
    private DuckDBResult _result;
    private bool _disposed;
    private Column[]? _columns;

    private QueryResult(DuckDBResult result) => _result = result;

    public IReadOnlyList<Column> Columns => _columns ??= ReadColumns();

    internal static QueryResult Of(DuckDBState state, DuckDBResult result)
    {
        if (state == DuckDBState.Success)
            return new QueryResult(result);
        var error = NativeMethods.Query.DuckDBResultError(ref result);
        NativeMethods.Query.DuckDBDestroyResult(ref result);
        throw EndpointException.FromEngine(error);
    }

    /// <summary>The next rows, which the caller disposes, or null after the last.</summary>
    /// <exception cref="EndpointException">The statement failed in the middle of its rows: DuckDB's own words.</exception>
    public Chunk? Fetch()
    {
        var chunk = MissingNativeMethods.FetchChunk(_result);
        if (chunk != 0)
        {
            var size = (int)MissingNativeMethods.ChunkSize(chunk);
            if (size > 0)
                return new Chunk(chunk, size);
            NativeMethods.DataChunks.DuckDBDestroyDataChunk(ref chunk);
        }
        // A stream that broke off ends as one that is complete does; only its error tells them apart.
        var error = NativeMethods.Query.DuckDBResultError(ref _result);
        return string.IsNullOrEmpty(error) ? null : throw EndpointException.FromEngine(error);
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        NativeMethods.Query.DuckDBDestroyResult(ref _result);
    }

    private Column[] ReadColumns()
    {
        var columns = new Column[NativeMethods.Query.DuckDBColumnCount(ref _result)];
        for (var i = 0; i < columns.Length; i++)
        {
            columns[i] = new Column(
                MissingNativeMethods.BorrowedText(MissingNativeMethods.ColumnName(ref _result, (ulong)i)),
                ColumnType.Take(MissingNativeMethods.ColumnLogicalType(ref _result, (ulong)i)));
        }
        return columns;
    }
}

/// <summary>Some 2,000 rows, as vectors.</summary>
internal sealed class Chunk(nint handle, int size) : IDisposable
{
    private nint _handle = handle;

    public int Size => size;

    public nint Vector(int index) => MissingNativeMethods.ChunkVector(_handle, (ulong)index);

    public void Dispose()
    {
        if (_handle != 0)
            NativeMethods.DataChunks.DuckDBDestroyDataChunk(ref _handle);
        _handle = 0;
    }
}
