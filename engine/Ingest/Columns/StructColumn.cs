using System.Text;
using System.Text.Json;

namespace MdFunctions.Engine.Ingest;

/// <summary>A column that is a struct: a JSON object. A whole row is one too.</summary>
internal sealed class StructColumn : ColumnType
{
    private readonly Field[] _fields;
    private readonly bool _hasRequired;

    private StructColumn(Field[] fields, bool refusesUnknown) : base(
        $"STRUCT({string.Join(", ", fields.Select(field => $"{MotherDuck.Sql.Identifier(field.Name)} {field.Type.Sql}"))})",
        $"{{{string.Join(",", fields.Select(field => $"\"{field.Encoded}\":{field.Type.Structure}"))}}}") =>
        (_fields, _hasRequired, RefusesUnknown) = (fields, fields.Any(field => field.Type.Required), refusesUnknown);

    /// <summary>Whether an object with a key that is no field does not fit; else the key is left out.</summary>
    public bool RefusesUnknown { get; }

    /// <summary>The fields' names and types.</summary>
    public IEnumerable<(string Name, ColumnType Type)> Fields => _fields.Select(known => (known.Name, known.Type));

    /// <summary>Makes a struct.</summary>
    /// <param name="fields">Its fields' names and types.</param>
    /// <param name="refusesUnknown">Whether an object with another key does not fit.</param>
    /// <returns>Null if there is no field, or two have one name: DuckDB's names don't tell upper case from lower.</returns>
    public static StructColumn? Create(IReadOnlyCollection<(string Name, ColumnType Type)> fields, bool refusesUnknown) =>
        fields.Count > 0 && fields.DistinctBy(field => field.Name, StringComparer.OrdinalIgnoreCase).Count() == fields.Count
            ? new([.. fields.Select(field => new Field(field.Name, JsonEncodedText.Encode(field.Name), Encoding.UTF8.GetBytes(field.Name), field.Type))], refusesUnknown)
            : null;

    private protected override Misfit? WriteValue(ref Utf8JsonReader reader, ReadOnlySpan<byte> row, Utf8JsonWriter output)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            return new("", "is not a JSON object");
        Span<bool> given = stackalloc bool[_fields.Length];
        var next = 0;
        output.WriteStartObject();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var i = Find(ref reader, next);
            if (i < 0 && RefusesUnknown)
                return new(Short(reader.GetString()!), "is not among the columns");
            reader.Read();
            if (i < 0)
            {
                reader.Skip(); // A sender adds keys when it likes; the front matter says which ones are wanted.
                continue;
            }
            var field = _fields[i];
            if (given[i])
                return new(field.Name, "is given twice");
            given[i] = true;
            next = i + 1;
            output.WritePropertyName(field.Encoded);
            if (field.Type.Write(ref reader, row, output) is { } misfit)
                return misfit with { Path = misfit.Path switch { "" => field.Name, ['[', ..] => field.Name + misfit.Path, _ => $"{field.Name}.{misfit.Path}" } };
        }
        output.WriteEndObject();
        for (var i = 0; _hasRequired && i < given.Length; i++)
        {
            if (_fields[i].Type.Required && !given[i])
                return new(_fields[i].Name, "is missing");
        }
        return null;
    }

    // Senders keep the order of their keys, so the one behind the last is tried first.
    private int Find(ref Utf8JsonReader reader, int next)
    {
        for (var n = 0; n < _fields.Length; n++)
        {
            var i = next + n < _fields.Length ? next + n : next + n - _fields.Length;
            if (reader.ValueTextEquals(_fields[i].Utf8))
                return i;
        }
        return -1;
    }

    // A sender may make it as long as it likes.
    private static string Short(string key) => key.Length <= 100 ? key : $"{key[..(char.IsHighSurrogate(key[99]) ? 99 : 100)]}...";

    private sealed record Field(string Name, JsonEncodedText Encoded, byte[] Utf8, ColumnType Type);
}
