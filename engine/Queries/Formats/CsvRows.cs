using System.Buffers;
using System.Text;

namespace MdFunctions.Engine.Queries;

/// <summary>
/// Writes rows as CSV (RFC 4180) with a header. NULL is an empty field, an empty text is <c>""</c>. Where there is one column only, NULL is <c>""</c> too:
/// an empty line would be skipped by most readers, and the row with it.
/// </summary>
internal sealed class CsvRows(IBufferWriter<byte> output, IReadOnlyList<Column> columns, bool hasMark = false) : RowWriter(columns)
{
    private static readonly SearchValues<byte> Special = SearchValues.Create(",\"\r\n"u8);

    public override void Start()
    {
        if (hasMark)
            output.Write("\uFEFF"u8);
        for (var i = 0; i < Columns.Count; i++)
        {
            Separate(i);
            Field(Encoding.UTF8.GetBytes(Columns[i].Name));
        }
        EndRow();
    }

    public override void Null(int column)
    {
        Separate(column);
        if (Columns.Count == 1)
            output.Write("\"\""u8);
    }

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

    public override void EndRow() => output.Write("\r\n"u8);

    protected override void Raw(int column, ReadOnlySpan<byte> value)
    {
        Separate(column);
        output.Write(value);
    }

    protected override void Text(int column, ReadOnlySpan<byte> value)
    {
        Separate(column);
        Field(value);
    }

    protected override void Json(int column, ReadOnlySpan<byte> value) => Text(column, value);

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
