using DuckDB.NET.Native;

namespace MdFunctions.Tests.Infrastructure;

/// <summary>Makes Parquet files with a DuckDB of its own: the endpoint writes none.</summary>
public static class ParquetFile
{
    /// <summary>The bytes of a file with a statement's rows.</summary>
    public static byte[] Of(string sql)
    {
        var path = Path.Combine(Path.GetTempPath(), $"mdfunctions-{Guid.NewGuid():N}.parquet");
        try
        {
            Write(sql, path);
            return File.ReadAllBytes(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Writes a statement's rows into a file.</summary>
    public static void Write(string sql, string path)
    {
        Check(NativeMethods.Startup.DuckDBOpen(null, out var database), "open");
        using (database)
        {
            Check(NativeMethods.Startup.DuckDBConnect(database, out var connection), "connect");
            using (connection)
            {
                var state = NativeMethods.Query.DuckDBQuery(connection, $"COPY ({sql}) TO '{path}' (FORMAT parquet)", out var result);
                var error = state == DuckDBState.Success ? "" : NativeMethods.Query.DuckDBResultError(ref result);
                NativeMethods.Query.DuckDBDestroyResult(ref result);
                Check(state, $"{sql}: {error}");
            }
        }
    }

    private static void Check(DuckDBState state, string what)
    {
        if (state != DuckDBState.Success)
            throw new InvalidOperationException($"DuckDB: {what}");
    }
}
