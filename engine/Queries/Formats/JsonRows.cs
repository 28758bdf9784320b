using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MdFunctions.Engine.Queries;

/// <summary>
/// Writes rows as a JSON array of objects, or as one object a line (NDJSON). Nearly all values are copied as they are, between a name that was encoded once
/// and the next comma; a <see cref="Utf8JsonWriter"/> writes only the texts that have to be escaped.
/// </summary>
internal sealed class JsonRows : RowWriter
{
    // Answers are JSON, never part of an HTML page: only what JSON itself demands is escaped.
    private static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    // What is the same in a JSON string. Other characters may be too, but each of them has to be looked at.
    private static readonly SearchValues<byte> Plain = SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (byte)c).Where(c => c is not ((byte)'"' or (byte)'\\'))]);

    private readonly IBufferWriter<byte> _output;
    private readonly IReadOnlyList<Column> _columns;
    private readonly bool _lines;
    private readonly byte[][] _names;
    private readonly Utf8JsonWriter _text;
    private bool _hasRow;

    /// <summary>Writes into an output.</summary>
    /// <param name="output">Where the answer goes.</param>
    /// <param name="columns">The columns of each row.</param>
    /// <param name="lines">One object a line instead of an array.</param>
    public JsonRows(IBufferWriter<byte> output, IReadOnlyList<Column> columns, bool lines)
    {
        (_output, _columns, _lines) = (output, columns, lines);
        _names = [.. columns.Select((column, i) => (byte[])[(byte)(i == 0 ? '{' : ','), (byte)'"', .. JsonEncodedText.Encode(column.Name, Encoder).EncodedUtf8Bytes, (byte)'"', (byte)':'])];
        _text = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = Encoder, SkipValidation = true });
    }

    /// <inheritdoc/>
    public override void Start()
    {
        if (!_lines)
            _output.Write("["u8);
    }

    /// <inheritdoc/>
    public override void StartRow()
    {
        if (_hasRow && !_lines)
            _output.Write(","u8);
        _hasRow = true;
    }

    /// <inheritdoc/>
    public override void Null(int column) => Raw(column, "null"u8);

    /// <inheritdoc/>
    public override void Value(int column, ReadOnlySpan<byte> text)
    {
        switch (_columns[column].Kind)
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
                Raw(column, json);
                break;
            default:
                Text(column, text);
                break;
        }
    }

    /// <inheritdoc/>
    public override void Part(int column, ReadOnlySpan<byte> text, bool first, bool last)
    {
        if (first)
            _output.Write(_names[column]);
        _text.WriteStringValueSegment(text, last);
        if (last)
            EndText();
    }

    /// <inheritdoc/>
    public override void EndRow() => _output.Write((_columns.Count, _lines) switch
    {
        (0, false) => "{}"u8,
        (0, true) => "{}\n"u8,
        (_, false) => "}"u8,
        (_, true) => "}\n"u8,
    });

    /// <inheritdoc/>
    public override void End()
    {
        if (!_lines)
            _output.Write("]"u8);
    }

    /// <inheritdoc/>
    public override void Flush() => _text.Flush();

    private void Raw(int column, ReadOnlySpan<byte> value)
    {
        var name = _names[column];
        var target = _output.GetSpan(name.Length + value.Length);
        name.CopyTo(target);
        value.CopyTo(target[name.Length..]);
        _output.Advance(name.Length + value.Length);
    }

    private void Text(int column, ReadOnlySpan<byte> value)
    {
        var name = _names[column];
        if (value.IndexOfAnyExcept(Plain) >= 0)
        {
            _output.Write(name);
            _text.WriteStringValue(value);
            EndText();
            return;
        }
        var target = _output.GetSpan(name.Length + value.Length + 2);
        name.CopyTo(target);
        target = target[name.Length..];
        target[0] = (byte)'"';
        value.CopyTo(target[1..]);
        target[value.Length + 1] = (byte)'"';
        _output.Advance(name.Length + value.Length + 2);
    }

    // Without the reset, the next text would begin with a comma.
    private void EndText()
    {
        _text.Flush();
        _text.Reset();
    }
}
