using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MdFunctions.Queries;

/// <summary>Writes rows as a JSON array of objects.</summary>
public sealed class JsonRows(IBufferWriter<byte> output, IReadOnlyList<Column> columns)
{
    // Answers are JSON, never part of an HTML page: only what JSON itself demands is escaped.
    private static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
    private readonly Utf8JsonWriter _json = new(output, new JsonWriterOptions { Encoder = Encoder, SkipValidation = true });
    private readonly JsonEncodedText[] _names = [.. columns.Select(column => JsonEncodedText.Encode(column.Name, Encoder))];

    /// <summary>Begins the answer.</summary>
    public void Start() => _json.WriteStartArray();

    /// <summary>Begins a row.</summary>
    public void StartRow() => _json.WriteStartObject();

    /// <summary>Ends a row.</summary>
    public void EndRow() => _json.WriteEndObject();

    /// <summary>Ends the answer.</summary>
    public void End() => _json.WriteEndArray();

    /// <summary>Hands what is written over to the output.</summary>
    public void Flush() => _json.Flush();

    /// <summary>Writes a column that is NULL.</summary>
    public void Null(int column) => _json.WriteNull(_names[column]);

    /// <summary>Writes a column from its text on the wire.</summary>
    public void Value(int column, ReadOnlySpan<byte> text)
    {
        _json.WritePropertyName(_names[column]);
        switch (columns[column].Kind)
        {
            case ColumnKind.Number:
            case ColumnKind.Float when text[^1] is >= (byte)'0' and <= (byte)'9':
                _json.WriteRawValue(text, skipInputValidation: true);
                break;
            case ColumnKind.Float:
                _json.WriteStringValue(text[0] == '-' ? "-Infinity"u8 : (text[0] | 0x20) == 'i' ? "Infinity"u8 : "NaN"u8);
                break;
            case ColumnKind.Boolean:
                _json.WriteBooleanValue(text[0] == 't');
                break;
            case ColumnKind.Json:
                _json.WriteRawValue(text, skipInputValidation: true);
                break;
            case ColumnKind.Timestamp:
                Timestamp(text);
                break;
            default:
                _json.WriteStringValue(text);
                break;
        }
    }

    // PostgreSQL writes '2026-01-02 03:04:05+00', ISO 8601 wants 'T' and a whole offset.
    private void Timestamp(ReadOnlySpan<byte> text)
    {
        Span<byte> iso = stackalloc byte[64];
        if (text.Length > 60 || text.IndexOf((byte)' ') is not (> 0 and var space))
        {
            _json.WriteStringValue(text);
            return;
        }
        text.CopyTo(iso);
        iso[space] = (byte)'T';
        var length = text.Length;
        if (text[^3] is (byte)'+' or (byte)'-')
        {
            ":00"u8.CopyTo(iso[length..]);
            length += 3;
        }
        _json.WriteStringValue(iso[..length]);
    }
}
