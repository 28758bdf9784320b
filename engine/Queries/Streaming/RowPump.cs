using System.Buffers;
using Npgsql;

namespace MdFunctions.Engine.Queries;

/// <summary>Moves rows from the wire into a sink: memory for the largest row, no object for a value, nothing read that the receiver does not take.</summary>
internal static class RowPump
{
    private const int BufferSize = 16 * 1024;

    /// <summary>Moves all rows, or the first of them where there is a limit (0 is none).</summary>
    /// <returns>How many rows were written.</returns>
    public static async Task<long> RunAsync(
        NpgsqlDataReader reader, int maxRows, RowWriter writer, IReadOnlyList<Column> columns, ResultSink sink, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            long rows = 0;
            var truncated = false;
            writer.Start();
            while (await NextAsync(reader, writer, sink, cancellationToken))
            {
                if (maxRows > 0 && rows == maxRows)
                {
                    truncated = true;
                    break;
                }
                rows++;
                writer.StartRow();
                for (var i = 0; i < columns.Count; i++)
                {
                    if (reader.IsDBNull(i))
                    {
                        writer.Null(i);
                        continue;
                    }
                    var length = (int)reader.GetBytes(i, 0, buffer, 0, buffer.Length);
                    if (length < buffer.Length)
                        writer.Value(i, buffer.AsSpan(0, length));
                    else
                        await LongValueAsync(reader, i, columns[i].Kind, writer, sink, buffer, cancellationToken);
                }
                writer.EndRow();
                if (sink.IsFull)
                {
                    writer.Flush();
                    await sink.FlushAsync(cancellationToken);
                }
            }
            writer.End();
            writer.Flush();
            await sink.CompleteAsync(truncated, cancellationToken);
            return rows;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // While the wire has nothing, the receiver gets what is there: the first row of a slow query is seen at once.
    private static async ValueTask<bool> NextAsync(NpgsqlDataReader reader, RowWriter writer, ResultSink sink, CancellationToken cancellationToken)
    {
        var next = reader.ReadAsync(cancellationToken);
        if (!next.IsCompleted)
        {
            try
            {
                writer.Flush();
                await sink.FlushAsync(cancellationToken);
            }
            catch
            {
                // The connection is not to be touched before its pending read has ended.
                await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                throw;
            }
        }
        return await next;
    }

    private static async ValueTask LongValueAsync(
        NpgsqlDataReader reader, int column, ColumnKind kind, RowWriter writer, ResultSink sink, byte[] buffer, CancellationToken cancellationToken)
    {
        var length = reader.GetBytes(column, 0, null, 0, 0);
        if (kind != ColumnKind.Text)
        {
            var whole = new byte[length];
            reader.GetBytes(column, 0, whole, 0, whole.Length);
            writer.Value(column, whole);
            return;
        }
        for (long offset = 0; offset < length;)
        {
            var read = (int)reader.GetBytes(column, offset, buffer, 0, buffer.Length);
            writer.Part(column, buffer.AsSpan(0, read), first: offset == 0, last: offset + read == length);
            offset += read;
            if (sink.IsFull)
            {
                writer.Flush();
                await sink.FlushAsync(cancellationToken);
            }
        }
    }
}
