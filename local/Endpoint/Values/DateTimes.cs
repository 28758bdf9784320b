using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Values;

/// <summary>Where the era stands that marks years before the common one.</summary>
internal enum EraStyle
{
    /// <summary>At the end, after the time: <c>0044-03-15 01:02:03 BC</c>.</summary>
    Postgres,

    /// <summary>Behind the date, in parentheses: <c>0044-03-15 (BC) 01:02:03</c>.</summary>
    DuckDb,
}

/// <summary>Dates and times as text. What is short goes into a target of <see cref="ShortWriter"/>'s length, and tells how many bytes it took.</summary>
internal static class DateTimes
{
    public const int DateInfinity = int.MaxValue;
    public const long TimestampInfinity = long.MaxValue;
    private const long MicrosOfDay = 86_400_000_000;
    private const long NanosOfDay = MicrosOfDay * 1000;

    public static bool IsInfinite(long timestamp) => timestamp == TimestampInfinity || timestamp == -TimestampInfinity;

    /// <summary>A date, in days since 1970.</summary>
    public static int Date(Span<byte> target, int days, EraStyle style = EraStyle.Postgres)
    {
        if (Infinite(target, days, DateInfinity) is > 0 and var infinite)
            return infinite;
        var at = CalendarDay(target, days, out var isBefore);
        return isBefore ? Text(target, at, Era(style)) : at;
    }

    /// <summary>A timestamp in microseconds since 1970, or nanoseconds, with its offset where it has a time zone.</summary>
    /// <param name="target">Where to.</param>
    /// <param name="value">The moment.</param>
    /// <param name="offset">Seconds that local time is ahead of UTC, or null for a timestamp without a time zone.</param>
    /// <param name="digits">6 for microseconds, 9 for nanoseconds.</param>
    /// <param name="style">Where the era stands.</param>
    public static int Timestamp(Span<byte> target, long value, int? offset = null, int digits = 6, EraStyle style = EraStyle.Postgres)
    {
        if (Infinite(target, value, TimestampInfinity) is > 0 and var infinite)
            return infinite;
        // By constants: the processor takes many times as long to divide by a variable.
        var days = digits == 9 ? value / NanosOfDay : value / MicrosOfDay;
        var day = digits == 9 ? NanosOfDay : MicrosOfDay;
        var time = value - days * day;
        if (offset is { } ahead)
        {
            // Day and time are told apart before the offset is added: it may carry the ends of DuckDB's range over those of 64 bits.
            time += ahead * (day / 86_400);
            days += time < 0 ? -1 : time >= day ? 1 : 0;
            time += time < 0 ? day : time >= day ? -day : 0;
        }
        // A moment before 1970 leaves a time below zero, and an offset westwards may take another day.
        if (time < 0)
            (days, time) = (days - 1, time + day);
        var at = CalendarDay(target, days, out var isBefore);
        if (isBefore && style == EraStyle.DuckDb)
            at = Text(target, at, Era(style));
        target[at++] = (byte)' ';
        at += Time(target[at..], time, digits);
        if (offset is { } seconds)
            at += Offset(target[at..], seconds);
        return isBefore && style == EraStyle.Postgres ? Text(target, at, Era(style)) : at;
    }

    /// <summary>A time of day in microseconds, or nanoseconds; a duration may have more than 24 hours.</summary>
    public static int Time(Span<byte> target, long value, int digits = 6)
    {
        var seconds = digits == 9 ? value / 1_000_000_000 : value / 1_000_000;
        var fraction = value - seconds * (digits == 9 ? 1_000_000_000 : 1_000_000);
        var hours = seconds / 3600;
        var rest = (uint)(seconds - hours * 3600);
        var at = Digits.WritePadded(target, (ulong)hours, 2);
        target[at] = (byte)':';
        Digits.Two(target, at + 1, rest / 60);
        target[at + 3] = (byte)':';
        Digits.Two(target, at + 4, rest % 60);
        at += 6;
        if (fraction == 0)
            return at;
        target[at++] = (byte)'.';
        at += Digits.WritePadded(target[at..], (ulong)fraction, digits);
        while (target[at - 1] == '0')
            at--;
        return at;
    }

    /// <summary>DuckDB's TIMETZ: the time, and an offset that counts down from its greatest.</summary>
    public static int TimeTz(Span<byte> target, ulong bits)
    {
        var at = Time(target, (long)(bits >> 24));
        return at + Offset(target[at..], 57599 - (int)(bits & 0xffffff));
    }

