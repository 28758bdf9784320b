using System.Buffers.Binary;
using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Values;

/// <summary>Values in PostgreSQL's binary format.</summary>
internal static class BinaryForm
{
    /// <summary>2000-01-01, where PostgreSQL's binary dates begin, in days since 1970.</summary>
    public const int EpochDays = 10_957;

    /// <summary>The same in microseconds.</summary>
    public const long EpochMicros = 946_684_800_000_000;

    /// <summary>What writes the values of this type. For want of a binary form structs, maps and unions look as in text.</summary>
    public static ValueWriter Of(ColumnType type, SessionFormat format)
    {
        switch (type.Id)
        {
            case DuckType.Boolean:
                return (output, vector, row) => output.Byte(vector.Read<byte>(row) != 0 ? (byte)1 : (byte)0);
            case DuckType.TinyInt:
                return (output, vector, row) => output.Int16(vector.Read<sbyte>(row));
            case DuckType.UTinyInt:
                return (output, vector, row) => output.Int16(vector.Read<byte>(row));
            case DuckType.SmallInt:
                return (output, vector, row) => output.Int16(vector.Read<short>(row));
            case DuckType.USmallInt:
                return (output, vector, row) => output.Int32(vector.Read<ushort>(row));
            case DuckType.Integer:
                return (output, vector, row) => output.Int32(vector.Read<int>(row));
            case DuckType.UInteger:
                return (output, vector, row) => output.Int64(vector.Read<uint>(row));
            case DuckType.BigInt:
                return (output, vector, row) => output.Int64(vector.Read<long>(row));
            case DuckType.UBigInt or DuckType.HugeInt or DuckType.UHugeInt or DuckType.BigNum or DuckType.Decimal:
                return Numeric(TextForm.Of(type, format));
            case DuckType.Float:
                return (output, vector, row) => output.Int32(BitConverter.SingleToInt32Bits(vector.Read<float>(row)));
            case DuckType.Double:
                return (output, vector, row) => output.Int64(BitConverter.DoubleToInt64Bits(vector.Read<double>(row)));
            case DuckType.Blob or DuckType.Geometry:
                return (output, vector, row) => output.Bytes(vector.Bytes(row));
            case DuckType.Uuid:
                return (output, vector, row) =>
                {
                    BinaryPrimitives.WriteUInt128BigEndian(output.Reserve(16), TextForm.UuidBits(vector.Read<UInt128>(row)));
                    output.Length += 16;
                };
            case DuckType.Bit:
                return (output, vector, row) => Bits(output, vector.Bytes(row));
            case DuckType.List or DuckType.Array:
                return new ListBinary(type, format).Write;
            default:
                return DateOrTime(type.Id) ?? TextForm.Of(type, format);
        }
    }

    /// <summary>A timestamp of whatever precision in microseconds; infinities stay themselves.</summary>
    public static long Micros(Vector vector, int row)
    {
        var value = vector.Read<long>(row);
        if (DateTimes.IsInfinite(value))
            return value;
        return vector.Type.Id switch
        {
            DuckType.TimestampS => value * 1_000_000,
            DuckType.TimestampMs => value * 1000,
            DuckType.TimestampNs => value >= 0 ? value / 1000 : -((-value + 999) / 1000),
            _ => value,
        };
    }

    private static ValueWriter? DateOrTime(DuckType type) => type switch
    {
        DuckType.Date => (output, vector, row) => output.Int32(vector.Read<int>(row) switch
        {
            DateTimes.DateInfinity => int.MaxValue,
            -DateTimes.DateInfinity => int.MinValue,
            var days => days - EpochDays,
        }),
        DuckType.Time => (output, vector, row) => output.Int64(vector.Read<long>(row)),
        DuckType.TimeNs => (output, vector, row) => output.Int64(vector.Read<long>(row) / 1000),
        DuckType.TimeTz => (output, vector, row) =>
        {
            var bits = vector.Read<ulong>(row);
            output.Int64((long)(bits >> 24));
            output.Int32((int)(bits & 0xffffff) - 57599); // PostgreSQL counts the offset westwards.
        }
        ,
        DuckType.Timestamp or DuckType.TimestampS or DuckType.TimestampMs or DuckType.TimestampNs or DuckType.TimestampTz =>
            (output, vector, row) => output.Int64(Micros(vector, row) switch
            {
                DateTimes.TimestampInfinity => long.MaxValue,
                -DateTimes.TimestampInfinity => long.MinValue,
                var micros => micros - EpochMicros,
            }),
        DuckType.Interval => (output, vector, row) =>
        {
            var (months, days, micros) = vector.Read<RawInterval>(row);
            output.Int64(micros);
            output.Int32(days);
            output.Int32(months);
        }
        ,
        _ => null,
    };

    private static ValueWriter Numeric(ValueWriter text) => (output, vector, row) =>
    {
        var start = output.Length;
        text(output, vector, row);
        Numerics.ToBinary(output, start);
    };

    private static void Bits(Output output, ReadOnlySpan<byte> bytes)
    {
        var count = (bytes.Length - 1) * 8 - bytes[0];
        output.Int32(count);
        for (var i = 0; i < count; i += 8)
        {
            var value = 0;
            for (var bit = i + bytes[0]; bit < i + bytes[0] + 8; bit++)
                value = value << 1 | (bit < count + bytes[0] ? bytes[1 + bit / 8] >> (7 - bit % 8) & 1 : 0);
            output.Byte((byte)value);
        }
    }
}

/// <summary>A list as PostgreSQL's binary array. Lists of lists must be rectangular there; others have no such form.</summary>
internal sealed class ListBinary
{
    private readonly ColumnType _leaf;
    private readonly ValueWriter _writer;
    private readonly List<int> _dimensions = [];

    public ListBinary(ColumnType type, SessionFormat format)
    {
        _leaf = type;
        while (_leaf.IsList)
            _leaf = _leaf.Children[0];
        _writer = BinaryForm.Of(_leaf, format);
    }

    public void Write(Output output, Vector vector, int row)
    {
        _dimensions.Clear();
        var hasNull = Measure(vector, row, 0);
        var isEmpty = _dimensions.Contains(0);
        output.Int32(isEmpty ? 0 : _dimensions.Count);
        output.Int32(hasNull ? 1 : 0);
        output.Int32(_leaf.OidNumber);
        if (isEmpty)
            return;
        foreach (var length in _dimensions)
        {
            output.Int32(length);
            output.Int32(1);
        }
        Elements(output, vector, row);
    }

    private bool Measure(Vector list, int row, int depth)
    {
        var (first, count) = list.Entry(row);
        if (_dimensions.Count == depth)
            _dimensions.Add(count);
        else if (_dimensions[depth] != count)
            throw NoArray("a list of lists of unequal lengths");
        var child = list.Children[0];
        var hasNull = false;
        for (var i = first; i < first + count; i++)
        {
            if (!child.Type.IsList)
                hasNull |= !child.IsValid(i);
            else if (child.IsValid(i))
                hasNull |= Measure(child, i, depth + 1);
            else
                throw NoArray("a list that holds NULL lists");
        }
        return hasNull;
    }

    private void Elements(Output output, Vector list, int row)
    {
        var (first, count) = list.Entry(row);
        var child = list.Children[0];
        for (var i = first; i < first + count; i++)
        {
            if (child.Type.IsList)
                Elements(output, child, i);
            else
                RowWriter.WriteValue(output, _writer, child, i);
        }
    }

    private static EndpointException NoArray(string what)
        => new($"Invalid Input Error: {what} has no binary array form; read it as text or as JSON");
}
