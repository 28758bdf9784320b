using System.Text;
using DuckDB.NET.Native;

namespace MdFunctions.Endpoint.Native;

/// <summary>A connection to DuckDB. All of it but <see cref="Interrupt"/> is for one thread at a time.</summary>
internal sealed class Connection(DuckDBNativeConnection handle) : IDisposable
{
    /// <summary>Prepares one statement.</summary>
    /// <exception cref="EndpointException">DuckDB's own words where it cannot.</exception>
    public Statement Prepare(string sql)
    {
        Check(sql);
        var state = NativeMethods.PreparedStatements.DuckDBPrepare(handle, sql, out var statement);
        return Statement.Prepared(state, statement);
    }

    /// <summary>What DuckDB makes of a text: most statements are one, but a PIVOT becomes several that run one after the other.</summary>
    /// <exception cref="EndpointException">It cannot be parsed.</exception>
    public ExtractedStatements Extract(string sql)
    {
        Check(sql);
        var count = NativeMethods.ExtractStatements.DuckDBExtractStatements(handle, sql, out var extracted);
        if (count > 0)
            return new ExtractedStatements(handle, extracted, count);
        using (extracted)
            throw EndpointException.FromEngine(NativeMethods.ExtractStatements.DuckDBExtractStatementsError(extracted) ?? "Parser Error: the text holds no statement");
    }

    /// <summary>Runs statements whose answer nobody needs.</summary>
    /// <exception cref="EndpointException">DuckDB's own words where one fails.</exception>
    public void Run(string sql)
    {
        var state = NativeMethods.Query.DuckDBQuery(handle, sql, out var result);
        var error = state == DuckDBState.Success ? null : NativeMethods.Query.DuckDBResultError(ref result);
        NativeMethods.Query.DuckDBDestroyResult(ref result);
        if (state != DuckDBState.Success)
            throw EndpointException.FromEngine(error ?? "Error: DuckDB does not say why the statement failed");
    }

    /// <summary>The rows of a statement of our own, whose columns are all VARCHAR.</summary>
    /// <exception cref="EndpointException">DuckDB's own words where it fails.</exception>
    public List<string?[]> Rows(string sql)
    {
        using var statement = Prepare(sql);
        using var result = statement.Run();
        var rows = new List<string?[]>();
        while (result.Fetch() is { } chunk)
        {
            using (chunk)
            {
                for (var row = 0; row < chunk.Size; row++)
                {
                    var values = new string?[result.Columns.Count];
                    for (var column = 0; column < values.Length; column++)
                        values[column] = TextOf(chunk, column, row);
                    rows.Add(values);
                }
            }
        }
        return rows;
    }

    /// <summary>Interrupts the statement that runs; without one it does nothing. Any thread may call it.</summary>
    public void Interrupt() => NativeMethods.Startup.DuckDBInterrupt(handle);

    /// <summary>Closes the connection; an open transaction is rolled back.</summary>
    public void Dispose() => handle.Dispose();

    // DuckDB takes a text that ends with a zero byte, and would not see what comes after one.
    private static void Check(string sql)
    {
        if (sql.Contains('\0'))
            throw new EndpointException("Parser Error: a statement cannot hold a zero byte", SqlState.Unparsable);
    }

    private static unsafe string? TextOf(Chunk chunk, int column, int row)
    {
        var vector = chunk.Vector(column);
        var validity = NativeMethods.Vectors.DuckDBVectorGetValidity(vector);
        if (validity != null && (validity[row >> 6] >> (row & 63) & 1) == 0)
            return null;
        var text = (byte*)NativeMethods.Vectors.DuckDBVectorGetData(vector) + row * 16;
        var length = *(int*)text;
        return Encoding.UTF8.GetString(length <= 12 ? text + 4 : *(byte**)(text + 8), length);
    }
}
