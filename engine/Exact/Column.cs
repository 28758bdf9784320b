using MdFunctions.Engine.MotherDuck;
using Npgsql;

namespace MdFunctions.Engine.Exact;

/// <summary>A column of a table or a result.</summary>
internal sealed record Column(string Name, string Type)
{
    /// <summary>Whether rows that do not name it get a value all the same.</summary>
    public bool HasDefault { get; init; }

    /// <summary>Whether it has a name; upper and lower case are the same, as for DuckDB.</summary>
    public bool Is(string name) => Name.Equals(name, StringComparison.OrdinalIgnoreCase);

    /// <summary>The columns of a SELECT.</summary>
    public static async Task<IReadOnlyList<Column>> DescribeAsync(NpgsqlConnection connection, string select, CancellationToken cancellationToken) =>
        [.. (await connection.RowsAsync($"DESCRIBE {select}", [], cancellationToken)).Select(row => new Column(row[0]!, row[1]!))];

    /// <summary>The columns of a table, in their order; none if it is not there.</summary>
    public static async Task<IReadOnlyList<Column>> OfTableAsync(NpgsqlConnection connection, string database, string schema, string table, CancellationToken cancellationToken) =>
    [
        .. (await connection.RowsAsync("""
            SELECT column_name, data_type, CASE WHEN column_default IS NULL THEN 0 ELSE 1 END FROM duckdb_columns() WHERE lower(database_name) = lower(CAST($1 AS VARCHAR))
              AND lower(schema_name) = lower(CAST($2 AS VARCHAR)) AND lower(table_name) = lower(CAST($3 AS VARCHAR)) ORDER BY column_index
            """, [database, schema, table], cancellationToken)).Select(row => new Column(row[0]!, row[1]!) { HasDefault = row[2] == "1" }),
    ];
}
