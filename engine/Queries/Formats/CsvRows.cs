using System.Buffers;
using System.Text;

namespace MdFunctions.Engine.Queries;

/// <summary>Writes rows as CSV (RFC 4180) with a header. NULL is an empty field, an empty text is <c>""</c>.</summary>
internal sealed class CsvRows(IBufferWriter<byte> output, IReadOnlyList<Column> columns) : RowWriter
{
    private static readonly SearchValues<byte> Special = SearchValues.Create(",\"\r\n"u8);

    /// <inheritdoc/>
    public override void Start()
    {
        for (var i = 0; i < columns.Count; i++)
        {
            Separate(i);
            Field(Encoding.UTF8.GetBytes(columns[i].Name));
        }
        EndRow();
    }

    /// <inheritdoc/>
    public override void StartRow()
    {
    }

    /// <inheritdoc/>
    public override void Null(int column) => Separate(column);

    /// <inheritdoc/>
    public override void Value(int column, ReadOnlySpan<byte> text)
    {
        Separate(column);
        switch (columns[column].Kind)
        {
            case ColumnKind.Number:
                output.Write(WireText.IsFinite(text) ? text : WireText.NotFinite(text));
                break;
            case ColumnKind.Boolean:
                output.Write(text[0] == 't' ? "true"u8 : "false"u8);
                break;
            case ColumnKind.Timestamp:
                Span<byte> iso = stackalloc byte[WireText.MaxTimestamp];
                output.Write(WireText.Timestamp(text, iso));
                break;
            case ColumnKind.Json when WireText.TryJson(text, out var json):
                Field(json);
                break;
            default:
                Field(text);
                break;
        }
    }

    /// <inheritdoc/>
    public override void Part(int column, ReadOnlySpan<byte> text, bool first, bool last)
    {
        if (first)
        {
            Separate(column);
            output.Write("\""u8);
        }
        Quoted(text);
        if (last)
            output.Write("\""u8);
    }

    /// <inheritdoc/>
    public override void EndRow() => output.Write("\r\n"u8);

    /// <inheritdoc/>
    public override void End()
    {
    }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    private void Separate(int column)
    {
        if (column > 0)
            output.Write(","u8);
    }

    private void Field(ReadOnlySpan<byte> text)
    {
        if (text.Length > 0 && text.IndexOfAny(Special) < 0)
        {
            output.Write(text);
            return;
        }
        output.Write("\""u8);
        Quoted(text);
        output.Write("\""u8);
    }

    private void Quoted(ReadOnlySpan<byte> text)
    {
        for (int quote; (quote = text.IndexOf((byte)'"')) >= 0; text = text[(quote + 1)..])
        {
            output.Write(text[..(quote + 1)]);
            output.Write("\""u8);
        }
        output.Write(text);
    }
}
