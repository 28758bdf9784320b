namespace MdFunctions.Endpoint.Values;

/// <summary>PostgreSQL's numbers for types.</summary>
internal static class Oid
{
    public const int Bool = 16;
    public const int Bytea = 17;
    public const int Int8 = 20;
    public const int Int2 = 21;
    public const int Int4 = 23;
    public const int Text = 25;
    public const int OidType = 26;
    public const int Json = 114;
    public const int Float4 = 700;
    public const int Float8 = 701;
    public const int Unknown = 705;
    public const int Bpchar = 1042;
    public const int Varchar = 1043;
    public const int Date = 1082;
    public const int Time = 1083;
    public const int Timestamp = 1114;
    public const int TimestampTz = 1184;
    public const int Interval = 1186;
    public const int TimeTz = 1266;
    public const int Bit = 1560;
    public const int Varbit = 1562;
    public const int Numeric = 1700;
    public const int Uuid = 2950;
    public const int Jsonb = 3802;
    public const int TextArray = 1009;
    public const int VarcharArray = 1015;

    /// <summary>What the live endpoint was seen to call a list of lists.</summary>
    public const int ObservedListOfLists = 17000;

    /// <summary>The array type of these elements; a list of something without one is a list of text.</summary>
    public static int ArrayOf(int element) => element switch
    {
        Bool => 1000,
        Bytea => 1001,
        Int8 => 1016,
        Int2 => 1005,
        Int4 => 1007,
        Json => 199,
        Float4 => 1021,
        Float8 => 1022,
        Date => 1182,
        Time => 1183,
        Timestamp => 1115,
        TimestampTz => 1185,
        Interval => 1187,
        TimeTz => 1270,
        Bit => 1561,
        Numeric => 1231,
        Uuid => 2951,
        _ => TextArray,
    };

    /// <summary>The element type of an array type, or 0 where it is none.</summary>
    public static int ElementOf(int array) => array switch
    {
        1000 => Bool,
        1001 => Bytea,
        1016 => Int8,
        1005 => Int2,
        1007 => Int4,
        TextArray or VarcharArray => Text,
        199 => Json,
        1021 => Float4,
        1022 => Float8,
        1182 => Date,
        1183 => Time,
        1115 => Timestamp,
        1185 => TimestampTz,
        1187 => Interval,
        1270 => TimeTz,
        1561 => Bit,
        1231 => Numeric,
        2951 => Uuid,
        _ => 0,
    };

    /// <summary>The size of a type's values as PostgreSQL tells it: -1 where they differ.</summary>
    public static short SizeOf(int oid) => oid switch
    {
        Bool => 1,
        Int8 or Float8 or Time or Timestamp or TimestampTz => 8,
        Int2 => 2,
        Int4 or Float4 or Date => 4,
        Interval or Uuid => 16,
        TimeTz => 12,
        _ => -1,
    };
}
