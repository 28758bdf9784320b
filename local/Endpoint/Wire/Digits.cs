using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace MdFunctions.Endpoint.Wire;

/// <summary>Decimal digits of whole numbers, two at a time.</summary>
internal static class Digits
{
    // The digits of 0 to 99, the first of the two in the lower byte.
    private static readonly ushort[] Pairs = [.. Enumerable.Range(0, 100).Select(value => (ushort)('0' + value / 10 | ('0' + value % 10) << 8))];

    /// <summary>Writes a number up to 99 in two digits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Two(Span<byte> target, int at, uint value) => BinaryPrimitives.WriteUInt16LittleEndian(target.Slice(at, 2), Pairs[value]);

    /// <summary>Fills the target with the last digits of a number.</summary>
    public static void Write(Span<byte> target, ulong value)
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
