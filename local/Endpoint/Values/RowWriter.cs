using System.Buffers.Binary;
using System.Text;
using MdFunctions.Endpoint.Native;
using MdFunctions.Endpoint.Remote;
using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Values;

/// <summary>Writes rows of chunks as DataRow messages, straight from DuckDB's vectors.</summary>
internal sealed class RowWriter
{
    private readonly ColumnWriter[] _columns;

    private readonly record struct ColumnWriter(Vector Vector, ValueWriter Writer, ShortWriter? Short);

    /// <summary>Chooses, once a result, what writes each column.</summary>
    /// <param name="columns">The result's columns.</param>
    /// <param name="formats">0 for text, 1 for binary, one a column; empty for text throughout.</param>
    /// <param name="format">What of the session changes how values look.</param>
    /// <param name="files">The remote files that the statement reads.</param>
    /// <exception cref="EndpointException">A column's type is one that cannot be sent.</exception>
    public RowWriter(IReadOnlyList<Column> columns, ReadOnlySpan<short> formats, SessionFormat format, IReadOnlyList<RemoteFile> files)
    {
        _columns = new ColumnWriter[columns.Count];
        for (var i = 0; i < columns.Count; i++)
        {
            var (name, type) = columns[i];
            if (type.IsVariant)
            {
                throw new EndpointException(
                    $"Not implemented Error: column \"{name}\" is a VARIANT, which the local endpoint cannot send. Cast it to VARCHAR or to JSON");
            }
            var isBinary = !formats.IsEmpty && formats[i] == 1;
            var writer = type.Id == DuckType.Varchar && files.Count > 0 ? WithUrls(files)
                : isBinary ? BinaryForm.Of(type, format)
                : TextForm.Of(type, format);
            _columns[i] = new ColumnWriter(new Vector(type), writer, isBinary ? null : TextForm.Short(type, format));
        }
    }

    public void Load(Chunk chunk)
    {
        for (var i = 0; i < _columns.Length; i++)
            _columns[i].Vector.Load(chunk.Vector(i));
    }

    /// <summary>A column's value as it is in memory: of a result that the endpoint reads itself.</summary>
    public long ReadInt64(int column, int row) => _columns[column].Vector.Read<long>(row);

    /// <summary>Writes one row of the loaded chunk: all of it, or, where a value has no such form, nothing.</summary>
    public void Write(Output output, int row)
    {
        var start = output.Length;
        try
        {
            WriteRow(output, row);
        }
        catch
        {
            output.Length = start;
            throw;
        }
    }

    private void WriteRow(Output output, int row)
    {
        var start = output.Length;
        var head = output.Reserve(7);
        head[0] = (byte)'D';
        BinaryPrimitives.WriteInt16BigEndian(head[5..], (short)_columns.Length);
        output.Length = start + 7;
        foreach (ref readonly var column in _columns.AsSpan())
        {
            if (column.Short is not { } write || !column.Vector.IsValid(row))
            {
                WriteValue(output, column.Writer, column.Vector, row);
                continue;
            }
            var target = output.Reserve(4 + Output.ShortLength);
            var length = write(target[4..], column.Vector, row);
            BinaryPrimitives.WriteInt32BigEndian(target, length);
            output.Length += 4 + length;
        }
        output.Int32At(start + 1, output.Length - start - 1);
    }

    /// <summary>A value with its length before it; -1 stands for NULL.</summary>
    internal static void WriteValue(Output output, ValueWriter writer, Vector vector, int row)
    {
        if (!vector.IsValid(row))
        {
            output.Int32(-1);
            return;
        }
        var start = output.Length;
        output.Int32(0);
        writer(output, vector, row);
        output.Int32At(start, output.Length - start - 4);
    }

    // Where DuckDB tells the name of a file that was fetched (the column `filename`), it is the URL that the client wrote.
    private static ValueWriter WithUrls(IReadOnlyList<RemoteFile> files)
    {
        var urls = files.DistinctBy(file => file.Path).Select(file => (Path: Encoding.UTF8.GetBytes(file.Path), Url: Encoding.UTF8.GetBytes(file.Url))).ToArray();
        return (output, vector, row) =>
        {
            var text = vector.Bytes(row);
            foreach (var (path, url) in urls)
            {
                if (text.SequenceEqual(path))
                    text = url;
            }
            output.Bytes(text);
        };
    }
}
