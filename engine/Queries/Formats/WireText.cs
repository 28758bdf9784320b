using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace MdFunctions.Engine.Queries;

/// <summary>Values as they come off the wire, made what the answers' contract says they are.</summary>
internal static partial class WireText
{
    /// <summary>The most bytes that <see cref="Timestamp"/> writes.</summary>
    public const int MaxTimestamp = 64;

    private static readonly SearchValues<byte> LineEnds = SearchValues.Create("\r\n"u8);

    /// <summary>Whether a text is a number as JSON has them, whatever the column's type promised.</summary>
    public static bool IsJsonNumber(ReadOnlySpan<byte> text)
    {
        var at = text.Length > 0 && text[0] == '-' ? 1 : 0;
        var whole = Digits(text, ref at);
        if (whole == 0 || (whole > 1 && text[at - whole] == '0'))
            return false;
        if (at == text.Length)
            return true;
        if (text[at] == '.')
        {
            at++;
            if (Digits(text, ref at) == 0)
                return false;
        }
        if (at < text.Length && (text[at] | 0x20) == 'e')
        {
            at++;
            if (at < text.Length && text[at] is (byte)'+' or (byte)'-')
                at++;
            if (Digits(text, ref at) == 0)
                return false;
        }
        return at == text.Length;
    }

    /// <summary>
    /// What a number is called that JSON does not have, whether the endpoint writes <c>nan</c> and <c>inf</c> or <c>NaN</c> and <c>Infinity</c>. A text that
    /// is no number at all stays as it is.
    /// </summary>
    public static ReadOnlySpan<byte> NotFinite(ReadOnlySpan<byte> number)
    {
        var word = number.TrimStart((byte)'-');
        var isNegative = word.Length < number.Length;
        if (Ascii.EqualsIgnoreCase(word, "nan"u8))
            return "NaN"u8;
        return Ascii.EqualsIgnoreCase(word, "inf"u8) || Ascii.EqualsIgnoreCase(word, "infinity"u8) ? isNegative ? "-Infinity"u8 : "Infinity"u8 : number;
    }

    /// <summary>A boolean: <c>t</c>, <c>f</c>, <c>true</c> or <c>false</c>.</summary>
    public static bool? Boolean(ReadOnlySpan<byte> text) => text switch
    {
        [(byte)'t'] => true,
        [(byte)'f'] => false,
        _ when text.SequenceEqual("true"u8) => true,
        _ when text.SequenceEqual("false"u8) => false,
        _ => null,
    };

    /// <summary>
    /// A timestamp or date in ISO 8601: <c>2026-01-02 03:04:05+00</c> becomes <c>2026-01-02T03:04:05+00:00</c>. Years before 1 and beyond 9999 have a sign and
    /// six digits, as in ECMAScript: <c>0044-03-15 BC</c> becomes <c>-000043-03-15</c>.
    /// </summary>
    /// <param name="text">The text of the wire.</param>
    /// <param name="iso">Space for <see cref="MaxTimestamp"/> bytes.</param>
    public static ReadOnlySpan<byte> Timestamp(ReadOnlySpan<byte> text, Span<byte> iso)
    {
        // 'infinity' is shorter than any date.
        if (text.Length is < 10 or > MaxTimestamp - 16)
            return text;
        if (text[4] == '-' && text[^1] is not ((byte)'C' or (byte)')') && !text.Contains((byte)'('))
            text.CopyTo(iso);
        else if (FarTimestamp().Match(Encoding.UTF8.GetString(text)) is { Success: true } far)
            text = iso[..Encoding.UTF8.GetBytes($"{Year(far)}{far.Groups["day"]}{far.Groups["time"]}", iso)];
        else
            return text;
        var length = text.Length;
        if (text.IndexOf((byte)' ') is >= 0 and var space)
        {
            iso[space] = (byte)'T';
            if (iso[length - 3] is (byte)'+' or (byte)'-')
            {
                ":00"u8.CopyTo(iso[length..]);
                length += 3;
            }
        }
        return iso[..length];
    }

    // 1 BC is the year 0 of ISO 8601.
    private static string Year(Match timestamp)
    {
        var year = int.Parse(timestamp.Groups["year"].ValueSpan, CultureInfo.InvariantCulture);
        if (timestamp.Groups["era"].Success)
            year = 1 - year;
        return year is >= 0 and <= 9999 ? year.ToString("D4", CultureInfo.InvariantCulture) : $"{(year < 0 ? '-' : '+')}{Math.Abs(year):D6}";
    }

    // PostgreSQL writes the era at the end, DuckDB behind the day.
    [GeneratedRegex(@"^(?<year>[0-9]{4,9})(?<day>-[0-9]{2}-[0-9]{2})(?<era> \(BC\))?(?<time> [0-9:.+-]+)?(?<era> BC)?\z")]
    private static partial Regex FarTimestamp();

    private static int Digits(ReadOnlySpan<byte> text, ref int at)
    {
        var start = at;
        while (at < text.Length && text[at] is >= (byte)'0' and <= (byte)'9')
            at++;
        return at - start;
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
