using DuckDB.NET.Native;
using MdFunctions.Endpoint.Values;

namespace MdFunctions.Endpoint.Native;

/// <summary>A result's column.</summary>
internal sealed record Column(string Name, ColumnType Type);

/// <summary>The statements that DuckDB makes of one text.</summary>
internal sealed class ExtractedStatements(DuckDBNativeConnection connection, DuckDBExtractedStatements handle, int count) : IDisposable
{
    public int Count => count;

    /// <summary>Prepares one of them: what it names must exist by now.</summary>
    /// <exception cref="EndpointException">DuckDB's own words where it cannot.</exception>
    public Statement Prepare(int index)
    {
        var state = NativeMethods.ExtractStatements.DuckDBPrepareExtractedStatement(connection, handle, index, out var statement);
        return Statement.Prepared(state, statement);
    }

    public void Dispose() => handle.Dispose();
}

/// <summary>A prepared statement.</summary>
internal sealed unsafe class Statement : IDisposable
{
    private readonly DuckDBPreparedStatement _handle;
    private Column[]? _columns;
    private ColumnType?[]? _parameterTypes;

    private Statement(DuckDBPreparedStatement handle)
    {
        _handle = handle;
        Kind = (StatementKind)MissingNativeMethods.PreparedStatementType(handle);
        ParameterCount = (int)NativeMethods.PreparedStatements.DuckDBParams(handle);
    }

    public StatementKind Kind { get; }

    public int ParameterCount { get; }

    /// <summary>The result's columns as known before execution; where a parameter leaves them open, their types are unresolved.</summary>
    public IReadOnlyList<Column> Columns => _columns ??= ReadColumns();

    internal static Statement Prepared(DuckDBState state, DuckDBPreparedStatement handle)
    {
        if (state == DuckDBState.Success)
            return new Statement(handle);
        using (handle)
            throw EndpointException.FromEngine(NativeMethods.PreparedStatements.DuckDBPrepareError(handle));
    }

    /// <summary>What DuckDB takes a parameter (from 1) for, or null where the statement leaves it open.</summary>
    /// <remarks>DuckDB knows it until the statement runs.</remarks>
    public ColumnType? ParameterType(int number)
        => (_parameterTypes ??= [.. Enumerable.Range(1, ParameterCount).Select(ReadParameterType)])[number - 1];

    /// <summary>The name of a parameter (from 1): its number, where it has no name.</summary>
    public string ParameterName(int number)
        => MissingNativeMethods.OwnedText(MissingNativeMethods.ParameterName(_handle, (ulong)number));

    public void ClearBindings() => _ = MissingNativeMethods.ClearBindings(_handle);

    public void BindNull(int number) => NativeMethods.PreparedStatements.DuckDBBindNull(_handle, number);

    /// <summary>Binds text that is valid UTF-8.</summary>
    public void BindText(int number, ReadOnlySpan<byte> text)
    {
        fixed (byte* bytes = text)
        {
            byte none = 0; // An empty text has no address of its own, and DuckDB wants one.
            if (MissingNativeMethods.BindVarchar(_handle, (ulong)number, text.IsEmpty ? &none : bytes, (ulong)text.Length) != 0)
                throw new EndpointException($"Invalid Input Error: parameter ${number} cannot be bound");
        }
    }

    public void BindBlob(int number, ReadOnlySpan<byte> value)
    {
        fixed (byte* bytes = value)
        {
            byte none = 0;
            if (MissingNativeMethods.BindBlob(_handle, (ulong)number, value.IsEmpty ? &none : bytes, (ulong)value.Length) != 0)
                throw new EndpointException($"Invalid Input Error: parameter ${number} cannot be bound");
        }
    }

    /// <summary>Runs it to its end.</summary>
    /// <exception cref="EndpointException">DuckDB's own words where it fails.</exception>
    public QueryResult Run()
        => QueryResult.Of(NativeMethods.PreparedStatements.DuckDBExecutePrepared(_handle, out var result), result);

    /// <summary>Runs it as a stream, which holds no more than DuckDB's own buffer; later errors are thrown while its rows are read.</summary>
    /// <exception cref="EndpointException">DuckDB's own words where it fails before its first rows.</exception>
    public QueryResult Stream()
        => QueryResult.Of(NativeMethods.PreparedStatements.DuckDBExecutePreparedStreaming(_handle, out var result), result);

    public void Dispose() => _handle.Dispose();

    private ColumnType? ReadParameterType(int number)
        => MissingNativeMethods.ParamType(_handle, (ulong)number) == (int)DuckDBType.Invalid
            ? null
            : ColumnType.Take(MissingNativeMethods.ParamLogicalType(_handle, (ulong)number));

    private Column[] ReadColumns()
    {
        var columns = new Column[MissingNativeMethods.PreparedStatementColumnCount(_handle)];
        for (var i = 0; i < columns.Length; i++)
        {
            columns[i] = new Column(
                MissingNativeMethods.OwnedText(MissingNativeMethods.PreparedStatementColumnName(_handle, (ulong)i)),
                ColumnType.Take(MissingNativeMethods.PreparedStatementColumnLogicalType(_handle, (ulong)i)));
        }
        return columns;
    }
}
