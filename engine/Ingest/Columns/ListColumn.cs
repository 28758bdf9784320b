using System.Text.Json;

namespace MdFunctions.Engine.Ingest;

/// <summary>A column that is a list: a JSON array.</summary>
internal sealed class ListColumn(ColumnType element) : ColumnType($"{element.Sql}[]", $"[{element.Structure}]")
{
    /// <summary>The type of the elements.</summary>
    public ColumnType Element { get; } = element;

    private protected override Misfit? WriteValue(ref Utf8JsonReader reader, ReadOnlySpan<byte> row, Utf8JsonWriter output)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            return new("", "is not a JSON array");
        output.WriteStartArray();
        for (var i = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; i++)
        {
            if (Element.Write(ref reader, row, output) is { } misfit)
                return misfit with { Path = $"[{i}]{Dot(misfit.Path)}" };
        }
        output.WriteEndArray();
        return null;
    }

    private static string Dot(string path) => path.Length > 0 && path[0] != '[' ? $".{path}" : path;
}
