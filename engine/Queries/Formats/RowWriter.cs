namespace MdFunctions.Engine.Queries;

/// <summary>Writes rows in one format. Values come as the UTF-8 text of the wire, one at a time, and are copied straight into the output.</summary>
internal abstract class RowWriter
{
    /// <summary>Begins the answer.</summary>
    public abstract void Start();

    /// <summary>Begins a row.</summary>
    public abstract void StartRow();

    /// <summary>Writes a column that is NULL.</summary>
    public abstract void Null(int column);

    /// <summary>Writes a column.</summary>
    public abstract void Value(int column, ReadOnlySpan<byte> text);

    /// <summary>Writes a part of a long column of kind <see cref="ColumnKind.Text"/>.</summary>
    /// <param name="column">The column.</param>
    /// <param name="text">The part; it may end within a character.</param>
    /// <param name="first">Whether it is the first part.</param>
    /// <param name="last">Whether it is the last part.</param>
    public abstract void Part(int column, ReadOnlySpan<byte> text, bool first, bool last);

    /// <summary>Ends a row.</summary>
    public abstract void EndRow();

    /// <summary>Ends the answer.</summary>
    public abstract void End();

    /// <summary>Hands what is written over to the output.</summary>
    public abstract void Flush();
}
