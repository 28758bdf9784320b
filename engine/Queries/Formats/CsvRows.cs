using System.Buffers;
using System.Text;

namespace MdFunctions.Engine.Queries;

/// <summary>
/// Writes rows as CSV (RFC 4180) with a header. NULL is an empty field, an empty text is <c>""</c>. Where there is one column only, NULL is <c>""</c> too:
/// an empty line would be skipped by most readers, and the row with it.
/// </summary>
internal sealed class CsvRows(IBufferWriter<byte> output, IReadOnlyList<Column> columns, bool hasMark = false) : RowWriter
{
    private static readonly SearchValues<byte> Special = SearchValues.Create(",\"\r\n"u8);

    /// <inheritdoc/>
    public override void Start()
    {
        if (hasMark)
            output.Write("\uFEFF"u8);
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
    public override void Null(int column)
    {
        Separate(column);
        if (columns.Count == 1)
            output.Write("\"\""u8);
    }

    /// <inheritdoc/>
    public override void Value(int column, ReadOnlySpan<byte> text)
    {
        Separate(column);
        switch (columns[column].Kind)
        {
            case ColumnKind.Number when WireText.IsJsonNumber(text):
                output.Write(text);
                break;
            case ColumnKind.Number:
                Field(WireText.NotFinite(text));
                break;
            case ColumnKind.Boolean when WireText.Boolean(text) is { } boolean:
                output.Write(boolean ? "true"u8 : "false"u8);
                break;
            case ColumnKind.Timestamp:
                Span<byte> iso = stackalloc byte[WireText.MaxTimestamp];
                Field(WireText.Timestamp(text, iso));
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
