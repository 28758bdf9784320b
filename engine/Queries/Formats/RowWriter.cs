namespace MdFunctions.Engine.Queries;

/// <summary>Writes rows in one format. Values come as the UTF-8 text of the wire, one at a time, and are copied straight into the output.</summary>
internal abstract class RowWriter(IReadOnlyList<Column> columns)
{
    /// <summary>The columns of each row.</summary>
    protected IReadOnlyList<Column> Columns => columns;

    /// <summary>Begins the answer.</summary>
    public abstract void Start();

    /// <summary>Begins a row.</summary>
    public virtual void StartRow()
    {
    }

    /// <summary>Writes a column that is NULL.</summary>
    public abstract void Null(int column);

    /// <summary>Writes a column.</summary>
    public void Value(int column, ReadOnlySpan<byte> text)
    {
        switch (columns[column].Kind)
        {
            case ColumnKind.Number when WireText.IsJsonNumber(text):
                Raw(column, text);
                break;
            case ColumnKind.Number:
                Text(column, WireText.NotFinite(text));
                break;
            case ColumnKind.Boolean when WireText.Boolean(text) is { } boolean:
                Raw(column, boolean ? "true"u8 : "false"u8);
                break;
            case ColumnKind.Timestamp:
                Span<byte> iso = stackalloc byte[WireText.MaxTimestamp];
                Text(column, WireText.Timestamp(text, iso));
                break;
            case ColumnKind.Json when WireText.TryJson(text, out var json):
                Json(column, json);
                break;
            default:
                Text(column, text);
                break;
        }
    }

    /// <summary>Writes a part of a long column of kind <see cref="ColumnKind.Text"/>; it may end within a character.</summary>
    public abstract void Part(int column, ReadOnlySpan<byte> text, bool first, bool last);

    /// <summary>Ends a row.</summary>
    public abstract void EndRow();

    /// <summary>Ends the answer.</summary>
    public virtual void End()
    {
    }

    /// <summary>Hands what is written over to the output.</summary>
    public virtual void Flush()
    {
    }

    /// <summary>Writes a column that needs no quotes.</summary>
    protected abstract void Raw(int column, ReadOnlySpan<byte> value);

    /// <summary>Writes a column that is text.</summary>
    protected abstract void Text(int column, ReadOnlySpan<byte> value);

    /// <summary>Writes a column that is JSON.</summary>
    protected abstract void Json(int column, ReadOnlySpan<byte> value);
}
