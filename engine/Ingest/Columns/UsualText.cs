using System.Buffers.Text;

namespace MdFunctions.Engine.Ingest;

/// <summary>
/// Values in the form that nearly all senders write, checked without an object for each: a body may have a hundred thousand. What this does not know is no worse for it, and read as a query's
/// parameter is.
/// </summary>
internal static class UsualText
{
    /// <summary>The most bytes of <see cref="Timestamp"/>.</summary>
    public const int MaxTimestamp = 32;

    private const int Seconds = 19; // YYYY-MM-DDThh:mm:ss

    /// <summary>Whether a text is digits with a point among them, and no more on either side of it than a decimal takes.</summary>
    /// <param name="text">The text.</param>
    /// <param name="whole">The most digits before the point.</param>
    /// <param name="fraction">The most behind it.</param>
    public static bool IsDecimal(ReadOnlySpan<byte> text, int whole, int fraction)
    {
        if (text is [(byte)'-', ..])
            text = text[1..];
        var point = text.IndexOf((byte)'.');
        var before = point < 0 ? text : text[..point];
        return AreDigits(before, whole) && (point < 0 || AreDigits(text[(point + 1)..], fraction));
    }

    /// <summary>Writes a timestamp as DuckDB reads it.</summary>
    /// <param name="text"><c>YYYY-MM-DDThh:mm:ss</c>, up to six digits of a second behind a point, and <c>Z</c>.</param>
    /// <param name="hasZone">Whether it has to end in <c>Z</c>; else it may.</param>
    /// <param name="output">Gets at most <see cref="MaxTimestamp"/> bytes.</param>
    /// <returns>How many bytes it has; 0 for a text in another form, or no timestamp at all.</returns>
    public static int Timestamp(ReadOnlySpan<byte> text, bool hasZone, Span<byte> output)
    {
        var isUtc = text is [.., (byte)'Z'];
        if (isUtc)
            text = text[..^1];
        if (text.Length < Seconds || (hasZone && !isUtc)
            || text[4] != '-' || text[7] != '-' || text[10] is not ((byte)'T' or (byte)' ') || text[13] != ':' || text[16] != ':'
            || !Number(text[..4], 1, 9999, out var year) || !Number(text[5..7], 1, 12, out var month) || !Number(text[8..10], 1, DateTime.DaysInMonth(year, month), out _)
            || !Number(text[11..13], 0, 23, out _) || !Number(text[14..16], 0, 59, out _) || !Number(text[17..19], 0, 59, out _))
            return 0;
        if (text.Length > Seconds && (text[Seconds] != '.' || !AreDigits(text[(Seconds + 1)..], 6)))
            return 0;
        // As it is read otherwise: zeros at the end of a fraction are no digits.
        var length = text.Length > Seconds ? text.TrimEnd((byte)'0').TrimEnd((byte)'.').Length : Seconds;
        length = Math.Max(length, Seconds);
        text[..length].CopyTo(output);
        output[10] = (byte)' ';
        if (!hasZone)
            return length;
        "+00:00"u8.CopyTo(output[length..]);
        return length + 6;
    }

    private static bool AreDigits(ReadOnlySpan<byte> text, int most) => text.Length > 0 && text.Length <= most && !text.ContainsAnyExceptInRange((byte)'0', (byte)'9');

    private static bool Number(ReadOnlySpan<byte> text, int minimum, int maximum, out int number) =>
        Utf8Parser.TryParse(text, out number, out var length) && length == text.Length && text[0] is >= (byte)'0' and <= (byte)'9' && number >= minimum && number <= maximum;
}
