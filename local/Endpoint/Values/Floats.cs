using System.Globalization;
using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Values;

/// <summary>FLOAT and DOUBLE by their shortest digits that read back as the same number, laid out as PostgreSQL and as DuckDB do.</summary>
internal static class Floats
{
    /// <summary>A DOUBLE as PostgreSQL writes it.</summary>
    public static int Double(Span<byte> target, double value)
    {
        var magnitude = Math.Abs(value);
        var scaled = Math.Round(magnitude * 1e4);
        // Most numbers have up to four decimals. No two decimals of up to 15 digits are the same double, so these are its shortest digits.
        if (magnitude is >= 1e-3 and < 1e9 && scaled / 1e4 == magnitude)
            return FewDecimals(target, value < 0, (ulong)scaled);
        return double.IsFinite(value) ? new Shortest(value).Write(target, 15, false) : Special(target, value, "NaN"u8, "Infinity"u8, "-Infinity"u8);
    }

    /// <summary>A FLOAT as PostgreSQL writes it.</summary>
    public static int Single(Span<byte> target, float value)
        => float.IsFinite(value) ? new Shortest(value).Write(target, 6, false) : Special(target, value, "NaN"u8, "Infinity"u8, "-Infinity"u8);

    /// <summary>A DOUBLE as DuckDB casts it to VARCHAR.</summary>
    public static int DuckDouble(Span<byte> target, double value)
        => double.IsFinite(value) ? new Shortest(value).Write(target, 16, true) : Special(target, value, "nan"u8, "inf"u8, "-inf"u8);

    /// <summary>A FLOAT as DuckDB casts it to VARCHAR.</summary>
    public static int DuckSingle(Span<byte> target, float value)
        => float.IsFinite(value) ? new Shortest(value).Write(target, 16, true) : Special(target, value, "nan"u8, "inf"u8, "-inf"u8);

    private static int FewDecimals(Span<byte> target, bool isNegative, ulong scaled)
    {
        target[0] = (byte)'-';
        var at = isNegative ? 1 : 0;
        var whole = scaled / 10_000;
        var fraction = (uint)(scaled - whole * 10_000);
        at += Digits.Write(target[at..], whole);
        if (fraction == 0)
            return at;
        target[at] = (byte)'.';
        Digits.Two(target, at + 1, fraction / 100);
        Digits.Two(target, at + 3, fraction % 100);
        at += 5;
        while (target[at - 1] == '0')
            at--;
        return at;
    }

    private static int Special(Span<byte> target, double value, ReadOnlySpan<byte> nan, ReadOnlySpan<byte> infinity, ReadOnlySpan<byte> minusInfinity)
    {
        var text = double.IsNaN(value) ? nan : value > 0 ? infinity : minusInfinity;
        text.CopyTo(target);
        return text.Length;
    }

    /// <summary>A finite number's shortest digits, and the power of ten of the first of them.</summary>
    private unsafe ref struct Shortest
    {
        private fixed byte _digits[20];
        private readonly int _count;
        private readonly int _power;
        private readonly bool _isNegative;

        public Shortest(double value)
        {
            Span<byte> text = stackalloc byte[32];
            value.TryFormat(text, out var length, "R", CultureInfo.InvariantCulture);
            Take(text[..length], out _count, out _power, out _isNegative);
        }

        public Shortest(float value)
        {
            Span<byte> text = stackalloc byte[32];
            value.TryFormat(text, out var length, "R", CultureInfo.InvariantCulture);
            Take(text[..length], out _count, out _power, out _isNegative);
        }

        // Takes 1.5E-07, 0.00015 and 1500 apart.
        private void Take(scoped ReadOnlySpan<byte> text, out int count, out int power, out bool isNegative)
        {
            isNegative = text[0] == '-';
            if (isNegative)
                text = text[1..];
            var exponent = 0;
            var mark = text.IndexOf((byte)'E');
            if (mark >= 0)
            {
                exponent = int.Parse(text[(mark + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
                text = text[..mark];
            }
            var point = text.IndexOf((byte)'.');
            power = exponent + (point >= 0 ? point : text.Length) - 1;
            count = 0;
            foreach (var c in text)
            {
                if (c == '.')
                    continue;
                if (c == '0' && count == 0)
                {
                    power--;
                    continue;
                }
                _digits[count++] = c;
            }
            while (count > 0 && _digits[count - 1] == '0')
                count--;
            if (count > 0)
                return;
            (_digits[0], count, power) = ((byte)'0', 1, 0);
        }

        /// <summary>Writes it with an exponent below 10^-4 and from 10^<paramref name="limit"/> on; tells how many bytes.</summary>
        public int Write(Span<byte> target, int limit, bool alwaysPoint)
        {
            var at = 0;
            if (_isNegative)
                target[at++] = (byte)'-';
            if (_power < -4 || _power >= limit)
                return Exponential(target, at);
            if (_power < 0)
            {
                target[at++] = (byte)'0';
                target[at++] = (byte)'.';
                for (var i = -1; i > _power; i--)
                    target[at++] = (byte)'0';
            }
            for (var i = 0; i < Math.Max(_count, _power + 1); i++)
            {
                if (i > 0 && i == _power + 1)
                    target[at++] = (byte)'.';
                target[at++] = i < _count ? _digits[i] : (byte)'0';
            }
            if (!alwaysPoint || _power < 0 || _count > _power + 1)
                return at;
            target[at++] = (byte)'.';
            target[at++] = (byte)'0';
            return at;
        }

        private int Exponential(Span<byte> target, int at)
        {
            target[at++] = _digits[0];
            if (_count > 1)
                target[at++] = (byte)'.';
            for (var i = 1; i < _count; i++)
                target[at++] = _digits[i];
            target[at++] = (byte)'e';
            target[at++] = (byte)(_power < 0 ? '-' : '+');
            return at + Digits.WritePadded(target[at..], (ulong)Math.Abs(_power), 2);
        }
    }
}
