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

/// <summary>Dates and times as text.</summary>
internal static class DateTimes
{
    public const int DateInfinity = int.MaxValue;
    public const long TimestampInfinity = long.MaxValue;
    private const long MicrosOfDay = 86_400_000_000;

    public static bool IsInfinite(long timestamp) => timestamp == TimestampInfinity || timestamp == -TimestampInfinity;

    /// <summary>A date, in days since 1970.</summary>
    public static void Date(Output output, int days, EraStyle style = EraStyle.Postgres)
    {
        if (Infinite(output, days, DateInfinity))
            return;
        if (CalendarDay(output, days))
            output.Text(style == EraStyle.DuckDb ? " (BC)" : " BC");
    }

    /// <summary>A timestamp in microseconds since 1970, or nanoseconds, with its offset where it has a time zone.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="value">The moment.</param>
    /// <param name="offset">Seconds that local time is ahead of UTC, or null for a timestamp without a time zone.</param>
    /// <param name="digits">6 for microseconds, 9 for nanoseconds.</param>
    /// <param name="style">Where the era stands.</param>
    public static void Timestamp(Output output, long value, int? offset = null, int digits = 6, EraStyle style = EraStyle.Postgres)
    {
        if (Infinite(output, value, TimestampInfinity))
            return;
        // By the constants themselves: the processor divides by a variable many times more slowly.
        var days = digits == 9 ? Math.DivRem(value, MicrosOfDay * 1000, out var time) : Math.DivRem(value, MicrosOfDay, out time);
        var day = digits == 9 ? MicrosOfDay * 1000 : MicrosOfDay;
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
        var isBefore = CalendarDay(output, days);
        if (isBefore && style == EraStyle.DuckDb)
            output.Text(" (BC)");
        output.Byte((byte)' ');
        Time(output, time, digits);
        if (offset is { } seconds)
            Offset(output, seconds);
        if (isBefore && style == EraStyle.Postgres)
            output.Text(" BC");
    }

    /// <summary>A time of day in microseconds, or nanoseconds; a duration may have more than 24 hours.</summary>
    public static void Time(Output output, long value, int digits = 6)
    {
        var seconds = digits == 9 ? Math.DivRem(value, 1_000_000_000, out var fraction) : Math.DivRem(value, 1_000_000, out fraction);
        var minutes = seconds / 60;
        var hours = minutes / 60;
        output.Padded(hours, 2);
        var target = output.Reserve(6);
        target[0] = (byte)':';
        Digits.Two(target, 1, (uint)(minutes - hours * 60));
        target[3] = (byte)':';
        Digits.Two(target, 4, (uint)(seconds - minutes * 60));
        output.Length += 6;
        if (fraction == 0)
            return;
        output.Byte((byte)'.');
        output.Padded(fraction, digits);
        while (output.Written[^1] == '0')
            output.Length--;
    }

    /// <summary>DuckDB's TIMETZ: the time, and an offset that counts down from its greatest.</summary>
    public static void TimeTz(Output output, ulong bits)
    {
        Time(output, (long)(bits >> 24));
        Offset(output, 57599 - (int)(bits & 0xffffff));
    }

    /// <summary>An offset from UTC in seconds as PostgreSQL writes it: <c>+00</c>, <c>+05:30</c>.</summary>
    public static void Offset(Output output, int seconds)
    {
        output.Byte((byte)(seconds < 0 ? '-' : '+'));
        seconds = Math.Abs(seconds);
        output.Padded(seconds / 3600, 2);
        if (seconds % 3600 == 0)
            return;
        output.Byte((byte)':');
        output.Padded(seconds / 60 % 60, 2);
        if (seconds % 60 == 0)
            return;
        output.Byte((byte)':');
        output.Padded(seconds % 60, 2);
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
            Time(output, Math.Abs(micros));
    }

    private static bool Infinite(Output output, long value, long infinity)
    {
        if (value != infinity && value != -infinity)
            return false;
        output.Text(value > 0 ? "infinity" : "-infinity");
        return true;
    }

    /// <summary>Year, month and day in the proleptic Gregorian calendar; tells whether the year is one before the common era.</summary>
    private static bool CalendarDay(Output output, long days)
    {
        // Neri and Schneider, Euclidean affine functions and their application to calendar algorithms: years begin in March, and all of DuckDB's are positive.
        const long Eras = 14_704;
        var fourfold = 4 * (ulong)(days + 719_468 + 146_097 * Eras) + 3;
        var century = fourfold / 146_097;
        var ofCentury = (uint)(fourfold % 146_097) | 3;
        var product = 2_939_745UL * ofCentury;
        var dayOfYear = (uint)product / 2_939_745 / 4;
        var shifted = 2141 * dayOfYear + 197_913;
        var (month, day) = (shifted >> 16, (shifted & 0xffff) / 2141 + 1);
        var year = (long)(100 * century + (product >> 32)) - 400 * Eras;
        if (dayOfYear >= 306)
            (year, month) = (year + 1, month - 12);
        output.Padded(year <= 0 ? 1 - year : year, 4);
        var target = output.Reserve(6);
        target[0] = (byte)'-';
        Digits.Two(target, 1, month);
        target[3] = (byte)'-';
        Digits.Two(target, 4, day);
        output.Length += 6;
        return year <= 0;
    }
}
