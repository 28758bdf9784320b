using System.Buffers.Text;
using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Values;

/// <summary>Values as text, as PostgreSQL writes them.</summary>
internal static class TextForm
{
    /// <summary>What writes the values of this type.</summary>
    public static ValueWriter Of(ColumnType type, SessionFormat format)
    {
        switch (type.Id)
        {
            case DuckType.Boolean:
                return (output, vector, row) => output.Byte(vector.Read<byte>(row) != 0 ? (byte)'t' : (byte)'f');
            case DuckType.TinyInt:
                return (output, vector, row) => output.Decimal(vector.Read<sbyte>(row));
            case DuckType.UTinyInt:
                return (output, vector, row) => output.Decimal(vector.Read<byte>(row));
            case DuckType.SmallInt:
                return (output, vector, row) => output.Decimal(vector.Read<short>(row));
            case DuckType.USmallInt:
                return (output, vector, row) => output.Decimal(vector.Read<ushort>(row));
            case DuckType.Integer:
                return (output, vector, row) => output.Decimal(vector.Read<int>(row));
            case DuckType.UInteger:
                return (output, vector, row) => output.Decimal(vector.Read<uint>(row));
            case DuckType.BigInt:
                return (output, vector, row) => output.Decimal(vector.Read<long>(row));
            case DuckType.UBigInt:
                return (output, vector, row) => Numerics.UInt64(output, vector.Read<ulong>(row));
            case DuckType.HugeInt:
                return (output, vector, row) => Numerics.Int128(output, vector.Read<Int128>(row));
            case DuckType.UHugeInt:
                return (output, vector, row) => Numerics.UInt128(output, vector.Read<UInt128>(row));
            case DuckType.BigNum:
                return (output, vector, row) => Numerics.BigNum(output, vector.Bytes(row));
            case DuckType.Decimal:
                return Numerics.Unscaled;
            case DuckType.Float:
                return (output, vector, row) => Floats.Single(output, vector.Read<float>(row));
            case DuckType.Double:
                return (output, vector, row) => Floats.Double(output, vector.Read<double>(row));
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
                return DateOrTime(type.Id, format, EraStyle.Postgres) ?? ((_, _, _) => { });
        }
    }

    /// <summary>What writes dates and times, or null for other types.</summary>
    public static ValueWriter? DateOrTime(DuckType type, SessionFormat format, EraStyle era) => type switch
    {
        DuckType.Date => (output, vector, row) => DateTimes.Date(output, vector.Read<int>(row), era),
        DuckType.Time => (output, vector, row) => DateTimes.Time(output, vector.Read<long>(row)),
        DuckType.TimeNs => (output, vector, row) => DateTimes.Time(output, vector.Read<long>(row), 9),
        DuckType.TimeTz => (output, vector, row) => DateTimes.TimeTz(output, vector.Read<ulong>(row)),
        DuckType.Timestamp or DuckType.TimestampS or DuckType.TimestampMs => (output, vector, row) =>
            DateTimes.Timestamp(output, BinaryForm.Micros(vector, row), style: era),
        DuckType.TimestampNs => (output, vector, row) => DateTimes.Timestamp(output, vector.Read<long>(row), digits: 9, style: era),
        DuckType.TimestampTz => (output, vector, row) =>
        {
            var micros = vector.Read<long>(row);
            DateTimes.Timestamp(output, micros, format.Zone.At(micros), style: era);
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
