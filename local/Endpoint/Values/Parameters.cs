using System.Buffers.Binary;
using System.Text;
using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Values;

/// <summary>A parameter's value on its way to DuckDB: NULL, text as UTF-8, or the bytes of a BLOB.</summary>
internal readonly record struct ParameterValue(byte[]? Bytes, bool IsBlob = false);

/// <summary>
/// Parameters of a Bind message. Whatever a client declares, a value travels on to DuckDB as text; a binary one is turned into text first,
/// by the type that the client declared for it or else the one that we described.
/// </summary>
internal static class Parameters
{
    private static readonly UTF8Encoding Strict = new(false, true);

    /// <summary>One value of a Bind.</summary>
    /// <param name="bytes">The value as it came.</param>
    /// <param name="format">0 for text, 1 for binary.</param>
    /// <param name="declaredOid">The type that the client declared, or 0.</param>
    /// <param name="describedOid">The type that we described.</param>
    /// <param name="number">Its number, from 1.</param>
    /// <param name="arrays">Whether PostgreSQL's text form of arrays is understood.</param>
    /// <exception cref="EndpointException">It is malformed.</exception>
    public static ParameterValue Decode(ReadOnlySpan<byte> bytes, short format, int declaredOid, int describedOid, int number, bool arrays)
    {
        try
        {
            var oid = declaredOid != 0 ? declaredOid : describedOid;
            if (format == 1)
                return oid == Oid.Bytea ? new ParameterValue(bytes.ToArray(), true) : new ParameterValue(Strict.GetBytes(FromBinary(bytes, oid)));
            Validate(bytes);
            // bytea in PostgreSQL's text form, the one in which we write it too.
            if (describedOid == Oid.Bytea && bytes.StartsWith("\\x"u8) && TryHex(bytes[2..], out var blob))
                return new ParameterValue(blob, true);
            if (arrays && Oid.ElementOf(oid) != 0 && bytes.StartsWith("{"u8))
                return new ParameterValue(Strict.GetBytes(ArrayLiteral.ToList(Strict.GetString(bytes))));
            return new ParameterValue(bytes.ToArray());
        }
        catch (Exception error) when (error is FormatException or ArgumentException)
        {
            var reason = error is FormatException ? error.Message : "it is not valid UTF-8";
            throw new EndpointException($"Invalid Input Error: parameter ${number} cannot be read: {reason}", SqlState.InvalidSetting);
        }
    }

    private static bool TryHex(ReadOnlySpan<byte> digits, out byte[] bytes)
    {
        bytes = [];
        if (digits.Length % 2 != 0 || digits.ContainsAnyExcept("0123456789abcdefABCDEF"u8))
            return false;
        bytes = Convert.FromHexString(digits);
        return true;
    }

    private static void Validate(ReadOnlySpan<byte> bytes)
    {
        if (!System.Text.Unicode.Utf8.IsValid(bytes))
            throw new FormatException("it is not valid UTF-8");
        if (bytes.Contains((byte)0))
            throw new FormatException("text cannot hold a zero byte");
    }

    private static string Text(ReadOnlySpan<byte> bytes)
    {
        Validate(bytes);
        return Strict.GetString(bytes);
    }

    private static ReadOnlySpan<byte> Need(ReadOnlySpan<byte> bytes, int count)
        => bytes.Length == count ? bytes : throw new FormatException($"{count} bytes expected, not {bytes.Length}");

