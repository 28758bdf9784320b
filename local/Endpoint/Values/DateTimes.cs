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
        var day = digits == 9 ? MicrosOfDay * 1000 : MicrosOfDay;
        // Day and time are told apart before the offset is added: it may carry the ends of DuckDB's range over those of 64 bits.
        var days = Math.DivRem(value, day, out var time);
        time += (offset ?? 0) * (day / 86_400);
        days += time < 0 ? -1 : time >= day ? 1 : 0;
        time += time < 0 ? day : time >= day ? -day : 0;
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
        var unit = Output.Powers[digits];
        var seconds = value / unit;
        var fraction = value - seconds * unit;
        var minutes = seconds / 60;
        var hours = minutes / 60;
        output.Padded(hours, 2);
        TwoDigits(output, ':', (int)(minutes - hours * 60));
        TwoDigits(output, ':', (int)(seconds - minutes * 60));
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
        // Howard Hinnant's civil_from_days: eras of 400 years, years that begin in March.
        var z = days + 719_468;
        var era = (z >= 0 ? z : z - 146_096) / 146_097;
        var dayOfEra = z - era * 146_097;
        var yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365;
        var dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
        var shifted = (5 * dayOfYear + 2) / 153;
        var month = shifted < 10 ? shifted + 3 : shifted - 9;
        var year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
        output.Padded(year <= 0 ? 1 - year : year, 4);
        TwoDigits(output, '-', (int)month);
        TwoDigits(output, '-', (int)(dayOfYear - (153 * shifted + 2) / 5 + 1));
        return year <= 0;
    }

    private static void TwoDigits(Output output, char separator, int value)
    {
        var target = output.Reserve(3);
        var tens = value / 10;
        target[0] = (byte)separator;
        target[1] = (byte)('0' + tens);
        target[2] = (byte)('0' + value - tens * 10);
        output.Length += 3;
    }
}
