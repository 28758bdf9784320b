using System.Text.Json;
using MdFunctions.Engine.Templates;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Ingest;

/// <summary>Where a text stands in a request: <c>header.NAME</c>, <c>query.NAME</c>, or <c>body.NAME.NAME</c>, a member of the JSON.</summary>
/// <param name="Kind"><c>header</c>, <c>query</c> or <c>body</c>.</param>
/// <param name="Name">The name, or the path of names with a dot between them.</param>
internal sealed record Place(string Kind, string Name)
{
    private readonly string[] _path = Name.Split('.');

    /// <summary>Reads <c>query.NAME</c> or <c>body.PATH</c>; what is neither goes to the file's faults.</summary>
    public static Place Read(FrontMatter map, string key, string text, string example)
    {
        if (text.Split('.', 2) is ["query" or "body", { Length: > 0 } name] && !name.Split('.').Contains(""))
            return new(text[..text.IndexOf('.', StringComparison.Ordinal)], name);
        map.Fault(key, $"'{key}' is '{text}'; expected query.NAME or body.NAME, such as {example}");
        return new("query", "");
    }

    /// <summary>The text of a header or query parameter; null unless it is there exactly once.</summary>
    public string? Value(HttpRequest request)
    {
        var values = Kind == "header" ? request.Headers[Name] : request.Query[Name];
        return values is [{ Length: > 0 } value] ? value : null;
    }

    /// <summary>
    /// The texts and numbers at the path in a body of JSON, of each element where arrays are on the way; null for one that is missing, there twice or neither of them.
    /// Nothing of the body is kept, as it may not be known yet who sent it.
    /// </summary>
    public IReadOnlyList<string?> Values(ReadOnlySpan<byte> body)
    {
        var found = new List<string?>();
        var reader = new Utf8JsonReader(body.StartsWith("\uFEFF"u8) ? body[3..] : body, new JsonReaderOptions { MaxDepth = 257 });
        try
        {
            reader.Read();
            Walk(ref reader, 0, found);
            while (reader.Read())
            {
                // To its end, so that what is no JSON has no value.
            }
            return found;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return [null];
        }
    }

    public override string ToString() => $"{Kind}.{Name}";

    private void Walk(ref Utf8JsonReader reader, int level, List<string?> found)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartArray:
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    Walk(ref reader, level, found);
                break;
            case JsonTokenType.StartObject when level < _path.Length:
                WalkMembers(ref reader, level, found);
                break;
            case JsonTokenType.String when level == _path.Length:
                found.Add(reader.GetString());
                break;
            case JsonTokenType.Number when level == _path.Length:
                found.Add(System.Text.Encoding.UTF8.GetString(reader.ValueSpan));
                break;
            default:
                found.Add(null);
                reader.Skip();
                break;
        }
    }

    private void WalkMembers(ref Utf8JsonReader reader, int level, List<string?> found)
    {
        var times = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var isNext = reader.ValueTextEquals(_path[level]);
            reader.Read();
            if (isNext && times++ == 0)
                Walk(ref reader, level + 1, found);
            else
                reader.Skip();
        }
        if (times != 1)
            found.Add(null);
    }
}
