using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace MdFunctions.Endpoint.Wire;

/// <summary>Decimal digits of whole numbers, two at a time. Targets have room: <see cref="MaxLength"/> bytes always suffice.</summary>
internal static class Digits
{
    /// <summary>The most that a number of 64 bits takes, its sign included.</summary>
    public const int MaxLength = 20;

    // The digits of 0 to 99, the first of the two in the lower byte.
    private static readonly ushort[] Pairs = [.. Enumerable.Range(0, 100).Select(value => (ushort)('0' + value / 10 | ('0' + value % 10) << 8))];

    private static ReadOnlySpan<ulong> Powers =>
    [
        1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000, 100_000_000_000,
        1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000, 10_000_000_000_000_000,
        100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
    ];

    /// <summary>Ten to a power from 0 to 19.</summary>
    public static ulong Power(int exponent) => Powers[exponent];

    /// <summary>Writes a number up to 99 in two digits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Two(Span<byte> target, int at, uint value) => BinaryPrimitives.WriteUInt16LittleEndian(target.Slice(at, 2), Pairs[value]);

    /// <summary>Writes a number; tells how many bytes.</summary>
    public static int Write(Span<byte> target, long value)
    {
        if (value >= 0)
            return Write(target, (ulong)value);
        target[0] = (byte)'-';
        return Write(target[1..], (ulong)-value) + 1;
    }

    /// <summary>Writes a number; tells how many bytes.</summary>
    public static int Write(Span<byte> target, ulong value)
    {
        var length = Count(value);
        Fill(target[..length], value);
        return length;
    }

    /// <summary>Writes a number in at least so many digits, up to 19; tells how many bytes.</summary>
    public static int WritePadded(Span<byte> target, ulong value, int width)
    {
        if (width == 2 && value < 100)
        {
            Two(target, 0, (uint)value);
            return 2;
        }
        var length = value < Powers[width] ? width : Count(value);
        Fill(target[..length], value);
        return length;
    }

    private static int Count(ulong value)
    {
        // 1233 / 4096 is the decimal logarithm of 2, nearly: what it makes of the number of bits is right, or one too few.
        var length = (BitOperations.Log2(value | 1) + 1) * 1233 >> 12;
        return (value | 1) >= Powers[length] ? length + 1 : length;
    }

    // Fills the target with the last digits.
    private static void Fill(Span<byte> target, ulong value)
    {
        var left = target.Length;
        for (; left > 1; left -= 2)
        {
            var hundreds = value / 100;
            Two(target, left - 2, (uint)(value - hundreds * 100));
            value = hundreds;
        }
        if (left > 0)
            target[0] = (byte)('0' + value % 10);
    }
}
