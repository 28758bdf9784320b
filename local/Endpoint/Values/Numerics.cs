using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Values;

/// <summary>DECIMAL and the whole numbers that PostgreSQL has no type of their own for: all are NUMERIC to it.</summary>
internal static class Numerics
{
    /// <summary>A DECIMAL of up to 18 digits.</summary>
    public static int Decimal(Span<byte> target, long unscaled, int scale)
    {
        if (scale == 0)
            return Digits.Write(target, unscaled);
        target[0] = (byte)'-';
        var at = unscaled < 0 ? 1 : 0;
        var magnitude = (ulong)Math.Abs(unscaled);
        var unit = Digits.Power(scale);
        var whole = magnitude / unit;
        at += Digits.Write(target[at..], whole);
        target[at++] = (byte)'.';
        return at + Digits.WritePadded(target[at..], magnitude - whole * unit, scale);
    }

    /// <summary>A DECIMAL of up to 38 digits.</summary>
    public static void Decimal(Output output, Int128 unscaled, int scale)
    {
        if (unscaled < 0)
            output.Byte((byte)'-');
        Span<byte> digits = stackalloc byte[80];
        var magnitude = (UInt128)(unscaled < 0 ? -unscaled : unscaled);
        magnitude.TryFormat(digits[40..], out var count);
        // Zeros in front, so that a digit stands before the point.
        var missing = Math.Max(0, scale + 1 - count);
        digits.Slice(40 - missing, missing).Fill((byte)'0');
        var all = digits.Slice(40 - missing, missing + count);
        output.Bytes(all[..^scale]);
        if (scale == 0)
            return;
        output.Byte((byte)'.');
        output.Bytes(all[^scale..]);
    }

    public static void Int128(Output output, Int128 value)
    {
        value.TryFormat(output.Reserve(40), out var written);
        output.Length += written;
    }

    public static void UInt128(Output output, UInt128 value)
    {
        value.TryFormat(output.Reserve(40), out var written);
        output.Length += written;
    }

    /// <summary>A BIGNUM from DuckDB's bytes: a header of three, then the magnitude, all inverted where it is negative.</summary>
    public static void BigNum(Output output, ReadOnlySpan<byte> bytes)
    {
        var isNegative = (bytes[0] & 0x80) == 0;
        var magnitude = bytes[3..].ToArray();
        if (isNegative)
        {
            for (var i = 0; i < magnitude.Length; i++)
                magnitude[i] = (byte)~magnitude[i];
        }
        var value = new BigInteger(magnitude, isUnsigned: true, isBigEndian: true);
        output.Text((isNegative ? -value : value).ToString());
    }

    /// <summary>Makes PostgreSQL's binary NUMERIC of the decimal text that was written from <paramref name="start"/> on.</summary>
    public static void ToBinary(Output output, int start)
    {
        var text = output.From(start).ToArray().AsSpan();
        output.Length = start;
        var isNegative = text[0] == '-';
        if (isNegative)
            text = text[1..];
        var point = text.IndexOf((byte)'.');
        var whole = (point < 0 ? text : text[..point]).TrimStart((byte)'0');
        var fraction = point < 0 ? [] : text[(point + 1)..];
        var left = (whole.Length + 3) / 4;
        Span<short> groups = new short[left + (fraction.Length + 3) / 4];
        for (var i = 0; i < whole.Length; i++)
            Add(ref groups[left - 1 - (whole.Length - 1 - i) / 4], whole[i]);
        for (var i = 0; i < (fraction.Length + 3) / 4 * 4; i++)
            Add(ref groups[left + i / 4], i < fraction.Length ? fraction[i] : (byte)'0');
        var first = 0;
        while (first < groups.Length && groups[first] == 0)
            first++;
        var used = groups[first..].TrimEnd((short)0);
        output.Int16((short)used.Length);
        output.Int16((short)(used.IsEmpty ? 0 : left - 1 - first));
        output.Int16((short)(isNegative && !used.IsEmpty ? 0x4000 : 0));
        output.Int16((short)fraction.Length);
        foreach (var group in used)
            output.Int16(group);

        static void Add(ref short group, byte digit) => group = (short)(group * 10 + (digit - '0'));
    }

    /// <summary>Decimal text of PostgreSQL's binary NUMERIC.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static string FromBinary(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 8)
            throw new FormatException("a binary numeric has at least 8 bytes");
        var count = BinaryPrimitives.ReadInt16BigEndian(bytes);
        var weight = BinaryPrimitives.ReadInt16BigEndian(bytes[2..]);
        var sign = BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]);
        var scale = BinaryPrimitives.ReadInt16BigEndian(bytes[6..]);
        switch (sign)
        {
            case 0xc000:
                return "NaN";
            case 0xd000:
                return "Infinity";
            case 0xf000:
                return "-Infinity";
        }
        if (count < 0 || scale < 0 || bytes.Length != 8 + count * 2)
            throw new FormatException("a binary numeric of a wrong length");
        var whole = new StringBuilder();
        for (var i = 0; i <= weight; i++)
            whole.Append(Group(bytes, i, count));
        var fraction = new StringBuilder();
        for (var i = weight + 1; fraction.Length < scale; i++)
            fraction.Append(Group(bytes, i, count));
        fraction.Length = scale;
        var digits = whole.ToString().TrimStart('0');
        return $"{(sign == 0x4000 ? "-" : "")}{(digits.Length == 0 ? "0" : digits)}{(scale > 0 ? "." : "")}{fraction}";
    }

    private static string Group(ReadOnlySpan<byte> bytes, int index, int count)
    {
        if (index < 0 || index >= count)
            return "0000";
        var group = BinaryPrimitives.ReadInt16BigEndian(bytes[(8 + index * 2)..]);
        if (group is < 0 or > 9999)
            throw new FormatException("a binary numeric whose digits are none");
        return group.ToString("0000");
    }
}
