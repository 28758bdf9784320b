using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MdFunctions.Engine.Queries;

/// <summary>Writes rows as a JSON array of objects, or as one object a line (NDJSON).</summary>
internal sealed class JsonRows(IBufferWriter<byte> output, IReadOnlyList<Column> columns, bool lines) : RowWriter
{
    // Answers are JSON, never part of an HTML page: only what JSON itself demands is escaped.
    private static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
    private readonly Utf8JsonWriter _json = new(output, new JsonWriterOptions { Encoder = Encoder, SkipValidation = true });
    private readonly JsonEncodedText[] _names = [.. columns.Select(column => JsonEncodedText.Encode(column.Name, Encoder))];

    /// <inheritdoc/>
    public override void Start()
    {
        if (!lines)
            _json.WriteStartArray();
    }

    /// <inheritdoc/>
    public override void StartRow() => _json.WriteStartObject();

    /// <inheritdoc/>
    public override void Null(int column) => _json.WriteNull(_names[column]);

    /// <inheritdoc/>
    public override void Value(int column, ReadOnlySpan<byte> text)
    {
        _json.WritePropertyName(_names[column]);
        switch (columns[column].Kind)
        {
            case ColumnKind.Number when WireText.IsJsonNumber(text):
                _json.WriteRawValue(text, skipInputValidation: true);
                break;
            case ColumnKind.Number:
                _json.WriteStringValue(WireText.NotFinite(text));
                break;
            case ColumnKind.Boolean when WireText.Boolean(text) is { } boolean:
                _json.WriteBooleanValue(boolean);
                break;
            case ColumnKind.Timestamp:
                Span<byte> iso = stackalloc byte[WireText.MaxTimestamp];
                _json.WriteStringValue(WireText.Timestamp(text, iso));
                break;
            case ColumnKind.Json when WireText.TryJson(text, out var json):
                _json.WriteRawValue(json, skipInputValidation: true);
                break;
            default:
                _json.WriteStringValue(text);
                break;
        }
    }

    /// <inheritdoc/>
    public override void Part(int column, ReadOnlySpan<byte> text, bool first, bool last)
    {
        if (first)
            _json.WritePropertyName(_names[column]);
        _json.WriteStringValueSegment(text, last);
    }

    /// <inheritdoc/>
    public override void EndRow()
    {
        _json.WriteEndObject();
        if (!lines)
            return;
        _json.Flush();
        output.Write("\n"u8);
        _json.Reset();
    }

    /// <inheritdoc/>
    public override void End()
    {
        if (!lines)
            _json.WriteEndArray();
    }

    /// <inheritdoc/>
    public override void Flush() => _json.Flush();
}