    /// <summary>An offset from UTC in seconds as PostgreSQL writes it: <c>+00</c>, <c>+05:30</c>.</summary>
    public static int Offset(Span<byte> target, int seconds)
    {
        target[0] = (byte)(seconds < 0 ? '-' : '+');
        var rest = (uint)Math.Abs(seconds);
        Digits.Two(target, 1, rest / 3600);
        var at = 3;
        for (var (unit, left) = (60u, rest % 3600); left > 0; unit /= 60)
        {
            target[at] = (byte)':';
            Digits.Two(target, at + 1, left / unit);
            (left, at) = (left % unit, at + 3);
        }
        return at;
    }

    /// <summary>An interval as PostgreSQL writes it: it marks what is positive after something negative.</summary>
    public static void Interval(Output output, int months, int days, long micros)
    {
        var start = output.Length;
        var isNegative = false;
        Unit(months / 12, "year");
        Unit(months % 12, "mon");
        Unit(days, "day");
        if (micros == 0 && output.Length > start)
            return;
        Space(output, start);
        if (micros < 0)
            output.Byte((byte)'-');
        else if (isNegative)
            output.Byte((byte)'+');
        Duration(output, micros);

        void Unit(int value, string name)
        {
            if (value == 0)
                return;
            Space(output, start);
            if (value > 0 && isNegative)
                output.Byte((byte)'+');
            isNegative = value < 0;
            output.Decimal(value);
            output.Byte((byte)' ');
            output.Text(name);
            if (value != 1)
                output.Byte((byte)'s');
        }
    }

    /// <summary>An interval as DuckDB casts it to VARCHAR.</summary>
    public static void DuckInterval(Output output, int months, int days, long micros)
    {
        var start = output.Length;
        Unit(months / 12, "year");
        Unit(months % 12, "month");
        Unit(days, "day");
        if (micros == 0 && output.Length > start)
            return;
        Space(output, start);
        if (micros < 0)
            output.Byte((byte)'-');
        Duration(output, micros);

        void Unit(int value, string name)
        {
            if (value == 0)
                return;
            Space(output, start);
            output.Decimal(value);
            output.Byte((byte)' ');
            output.Text(name);
            if (value is not (1 or -1))
                output.Byte((byte)'s');
        }
    }

    private static void Space(Output output, int start)
    {
        if (output.Length > start)
            output.Byte((byte)' ');
    }

    private static void Duration(Output output, long micros)
    {
        if (micros == long.MinValue)
            output.Text("2562047788:00:54.775808"); // Its magnitude is one more than 64 bits hold.
        else
            output.Short(Math.Abs(micros), static (target, value) => Time(target, value));
    }

    // 0 where the value is finite.
    private static int Infinite(Span<byte> target, long value, long infinity)
        => value == infinity ? Text(target, 0, "infinity"u8) : value == -infinity ? Text(target, 0, "-infinity"u8) : 0;

    private static ReadOnlySpan<byte> Era(EraStyle style) => style == EraStyle.DuckDb ? " (BC)"u8 : " BC"u8;

    private static int Text(Span<byte> target, int at, ReadOnlySpan<byte> text)
    {
        text.CopyTo(target[at..]);
        return at + text.Length;
    }

    /// <summary>Year, month and day in the proleptic Gregorian calendar; tells whether the year is one before the common era.</summary>
    private static int CalendarDay(Span<byte> target, long days, out bool isBefore)
    {
        // Neri and Schneider, Euclidean affine functions and their application to calendar algorithms. Years begin in March, and none is negative.
        const long Shift = 14_704; // spans of 400 years
        var fourfold = 4 * (ulong)(days + 719_468 + 146_097 * Shift) + 3;
        var century = fourfold / 146_097;
        var ofCentury = (uint)(fourfold - century * 146_097) | 3;
        var product = 2_939_745UL * ofCentury;
        var dayOfYear = (uint)product / 2_939_745 / 4;
        var shifted = 2141 * dayOfYear + 197_913;
        var (month, day) = (shifted >> 16, (shifted & 0xffff) / 2141 + 1);
        var year = (long)(100 * century + (product >> 32)) - 400 * Shift;
        if (dayOfYear >= 306)
            (year, month) = (year + 1, month - 12);
        isBefore = year <= 0;
        var at = Digits.WritePadded(target, (ulong)(isBefore ? 1 - year : year), 4);
        target[at] = (byte)'-';
        Digits.Two(target, at + 1, month);
        target[at + 3] = (byte)'-';
        Digits.Two(target, at + 4, day);
        return at + 6;
    }
}
