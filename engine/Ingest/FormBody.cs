using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using MdFunctions.Engine.Http;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Ingest;

/// <summary>A body of media type <c>application/x-www-form-urlencoded</c>. ASP.NET Core's reader puts U+FFFD where text is not UTF-8; here that is an error.</summary>
internal static class FormBody
{
    /// <summary>The media type.</summary>
    public const string MediaType = "application/x-www-form-urlencoded";

    private const int MaxFields = 1000;

    /// <summary>Whether a request says that its body is a form.</summary>
    public static bool IsForm(HttpRequest request) =>
        request.GetTypedHeaders().ContentType?.MediaType.Equals(MediaType, StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>Reads the fields, in their order.</summary>
    /// <exception cref="ProblemException">400: it is empty or not UTF-8; 413: more than 1,000 fields.</exception>
    public static List<(string Name, string Value)> Read(ReadOnlySpan<byte> body)
    {
        var fields = new List<(string, string)>();
        foreach (var range in body.Split((byte)'&'))
        {
            var field = body[range];
            if (field.IsEmpty)
                continue;
            if (fields.Count == MaxFields)
                throw new ProblemException(new Problem(413, "Too many fields", $"A form may have at most {MaxFields} fields."));
            var equals = field.IndexOf((byte)'=');
            fields.Add(equals < 0 ? (Decode(field), "") : (Decode(field[..equals]), Decode(field[(equals + 1)..])));
        }
        return fields.Count > 0 ? fields : throw new ProblemException(Problem.BadRequest("The form is empty."));
    }

    /// <summary>The JSON that a form stands for: the text of one field, or an object of all, each a text.</summary>
    /// <param name="body">The form.</param>
    /// <param name="jsonField">The field that holds JSON; null if each field is a column.</param>
    /// <param name="columns">The columns: a list gets all values of its name, and an empty text is no number but NULL.</param>
    /// <exception cref="ProblemException">400, 413: as <see cref="Read"/>; 400: the field with the JSON is missing or there twice.</exception>
    public static byte[] ToJson(ReadOnlySpan<byte> body, string? jsonField, StructColumn columns)
    {
        var fields = Read(body);
        if (jsonField is not null)
        {
            return fields.FindAll(field => field.Name == jsonField) is [var only]
                ? Encoding.UTF8.GetBytes(only.Value)
                : throw new ProblemException(Problem.BadRequest($"The form has no field '{jsonField}' with the JSON, or has it twice."));
        }
        var types = columns.Fields.ToDictionary(column => column.Name, column => column.Type, StringComparer.Ordinal);
        var output = new MemoryStream();
        using (var json = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true }))
        {
            json.WriteStartObject();
            foreach (var values in fields.GroupBy(field => field.Name, field => field.Value, StringComparer.Ordinal))
            {
                if (!types.TryGetValue(values.Key, out var type))
                {
                    if (columns.RefusesUnknown) // By its name, as in JSON.
                        json.WriteNull(values.Key);
                    continue;
                }
                if (type is ListColumn { Element: var element })
                {
                    json.WriteStartArray(values.Key);
                    foreach (var value in values)
                        Write(json, value, element);
                    json.WriteEndArray();
                    continue;
                }
                // One that is given twice is written twice, and refused as in JSON.
                foreach (var value in values)
                {
                    json.WritePropertyName(values.Key);
                    Write(json, value, type);
                }
            }
            json.WriteEndObject();
        }
        return output.ToArray();
    }

    private static void Write(Utf8JsonWriter json, string value, ColumnType type)
    {
        if (value.Length == 0 && type.Sql != "VARCHAR")
            json.WriteNullValue();
        else
            json.WriteStringValue(value);
    }

    // What is no code of a byte stays as it is.
    private static string Decode(ReadOnlySpan<byte> text)
    {
        var bytes = WebUtility.UrlDecodeToBytes(text.ToArray(), 0, text.Length);
        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : throw new ProblemException(Problem.BadRequest("The form is not UTF-8."));
    }
}
