using System.Globalization;
using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Values;

/// <summary>FLOAT and DOUBLE by their shortest digits that read back as the same number, laid out as PostgreSQL and as DuckDB do.</summary>
internal static class Floats
{
    /// <summary>A DOUBLE as PostgreSQL writes it.</summary>
    public static void Double(Output output, double value)
    {
        var magnitude = Math.Abs(value);
        var scaled = Math.Round(magnitude * 1e4);
        // Most numbers have up to four decimals. No two decimals of up to 15 digits are the same double, so these are its shortest digits.
        if (magnitude is >= 1e-3 and < 1e9 && scaled / 1e4 == magnitude)
            FewDecimals(output, value < 0, (long)scaled);
        else if (!Special(output, value, "NaN", "Infinity", "-Infinity"))
            new Shortest(value).Write(output, 15, false);
    }

    /// <summary>A FLOAT as PostgreSQL writes it.</summary>
    public static void Single(Output output, float value)
    {
        if (!Special(output, value, "NaN", "Infinity", "-Infinity"))
            new Shortest(value).Write(output, 6, false);
    }

    /// <summary>A DOUBLE as DuckDB casts it to VARCHAR.</summary>
    public static void DuckDouble(Output output, double value)
    {
        if (!Special(output, value, "nan", "inf", "-inf"))
            new Shortest(value).Write(output, 16, true);
    }

    /// <summary>A FLOAT as DuckDB casts it to VARCHAR.</summary>
    public static void DuckSingle(Output output, float value)
    {
        if (!Special(output, value, "nan", "inf", "-inf"))
            new Shortest(value).Write(output, 16, true);
    }

    private static void FewDecimals(Output output, bool isNegative, long scaled)
    {
        if (isNegative)
            output.Byte((byte)'-');
        var whole = scaled / 10_000;
        var fraction = scaled - whole * 10_000;
        output.Decimal(whole);
        if (fraction == 0)
            return;
        var width = 4;
        while (fraction % 10 == 0)
        {
            fraction /= 10;
            width--;
        }
        output.Byte((byte)'.');
        output.Padded(fraction, width);
    }

    private static bool Special(Output output, double value, string nan, string infinity, string minusInfinity)
    {
        if (double.IsFinite(value))
            return false;
        output.Text(double.IsNaN(value) ? nan : value > 0 ? infinity : minusInfinity);
        return true;
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

        /// <summary>Writes it with an exponent below 10^-4 and from 10^<paramref name="limit"/> on.</summary>
        public void Write(Output output, int limit, bool alwaysPoint)
        {
            if (_isNegative)
                output.Byte((byte)'-');
            if (_power < -4 || _power >= limit)
            {
                Exponential(output);
                return;
            }
            if (_power < 0)
            {
                output.Byte((byte)'0');
                output.Byte((byte)'.');
                for (var i = -1; i > _power; i--)
                    output.Byte((byte)'0');
            }
            for (var i = 0; i < Math.Max(_count, _power + 1); i++)
            {
                if (i > 0 && i == _power + 1)
                    output.Byte((byte)'.');
                output.Byte(i < _count ? _digits[i] : (byte)'0');
            }
            if (!alwaysPoint || _power < 0 || _count > _power + 1)
                return;
            output.Byte((byte)'.');
            output.Byte((byte)'0');
        }

        private void Exponential(Output output)
        {
            output.Byte(_digits[0]);
            if (_count > 1)
                output.Byte((byte)'.');
            for (var i = 1; i < _count; i++)
                output.Byte(_digits[i]);
            output.Byte((byte)'e');
            output.Byte((byte)(_power < 0 ? '-' : '+'));
            output.Padded(Math.Abs(_power), 2);
        }
    }
}
