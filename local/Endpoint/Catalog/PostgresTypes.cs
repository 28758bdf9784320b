using System.Globalization;

namespace MdFunctions.Endpoint.Catalog;

/// <summary>PostgreSQL's types as its catalog lists them: those that the endpoint sends, and those that drivers look for.</summary>
internal static class PostgresTypes
{
    /// <summary>A type.</summary>
    /// <param name="Oid">Its number.</param>
    /// <param name="Name">Its short name, as in pg_type.</param>
    /// <param name="Title">Its name in SQL, as format_type gives it.</param>
    /// <param name="Length">Its size in bytes; -1 where it varies.</param>
    /// <param name="Category">PostgreSQL's letter for what kind of value it is.</param>
    /// <param name="ArrayOid">The type of arrays of it; 0 where there is none.</param>
    private sealed record PostgresType(int Oid, string Name, string Title, int Length, char Category, int ArrayOid);

    private static readonly PostgresType[] Base =
    [
        new(16, "bool", "boolean", 1, 'B', 1000),
        new(17, "bytea", "bytea", -1, 'U', 1001),
        new(18, "char", "\"char\"", 1, 'Z', 1002),
        new(19, "name", "name", 64, 'S', 1003),
        new(20, "int8", "bigint", 8, 'N', 1016),
        new(21, "int2", "smallint", 2, 'N', 1005),
        new(23, "int4", "integer", 4, 'N', 1007),
        new(25, "text", "text", -1, 'S', 1009),
        new(26, "oid", "oid", 4, 'N', 1028),
        new(114, "json", "json", -1, 'U', 199),
        new(700, "float4", "real", 4, 'N', 1021),
        new(701, "float8", "double precision", 8, 'N', 1022),
        new(705, "unknown", "unknown", -2, 'X', 0),
        new(1042, "bpchar", "character", -1, 'S', 1014),
        new(1043, "varchar", "character varying", -1, 'S', 1015),
        new(1082, "date", "date", 4, 'D', 1182),
        new(1083, "time", "time without time zone", 8, 'D', 1183),
        new(1114, "timestamp", "timestamp without time zone", 8, 'D', 1115),
        new(1184, "timestamptz", "timestamp with time zone", 8, 'D', 1185),
        new(1186, "interval", "interval", 16, 'T', 1187),
        new(1266, "timetz", "time with time zone", 12, 'D', 1270),
        new(1560, "bit", "bit", -1, 'V', 1561),
        new(1562, "varbit", "bit varying", -1, 'V', 1563),
        new(1700, "numeric", "numeric", -1, 'N', 1231),
        new(2249, "record", "record", -1, 'P', 2287),
        new(2278, "void", "void", 4, 'P', 0),
        new(2950, "uuid", "uuid", 16, 'U', 2951),
        new(3802, "jsonb", "jsonb", -1, 'U', 3807),
    ];

    /// <summary>The receive function of arrays: drivers tell arrays by it.</summary>
    public const int ArrayReceive = 2400;

    /// <summary>The rows of pg_type, as VALUES: oid, typname, typlen, typcategory, typelem, typarray, typreceive, typtype.</summary>
    public static string Rows { get; } = string.Join(", ", Base.SelectMany(RowsOf));

    /// <summary>A map of each type's number to its name in SQL.</summary>
    public static string Titles { get; } = $"MAP {{{string.Join(", ", Base.SelectMany(TitlesOf))}}}";

    private static IEnumerable<string> RowsOf(PostgresType type)
    {
        yield return Row(type.Oid, type.Name, type.Length, type.Category, 0, type.ArrayOid, type.Oid + 100_000, type.Category is 'P' or 'X' ? 'p' : 'b');
        if (type.ArrayOid != 0) yield return Row(type.ArrayOid, $"_{type.Name}", -1, 'A', type.Oid, 0, ArrayReceive, 'b');
    }

    private static string Row(int oid, string name, int length, char category, int element, int array, int receive, char kind) =>
        string.Create(CultureInfo.InvariantCulture, $"({oid}, '{name}', {length}, '{category}', {element}, {array}, {receive}, '{kind}')");

    private static IEnumerable<string> TitlesOf(PostgresType type)
    {
        yield return string.Create(CultureInfo.InvariantCulture, $"{type.Oid}: '{type.Title}'");
        if (type.ArrayOid != 0) yield return string.Create(CultureInfo.InvariantCulture, $"{type.ArrayOid}: '{type.Title}[]'");
    }

    /// <summary>The number of the type that the endpoint sends for a DuckDB type, as an expression over a column with its name.</summary>
    public static string OidOf(string column) =>
        $"""
        CASE WHEN {column} LIKE '%]' THEN CAST(MAP {ArrayOids}[{Scalar($"regexp_replace({column}, '(\\[\\d*\\])+$', '')")}] AS BIGINT) ELSE {Scalar(column)} END
        """;

    private static string ArrayOids { get; } = $"{{{string.Join(", ", Base.Where(type => type.ArrayOid != 0).Select(type => string.Create(CultureInfo.InvariantCulture, $"{type.Oid}: {type.ArrayOid}")))}}}";

    // What is not named here (ENUM, STRUCT, MAP, UNION) goes over the wire as text.
    private static string Scalar(string name) =>
        $$"""
        CASE WHEN {{name}} LIKE 'DECIMAL%' THEN 1700 ELSE coalesce(MAP {
          'BOOLEAN': 16, 'TINYINT': 21, 'SMALLINT': 21, 'INTEGER': 23, 'BIGINT': 20, 'UTINYINT': 21, 'USMALLINT': 23, 'UINTEGER': 20,
          'UBIGINT': 1700, 'HUGEINT': 1700, 'UHUGEINT': 1700, 'BIGNUM': 1700, 'FLOAT': 700, 'DOUBLE': 701, 'BLOB': 17, 'JSON': 114,
          'DATE': 1082, 'TIME': 1083, 'TIME_NS': 1083, 'TIME WITH TIME ZONE': 1266, 'TIMESTAMP': 1114, 'TIMESTAMP_S': 1114,
          'TIMESTAMP_MS': 1114, 'TIMESTAMP_NS': 1114, 'TIMESTAMP WITH TIME ZONE': 1184, 'INTERVAL': 1186, 'UUID': 2950, 'BIT': 1560
        }[{{name}}], 25) END
        """;
}
