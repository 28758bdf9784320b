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
    private readonly bool _lines;
    private readonly byte[][] _names;
    private readonly Utf8JsonWriter _text;
    private bool _hasRow;

    /// <summary>Writes into an output: an array, or one object a line.</summary>
    public JsonRows(IBufferWriter<byte> output, IReadOnlyList<Column> columns, bool lines) : base(columns)
    {
        (_output, _lines) = (output, lines);
        _names = [.. columns.Select((column, i) => (byte[])[(byte)(i == 0 ? '{' : ','), (byte)'"', .. JsonEncodedText.Encode(column.Name, Encoder).EncodedUtf8Bytes, (byte)'"', (byte)':'])];
        _text = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = Encoder, SkipValidation = true });
    }

    public override void Start()
    {
        if (!_lines)
            _output.Write("["u8);
    }

    public override void StartRow()
    {
        if (_hasRow && !_lines)
            _output.Write(","u8);
        _hasRow = true;
    }

    public override void Null(int column) => Raw(column, "null"u8);

    public override void Part(int column, ReadOnlySpan<byte> text, bool first, bool last)
    {
        if (first)
            _output.Write(_names[column]);
        _text.WriteStringValueSegment(text, last);
        if (last)
            EndText();
    }

    public override void EndRow() => _output.Write((Columns.Count, _lines) switch
    {
        (0, false) => "{}"u8,
        (0, true) => "{}\n"u8,
        (_, false) => "}"u8,
        (_, true) => "}\n"u8,
    });

    public override void End()
    {
        if (!_lines)
            _output.Write("]"u8);
    }

    public override void Flush() => _text.Flush();

    protected override void Raw(int column, ReadOnlySpan<byte> value)
    {
        var name = _names[column];
        var target = _output.GetSpan(name.Length + value.Length);
        name.CopyTo(target);
        value.CopyTo(target[name.Length..]);
        _output.Advance(name.Length + value.Length);
    }

    protected override void Text(int column, ReadOnlySpan<byte> value)
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

    protected override void Json(int column, ReadOnlySpan<byte> value) => Raw(column, value);

    // Without the reset, the next text would begin with a comma.
    private void EndText()
    {
        _text.Flush();
        _text.Reset();
    }
}
