using System.Buffers;
using System.Text.Json;

namespace MdFunctions.Engine.Queries;

/// <summary>Values as they come off the wire, made what the answers' contract says they are.</summary>
internal static class WireText
{
    /// <summary>The most bytes that <see cref="Timestamp"/> writes.</summary>
    public const int MaxTimestamp = 64;

    private static readonly SearchValues<byte> LineEnds = SearchValues.Create("\r\n"u8);

    /// <summary>Whether a number is one that JSON has.</summary>
    public static bool IsFinite(ReadOnlySpan<byte> number) => number[^1] is >= (byte)'0' and <= (byte)'9';

    /// <summary>What a number is called that JSON does not have, whether the endpoint writes <c>nan</c> and <c>inf</c> or <c>NaN</c> and <c>Infinity</c>.</summary>
    public static ReadOnlySpan<byte> NotFinite(ReadOnlySpan<byte> number) =>
        number[0] == '-' ? "-Infinity"u8 : (number[0] | 0x20) == 'i' ? "Infinity"u8 : "NaN"u8;

    /// <summary>A timestamp in ISO 8601: <c>2026-01-02 03:04:05+00</c> becomes <c>2026-01-02T03:04:05+00:00</c>.</summary>
    /// <param name="text">The text of the wire.</param>
    /// <param name="iso">Space for <see cref="MaxTimestamp"/> bytes.</param>
    public static ReadOnlySpan<byte> Timestamp(ReadOnlySpan<byte> text, Span<byte> iso)
    {
        // 'infinity' has no space, and neither has what comes in ISO 8601 already.
        if (text.Length > MaxTimestamp - 3 || text.IndexOf((byte)' ') is not (> 0 and var space))
            return text;
        text.CopyTo(iso);
        iso[space] = (byte)'T';
        if (text[^3] is not ((byte)'+' or (byte)'-'))
            return iso[..text.Length];
        ":00"u8.CopyTo(iso[text.Length..]);
        return iso[..(text.Length + 3)];
    }

    /// <summary>
    /// JSON on one line. DuckDB's <c>to_json</c> writes NaN and the infinities bare, which is no JSON: they become strings.
    /// </summary>
    /// <returns>False if the text is no JSON even so.</returns>
    public static bool TryJson(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> json)
    {
        json = text.IndexOfAny(LineEnds) < 0 ? text : OnOneLine(text);
        if (IsJson(json))
            return true;
        json = WithQuotedNumbers(json);
        return IsJson(json);
    }

    private static bool IsJson(ReadOnlySpan<byte> text)
    {
        var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = 1000 });
        try
        {
            while (reader.Read())
            {
            }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    // Inside a JSON string a line end is always escaped: these are white space.
    private static byte[] OnOneLine(ReadOnlySpan<byte> text)
    {
        var line = text.ToArray();
        line.AsSpan().ReplaceAny(LineEnds, (byte)' ');
        return line;
    }

    private static ReadOnlySpan<byte> WithQuotedNumbers(ReadOnlySpan<byte> text)
    {
        var quoted = new ArrayBufferWriter<byte>(text.Length + 64);
        var inString = false;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (inString || c == '"')
            {
                if (c == '\\' && i + 1 < text.Length)
                {
                    quoted.Write(text.Slice(i++, 2));
                    continue;
                }
                if (c == '"')
                    inString = !inString;
                quoted.Write([c]);
                continue;
            }
            var end = i;
            if (c == '-')
                end++;
            while (end < text.Length && (text[end] | 0x20) is >= 'a' and <= 'z')
                end++;
            var word = text[i..end];
            if (word.Length > 1 && (word.TrimStart((byte)'-')[0] | 0x20) is 'n' or 'i' && !word.SequenceEqual("null"u8))
            {
                quoted.Write("\""u8);
                quoted.Write(NotFinite(word));
                quoted.Write("\""u8);
                i = end - 1;
                continue;
            }
            quoted.Write([c]);
        }
        return quoted.WrittenSpan;
    }
}
