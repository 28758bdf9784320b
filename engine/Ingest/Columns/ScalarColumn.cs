using System.Text;
using System.Text.Json;
using MdFunctions.Engine.Exact;
using MdFunctions.Engine.Templates;

namespace MdFunctions.Engine.Ingest;

/// <summary>A column of a scalar type, read as strictly as a query's parameter is; <c>JSON</c> keeps any value as it was written.</summary>
internal sealed class ScalarColumn : ColumnType
{
    private readonly ParameterType _type;
    private readonly int _safeDigits;
    private readonly (int Whole, int Fraction) _decimal;

    /// <summary>Makes a column of a type that is no list.</summary>
    public ScalarColumn(ParameterType type) : base(type.Name, "\"VARCHAR\"") => (_type, _safeDigits, _decimal) = (
        type,
        type.Name switch { "TINYINT" => 2, "SMALLINT" => 4, "INTEGER" => 9, "BIGINT" => 18, "DOUBLE" => 15, _ => 0 },
        DuckType.Parse(type.Name) is { Name: "DECIMAL", Digits: { } digits } ? digits : default);

    private protected override Misfit? WriteValue(ref Utf8JsonReader reader, ReadOnlySpan<byte> row, Utf8JsonWriter output)
    {
        if (_type.Name == "JSON")
        {
            var start = (int)reader.TokenStartIndex;
            SkipChecked(ref reader);
            output.WriteStringValue(row[start..(int)reader.BytesConsumed]);
            return null;
        }
        Span<byte> timestamp = stackalloc byte[UsualText.MaxTimestamp];
        switch (reader.TokenType)
        {
            case JsonTokenType.String when _type.Name == "VARCHAR":
                if (reader.ValueIsEscaped && reader.GetString()!.Contains('\0'))
                    return new("", "holds the character U+0000, which MotherDuck does not store");
                output.WriteRawValue(row[(int)reader.TokenStartIndex..(int)reader.BytesConsumed], skipInputValidation: true);
                return null;
            // Most numbers of most rows: digits that fit whatever they are, without a look at each.
            case JsonTokenType.Number when reader.ValueSpan.Length <= _safeDigits && !reader.ValueSpan.ContainsAnyExceptInRange((byte)'0', (byte)'9'):
                output.WriteStringValue(reader.ValueSpan);
                return null;
            case JsonTokenType.Number when UsualText.IsDecimal(reader.ValueSpan, _decimal.Whole, _decimal.Fraction):
                output.WriteStringValue(reader.ValueSpan);
                return null;
            case JsonTokenType.String when _type.Name is "TIMESTAMP" or "TIMESTAMPTZ" && !reader.ValueIsEscaped && UsualText.Timestamp(reader.ValueSpan, _type.Name == "TIMESTAMPTZ", timestamp) is > 0 and var length:
                output.WriteStringValue(timestamp[..length]);
                return null;
            case JsonTokenType.String when _type.Read(reader.GetString()!) is { } value:
                output.WriteStringValue(_type.Name == "BLOB" ? BlobText(value.Text) : value.Text);
                return null;
            case JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False
                when _type.IsBareInJson && _type.Read(Encoding.UTF8.GetString(reader.ValueSpan)) is { } value:
                output.WriteStringValue(value.Text);
                return null;
            default:
                return new("", $"is not {_type.Expected}");
        }
    }

    // DuckDB's JSON reader refuses half a surrogate pair, and would refuse the whole body for it. GetString refuses it here.
    private static void SkipChecked(ref Utf8JsonReader reader)
    {
        var depth = reader.CurrentDepth;
        do
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
                reader.GetString();
        }
        while ((reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray || reader.CurrentDepth > depth) && reader.Read());
    }

    // As DuckDB casts text to BLOB; from_base64 is no cast and does not reach into lists and structs.
    private static string BlobText(string base64) => string.Concat(Convert.FromBase64String(base64).Select(b => $"\\x{b:X2}"));
}
