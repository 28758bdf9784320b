using System.Buffers.Text;
using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Values;

/// <summary>Values as text, as PostgreSQL writes them.</summary>
internal static class TextForm
{
    /// <summary>What writes the values of this type.</summary>
    public static ValueWriter Of(ColumnType type, SessionFormat format)
    {
        if (Short(type, format) is { } write)
            return (output, vector, row) => output.Length += write(output.Reserve(Output.ShortLength), vector, row);
        switch (type.Id)
        {
            case DuckType.HugeInt:
                return (output, vector, row) => Numerics.Int128(output, vector.Read<Int128>(row));
            case DuckType.UHugeInt:
                return (output, vector, row) => Numerics.UInt128(output, vector.Read<UInt128>(row));
            case DuckType.BigNum:
                return (output, vector, row) => Numerics.BigNum(output, vector.Bytes(row));
            case DuckType.Decimal:
                return (output, vector, row) => Numerics.Decimal(output, vector.Read<Int128>(row), vector.Type.Scale);
            case DuckType.Varchar:
                return (output, vector, row) => output.Bytes(vector.Bytes(row));
            case DuckType.Blob or DuckType.Geometry:
                return (output, vector, row) => Bytea(output, vector.Bytes(row));
            case DuckType.Uuid:
                return (output, vector, row) => Uuid(output, vector.Read<UInt128>(row));
            case DuckType.Bit:
                return (output, vector, row) => Bits(output, vector.Bytes(row));
            case DuckType.Enum:
                return (output, vector, row) => output.Bytes(EnumValue(vector, row));
            case DuckType.Interval:
                return (output, vector, row) =>
                {
                    var (months, days, micros) = vector.Read<RawInterval>(row);
                    DateTimes.Interval(output, months, days, micros);
                };
            case DuckType.List or DuckType.Array when format.Lists != ListStyle.DuckDb:
                return new ListText(type, format).Write;
            case DuckType.List or DuckType.Array or DuckType.Struct or DuckType.Map or DuckType.Union:
                return new NestedText(format).Write;
            default:
                return (_, _, _) => { };
        }
    }

    /// <summary>What writes the values of this type where their text is short, or null where it may be long.</summary>
    public static ShortWriter? Short(ColumnType type, SessionFormat format)
    {
        var scale = type.Scale;
        return type.Id switch
        {
            DuckType.Boolean => (target, vector, row) =>
            {
                target[0] = vector.Read<byte>(row) != 0 ? (byte)'t' : (byte)'f';
                return 1;
            }
            ,
            DuckType.TinyInt => (target, vector, row) => Digits.Write(target, vector.Read<sbyte>(row)),
            DuckType.UTinyInt => (target, vector, row) => Digits.Write(target, (ulong)vector.Read<byte>(row)),
            DuckType.SmallInt => (target, vector, row) => Digits.Write(target, vector.Read<short>(row)),
            DuckType.USmallInt => (target, vector, row) => Digits.Write(target, (ulong)vector.Read<ushort>(row)),
            DuckType.Integer => (target, vector, row) => Digits.Write(target, vector.Read<int>(row)),
            DuckType.UInteger => (target, vector, row) => Digits.Write(target, (ulong)vector.Read<uint>(row)),
            DuckType.BigInt => (target, vector, row) => Digits.Write(target, vector.Read<long>(row)),
            DuckType.UBigInt => (target, vector, row) => Digits.Write(target, vector.Read<ulong>(row)),
            DuckType.Decimal when type.Internal == DuckType.SmallInt => (target, vector, row) => Numerics.Decimal(target, vector.Read<short>(row), scale),
            DuckType.Decimal when type.Internal == DuckType.Integer => (target, vector, row) => Numerics.Decimal(target, vector.Read<int>(row), scale),
            DuckType.Decimal when type.Internal == DuckType.BigInt => (target, vector, row) => Numerics.Decimal(target, vector.Read<long>(row), scale),
            DuckType.Float => (target, vector, row) => Floats.Single(target, vector.Read<float>(row)),
            DuckType.Double => (target, vector, row) => Floats.Double(target, vector.Read<double>(row)),
            _ => DateOrTime(type.Id, format, EraStyle.Postgres),
        };
    }

    /// <summary>What writes dates and times, or null for other types.</summary>
    public static ShortWriter? DateOrTime(DuckType type, SessionFormat format, EraStyle era) => type switch
    {
        DuckType.Date => (target, vector, row) => DateTimes.Date(target, vector.Read<int>(row), era),
        DuckType.Time => (target, vector, row) => DateTimes.Time(target, vector.Read<long>(row)),
        DuckType.TimeNs => (target, vector, row) => DateTimes.Time(target, vector.Read<long>(row), 9),
        DuckType.TimeTz => (target, vector, row) => DateTimes.TimeTz(target, vector.Read<ulong>(row)),
        DuckType.Timestamp => (target, vector, row) => DateTimes.Timestamp(target, vector.Read<long>(row), style: era),
        DuckType.TimestampS or DuckType.TimestampMs => (target, vector, row) => DateTimes.Timestamp(target, BinaryForm.Micros(vector, row), style: era),
        DuckType.TimestampNs => (target, vector, row) => DateTimes.Timestamp(target, vector.Read<long>(row), digits: 9, style: era),
        DuckType.TimestampTz => (target, vector, row) =>
        {
            var micros = vector.Read<long>(row);
            return DateTimes.Timestamp(target, micros, format.Zone.At(micros), style: era);
        }
        ,
        _ => null,
    };

    public static ReadOnlySpan<byte> EnumValue(Vector vector, int row) => vector.Type.Values[vector.Type.Internal switch
    {
        DuckType.UTinyInt => vector.Read<byte>(row),
        DuckType.USmallInt => vector.Read<ushort>(row),
        _ => vector.Read<uint>(row),
    }];

    // DuckDB keeps a UUID as a signed number of 128 bits whose topmost bit is inverted.
    public static UInt128 UuidBits(UInt128 kept) => kept ^ (UInt128.One << 127);

    public static void Uuid(Output output, UInt128 kept)
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(bytes, UuidBits(kept));
        Utf8Formatter.TryFormat(new Guid(bytes, bigEndian: true), output.Reserve(36), out var written);
        output.Length += written;
    }

    /// <summary>The first byte is how many bits of padding stand before the value's own.</summary>
    public static void Bits(Output output, ReadOnlySpan<byte> bytes)
    {
        var count = (bytes.Length - 1) * 8 - bytes[0];
        var digits = output.Reserve(count);
        for (var i = 0; i < count; i++)
        {
            var bit = i + bytes[0];
            digits[i] = (byte)('0' + (bytes[1 + bit / 8] >> (7 - bit % 8) & 1));
        }
        output.Length += count;
    }

    private static void Bytea(Output output, ReadOnlySpan<byte> bytes)
    {
        output.Byte((byte)'\\');
        output.Byte((byte)'x');
        Convert.TryToHexStringLower(bytes, output.Reserve(bytes.Length * 2), out var written);
        output.Length += written;
    }
}