    private static short Int16(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt16BigEndian(Need(bytes, 2));

    private static int Int32(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt32BigEndian(Need(bytes, 4));

    private static long Int64(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt64BigEndian(Need(bytes, 8));

    private static string FromBinary(ReadOnlySpan<byte> bytes, int oid) => oid switch
    {
        Oid.Bool => Need(bytes, 1)[0] != 0 ? "true" : "false",
        Oid.Int2 => Int16(bytes).ToString(),
        Oid.Int4 => Int32(bytes).ToString(),
        Oid.Int8 => Int64(bytes).ToString(),
        Oid.OidType => ((uint)Int32(bytes)).ToString(),
        Oid.Float4 => Written(BitConverter.Int32BitsToSingle(Int32(bytes)), Floats.Single),
        Oid.Float8 => Written(BitConverter.Int64BitsToDouble(Int64(bytes)), Floats.Double),
        Oid.Numeric => Numerics.FromBinary(bytes),
        Oid.Date => Written(Day(Int32(bytes)), (target, days) => DateTimes.Date(target, days, EraStyle.DuckDb)),
        Oid.Time => Written(Int64(bytes), (target, micros) => DateTimes.Time(target, micros)),
        Oid.TimeTz => Written(Int64(Need(bytes, 12)[..8]), (target, micros) => DateTimes.Time(target, micros))
            + Written(-Int32(bytes[8..]), DateTimes.Offset),
        Oid.Timestamp => Written(Instant(Int64(bytes)), (target, micros) => DateTimes.Timestamp(target, micros, style: EraStyle.DuckDb)),
        Oid.TimestampTz => Written(Instant(Int64(bytes)), (target, micros) => DateTimes.Timestamp(target, micros, 0, style: EraStyle.DuckDb)),
        Oid.Interval => Interval(Need(bytes, 16)),
        Oid.Uuid => new Guid(Need(bytes, 16), bigEndian: true).ToString(),
        Oid.Bit or Oid.Varbit => Bits(bytes),
        Oid.Jsonb => bytes.Length > 0 && bytes[0] == 1 ? Text(bytes[1..]) : throw new FormatException("a jsonb of an unknown version"),
        Oid.Bytea => string.Concat(bytes.ToArray().Select(value => $"\\x{value:x2}")),
        _ when Oid.ElementOf(oid) != 0 => List(bytes),
        _ => Text(bytes),
    };

    private static string Written<T>(T value, Func<Span<byte>, T, int> write)
    {
        Span<byte> target = stackalloc byte[Output.ShortLength];
        return Encoding.UTF8.GetString(target[..write(target, value)]);
    }

    private static int Day(int days) => days switch
    {
        int.MaxValue => DateTimes.DateInfinity,
        int.MinValue => -DateTimes.DateInfinity,
        > int.MaxValue - BinaryForm.EpochDays => throw new FormatException("a date beyond those that DuckDB has"),
        _ => days + BinaryForm.EpochDays,
    };

    private static long Instant(long micros) => micros switch
    {
        long.MaxValue => DateTimes.TimestampInfinity,
        long.MinValue => -DateTimes.TimestampInfinity,
        > long.MaxValue - BinaryForm.EpochMicros => throw new FormatException("a timestamp beyond those that DuckDB has"),
        _ => micros + BinaryForm.EpochMicros,
    };

    private static string Interval(ReadOnlySpan<byte> bytes)
    {
        var output = new Output();
        DateTimes.DuckInterval(output, Int32(bytes[12..]), Int32(bytes[8..12]), Int64(bytes[..8]));
        return Encoding.UTF8.GetString(output.Written);
    }

    private static string Bits(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 4)
            throw new FormatException("a binary bit string has at least 4 bytes");
        var count = Int32(bytes[..4]);
        if (count < 0 || count > (bytes.Length - 4) * 8L || bytes.Length != 4 + (count + 7) / 8)
            throw new FormatException("a binary bit string of a wrong length");
        var digits = new StringBuilder(count);
        for (var i = 0; i < count; i++)
            digits.Append((char)('0' + (bytes[4 + i / 8] >> (7 - i % 8) & 1)));
        return digits.ToString();
    }

    // A binary array as DuckDB writes a list.
    private static string List(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 12)
            throw new FormatException("a binary array has at least 12 bytes");
        var dimensions = Int32(bytes[..4]);
        var element = Int32(bytes[8..12]);
        if (dimensions is < 0 or > 6)
            throw new FormatException("a binary array has at most 6 dimensions");
        if (dimensions == 0)
            return "[]";
        if (bytes.Length < 12 + dimensions * 8)
            throw new FormatException("a binary array of a wrong length");
        var list = new StringBuilder();
        var rest = bytes[(12 + dimensions * 8)..];
        Dimension(bytes, 0, dimensions, element, ref rest, list);
        return list.ToString();
    }

    private static void Dimension(
        ReadOnlySpan<byte> bytes, int depth, int dimensions, int element, ref ReadOnlySpan<byte> rest, StringBuilder list)
    {
        var count = Int32(bytes.Slice(12 + depth * 8, 4));
        if (count < 0 || count > bytes.Length)
            throw new FormatException("a binary array of a wrong length");
        list.Append('[');
        for (var i = 0; i < count; i++)
        {
            if (i > 0)
                list.Append(", ");
            // Empty lists take no bytes: without a limit a few bytes could ask for more of them than memory holds.
            if (list.Length > bytes.Length * 64L)
                throw new FormatException("a binary array of a wrong length");
            if (depth + 1 < dimensions)
                Dimension(bytes, depth + 1, dimensions, element, ref rest, list);
            else
                Element(element, ref rest, list);
        }
        list.Append(']');
    }

    private static void Element(int element, ref ReadOnlySpan<byte> rest, StringBuilder list)
    {
        if (rest.Length < 4)
            throw new FormatException("a binary array of a wrong length");
        var length = Int32(rest[..4]);
        rest = rest[4..];
        if (length < 0)
        {
            list.Append("NULL");
            return;
        }
        if (length > rest.Length)
            throw new FormatException("a binary array of a wrong length");
        ArrayLiteral.AppendQuoted(list, FromBinary(rest[..length], element));
        rest = rest[length..];
    }
}
