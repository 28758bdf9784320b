using DuckDB.NET.Native;
using static MdFunctions.Endpoint.Native.MissingNativeMethods;

namespace MdFunctions.Endpoint.Values;

/// <summary>A DuckDB type with its parts, and what it is to a PostgreSQL client: an OID, a size and a type modifier.</summary>
internal sealed class ColumnType
{
    private ColumnType(DuckType id, int oid)
    {
        Id = id;
        OidNumber = oid;
    }

    public static ColumnType Text { get; } = new(DuckType.Varchar, Oid.Text);

    public static ColumnType Boolean { get; } = new(DuckType.Boolean, Oid.Bool);

    public DuckType Id { get; }

    public int OidNumber { get; private init; }

    public short Size => Oid.SizeOf(OidNumber);

    public int TypeModifier { get; private init; } = -1;

    public bool IsJson { get; private init; }

    /// <summary>Of a DECIMAL.</summary>
    public int Scale { get; private init; }

    /// <summary>How a DECIMAL or an ENUM is kept.</summary>
    public DuckType Internal { get; private init; }

    /// <summary>Of an ENUM, as UTF-8.</summary>
    public byte[][] Values { get; private init; } = [];

    /// <summary>Of a fixed-size ARRAY.</summary>
    public int Length { get; private init; }

    /// <summary>The element of a list, key and value of a map, the fields of a struct, the members of a union.</summary>
    public ColumnType[] Children { get; private init; } = [];

    public string[] Names { get; private init; } = [];

    public bool IsList => Id is DuckType.List or DuckType.Array;

    public bool IsListOfLists => IsList && Children[0].IsList;

    /// <summary>Whether DuckDB has left the type, or a part of it, open.</summary>
    public bool IsUnresolved => Id is DuckType.Invalid or DuckType.Any || Children.Any(child => child.IsUnresolved);

    /// <summary>Whether its values, or a part of them, cannot be read from DuckDB's vectors as they are.</summary>
    public bool IsVariant => Id is DuckType.Variant || Children.Any(child => child.IsVariant);

    /// <summary>What a map is a list of.</summary>
    internal static ColumnType MapEntry(ColumnType map) => new(DuckType.Struct, Oid.Text) { Names = ["key", "value"], Children = map.Children };

    /// <summary>Reads a type that DuckDB made for us, and gives it back.</summary>
    internal static ColumnType Take(nint type)
    {
        if (type == 0)
            return new ColumnType(DuckType.Invalid, Oid.Text);
        try
        {
            return Read(type);
        }
        finally
        {
            NativeMethods.LogicalType.DuckDBDestroyLogicalType(ref type);
        }
    }

    private static ColumnType Read(nint type)
    {
        var id = (DuckType)TypeId(type);
        switch (id)
        {
            case DuckType.Varchar:
                var json = OwnedText(TypeAlias(type)) == "JSON";
                return new ColumnType(id, json ? Oid.Json : Oid.Text) { IsJson = json };
            case DuckType.Decimal:
                var (width, scale) = (DecimalWidth(type), DecimalScale(type));
                return new ColumnType(id, Oid.Numeric)
                {
                    Scale = scale,
                    Internal = (DuckType)DecimalInternalType(type),
                    TypeModifier = (width << 16) + scale + 4,
                };
            case DuckType.UBigInt:
                return new ColumnType(id, Oid.Numeric) { TypeModifier = (20 << 16) + 4 };
            case DuckType.Enum:
                var values = new byte[EnumDictionarySize(type)][];
                for (var i = 0; i < values.Length; i++)
                    values[i] = System.Text.Encoding.UTF8.GetBytes(OwnedText(EnumDictionaryValue(type, (ulong)i)));
                return new ColumnType(id, Oid.Text) { Internal = (DuckType)EnumInternalType(type), Values = values };
            case DuckType.List:
                return ListOf(id, Take(ListChildType(type)), 0);
            case DuckType.Array:
                return ListOf(id, Take(ArrayChildType(type)), (int)ArraySize(type));
            case DuckType.Map:
                return new ColumnType(id, Oid.Text) { Children = [Take(MapKeyType(type)), Take(MapValueType(type))] };
            case DuckType.Struct:
                return Composite(id, type, (int)StructChildCount(type), StructChildName, StructChildType);
            case DuckType.Union:
                return Composite(id, type, (int)UnionMemberCount(type), UnionMemberName, UnionMemberType);
            default:
                return new ColumnType(id, ScalarOid(id));
        }
    }

    private static ColumnType ListOf(DuckType id, ColumnType child, int length) => new(id, ArrayOid(child)) { Children = [child], Length = length };

    // PostgreSQL's array types know no dimensions: a list of lists has the array type of its innermost elements.
    private static int ArrayOid(ColumnType child) => child.IsList ? child.OidNumber : Oid.ArrayOf(child.OidNumber);

    private static ColumnType Composite(
        DuckType id, nint type, int count, Func<nint, ulong, nint> nameOf, Func<nint, ulong, nint> typeOf)
    {
        var names = new string[count];
        var children = new ColumnType[count];
        for (var i = 0; i < count; i++)
        {
            names[i] = OwnedText(nameOf(type, (ulong)i));
            children[i] = Take(typeOf(type, (ulong)i));
        }
        return new ColumnType(id, Oid.Text) { Names = names, Children = children };
    }

    private static int ScalarOid(DuckType id) => id switch
    {
        DuckType.Boolean => Oid.Bool,
        DuckType.TinyInt or DuckType.SmallInt or DuckType.UTinyInt => Oid.Int2,
        DuckType.Integer or DuckType.USmallInt => Oid.Int4,
        DuckType.BigInt or DuckType.UInteger => Oid.Int8,
        DuckType.HugeInt or DuckType.UHugeInt or DuckType.BigNum => Oid.Numeric,
        DuckType.Float => Oid.Float4,
        DuckType.Double => Oid.Float8,
        DuckType.Blob => Oid.Bytea,
        DuckType.Date => Oid.Date,
        DuckType.Time or DuckType.TimeNs => Oid.Time,
        DuckType.TimeTz => Oid.TimeTz,
        DuckType.Timestamp or DuckType.TimestampS or DuckType.TimestampMs or DuckType.TimestampNs => Oid.Timestamp,
        DuckType.TimestampTz => Oid.TimestampTz,
        DuckType.Interval => Oid.Interval,
        DuckType.Uuid => Oid.Uuid,
        DuckType.Bit => Oid.Bit,
        _ => Oid.Text,
    };
}
