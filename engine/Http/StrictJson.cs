using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace MdFunctions.Engine.Http;

/// <summary>
/// JSON that means one thing to everybody: UTF-8 without half surrogates, no name twice in an object, not deeper than others read it. .NET's parser takes
/// all of these, and fails later or guesses.
/// </summary>
internal static class StrictJson
{
    /// <summary>The most levels of objects and arrays.</summary>
    public const int MaxDepth = 256;

    /// <summary>How to parse what <see cref="Fault"/> finds nothing wrong with.</summary>
    public static readonly JsonDocumentOptions Options = new() { MaxDepth = MaxDepth };

    /// <summary>A text without the byte order mark that some writers put before it.</summary>
    public static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> text) => text.Span.StartsWith("\uFEFF"u8) ? text[3..] : text;

    /// <summary>What is wrong with a JSON text, and where; null if nothing is.</summary>
    /// <param name="text">The text.</param>
    /// <param name="mayRepeat">Whether an object may have a name twice.</param>
    public static string? Fault(ReadOnlySpan<byte> text, bool mayRepeat = false)
    {
        if (!Utf8.IsValid(text))
            return $"is not UTF-8 ({Place(text, InvalidUtf8(text))})";
        var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = MaxDepth + 1 });
        var open = new Stack<Level>();
        try
        {
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.StartObject or JsonTokenType.StartArray when open.Count == MaxDepth:
                        return $"is nested deeper than the {MaxDepth} levels that are taken ({Place(text, reader.TokenStartIndex)})";
                    case JsonTokenType.StartObject or JsonTokenType.StartArray:
                        if (open.TryPeek(out var outer) && outer.Names is null)
                            outer.Items++;
                        open.Push(new(reader.TokenType == JsonTokenType.StartObject ? new(StringComparer.Ordinal) : null));
                        break;
                    case JsonTokenType.EndObject or JsonTokenType.EndArray:
                        open.Pop();
                        break;
                    case JsonTokenType.PropertyName:
                        var level = open.Peek();
                        level.Name = reader.GetString()!;
                        if (!level.Names!.Add(level.Name) && !mayRepeat)
                            return $"gives {Path(open)} twice ({Place(text, reader.TokenStartIndex)})";
                        break;
                    case JsonTokenType.String when reader.ValueIsEscaped:
                        reader.GetString();
                        goto default;
                    default:
                        if (open.TryPeek(out var list) && list.Names is null)
                            list.Items++;
                        break;
                }
            }
            return null;
        }
        catch (JsonException e)
        {
            return $"is not valid JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1})";
        }
        catch (InvalidOperationException)
        {
            return $"holds half a surrogate pair, which is not Unicode text ({Place(text, reader.TokenStartIndex)})";
        }
    }

    /// <summary>A place in a text: its line and byte, from 1.</summary>
    private static string Place(ReadOnlySpan<byte> text, long at)
    {
        var before = text[..(int)at];
        return $"line {before.Count((byte)'\n') + 1}, byte {before.Length - before.LastIndexOf((byte)'\n')}";
    }

    /// <summary>Where the first byte is that is not UTF-8.</summary>
    public static int InvalidUtf8(ReadOnlySpan<byte> text)
    {
        var at = 0;
        while (Rune.DecodeFromUtf8(text[at..], out _, out var length) == OperationStatus.Done)
            at += length;
        return at;
    }

    // 'rows[2].name'
    private static string Path(Stack<Level> open)
    {
        var path = new StringBuilder();
        foreach (var level in open.Reverse())
            path.Append(level.Names is null ? $"[{level.Items - 1}]" : path.Length == 0 ? level.Name : $".{level.Name}");
        return $"'{path}'";
    }

    private sealed class Level(HashSet<string>? names)
    {
        // Null for an array.
        public HashSet<string>? Names { get; } = names;

        public string Name { get; set; } = "";

        public int Items { get; set; }
    }
}
