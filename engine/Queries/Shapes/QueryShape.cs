using MdFunctions.Engine.Exact;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Templates;
using Npgsql;

namespace MdFunctions.Engine.Queries;

/// <summary>How a column's text, as it comes off the wire, is written into an answer.</summary>
internal enum ColumnKind
{
    /// <summary>A JSON string.</summary>
    Text,

    /// <summary>A JSON number, all of its digits as they are; NaN and the infinities are JSON strings.</summary>
    Number,

    /// <summary><c>true</c> or <c>false</c>.</summary>
    Boolean,

    /// <summary>A JSON string in ISO 8601, with a <c>T</c> and, where the type has one, an offset. Dates too.</summary>
    Timestamp,

    /// <summary>JSON, as it is.</summary>
    Json,
}

/// <summary>A column of a query's result.</summary>
/// <param name="Name">Its name, unique in the result.</param>
/// <param name="Type">Its DuckDB type.</param>
/// <param name="Kind">How it is written.</param>
internal sealed record Column(string Name, string Type, ColumnKind Kind);

/// <summary>
/// What a query answers: its columns, and the statement that brings each of them as text that means the same whichever way the endpoint writes it.
/// </summary>
internal sealed class QueryShape
{
    // What the statement fails with when its columns have other types than the shape says.
    private const string OtherTypes = "mdfunctions: the columns have changed";

    private readonly QueryTemplate _query;
    private readonly string _head;
    private readonly string _tail;
    private (string Name, uint Type)[]? _wire;

    private QueryShape(QueryTemplate query, IReadOnlyList<Column> columns, string head, string tail) =>
        (_query, Columns, _head, _tail, Statement) = (query, columns, head, tail, $"{head}{query.Template.WithPlaceholders()}{tail}");

    /// <summary>The columns, in order.</summary>
    public IReadOnlyList<Column> Columns { get; }

    /// <summary>The statement, its parameters as <c>$1</c>, <c>$2</c>...</summary>
    public string Statement { get; }

    /// <summary>
    /// Asks MotherDuck for the columns of a query's statement. Its <c>DESCRIBE</c> tells DuckDB's own types, where the wire has only PostgreSQL's.
    /// </summary>
    public static async Task<QueryShape> DescribeAsync(NpgsqlConnection connection, QueryTemplate query, CancellationToken cancellationToken)
    {
        var described = await connection.RowsAsync($"DESCRIBE SELECT * FROM (\n{query.Template.WithUnknownValues()}\n)", [], cancellationToken);
        return Of(query, [.. described.Select(row => (row[0]!, row[1]!))]);
    }

    /// <summary>The shape of a query whose columns are known.</summary>
    /// <param name="query">The query.</param>
    /// <param name="columns">The names and types that DuckDB gives them.</param>
    /// <param name="checksTypes">Whether the statement checks the types of its columns; a server that is no DuckDB, as benchmarks use one, cannot.</param>
    public static QueryShape Of(QueryTemplate query, IReadOnlyList<(string Name, string Type)> columns, bool checksTypes = true)
    {
        var known = columns.Select(column => (column.Name, column.Type, Text: ColumnText.Of(DuckType.Parse(column.Type), Sql.Identifier(column.Name)))).ToList();
        var rewritten = known.Where(column => column.Text.Expression is not null)
            .Select(column => $"{column.Text.Expression} AS {Sql.Identifier(column.Name)}").ToList();
        // The wire tells a number from a date. What it calls text may be a struct, a map or a union as well, and what is rewritten here is text whatever it was.
        // So the statement checks these types itself, as tables may have changed: DuckDB knows both sides when it plans, and takes the condition away again.
        var checks = checksTypes && query.Template.ReadsTables
            ? known.Where(column => column.Text.Expression is not null || column.Text.Kind is ColumnKind.Text or ColumnKind.Json).Select(column => IsOfType(column.Name, column.Type)).ToList()
            : [];
        // Wrapped only where something has to be rewritten or checked: else DuckDB gets what the author wrote.
        if (rewritten.Count == 0 && checks.Count == 0)
            return new(query, Columns(), "", "");
        // A star shows a column that was added to a table since.
        var head = rewritten.Count == 0 ? "SELECT * FROM (\n" : $"SELECT * REPLACE ({string.Join(", ", rewritten)}) FROM (\n";
        var tail = checks.Count == 0 ? "\n) AS answer" : $"\n) AS answer WHERE {string.Join(" AND ", checks)} OR error({Sql.Literal(OtherTypes)})";
        return new(query, Columns(), head, tail);

        Column[] Columns() => [.. known.Select(column => new Column(column.Name, column.Type, column.Text.Kind))];

        // DuckDB calls a type that it leaves open INTEGER in DESCRIBE and "NULL" here.
        static string IsOfType(string name, string type) => type.Contains("INTEGER", StringComparison.Ordinal)
            ? $"replace(typeof({Sql.Identifier(name)}), '\"NULL\"', 'INTEGER') = {Sql.Literal(type.Replace("\"NULL\"", "INTEGER", StringComparison.Ordinal))}"
            : $"typeof({Sql.Identifier(name)}) = {Sql.Literal(type)}";
    }

    /// <summary>The statement for a row limit, and for values in one of their forms.</summary>
    public string StatementFor(int maxRows, ValueForm form, ParameterValue?[] values)
    {
        var statement = form switch
        {
            ValueForm.HiddenNulls when values.Contains(null) => $"{_head}{_query.Template.WithPlaceholders(i => values[i] is null)}{_tail}",
            ValueForm.Hidden => $"{_head}{_query.Template.WithPlaceholders(_ => true)}{_tail}",
            _ => Statement,
        };
        // One row more than is answered shows whether there was more; and DuckDB can stop there. The limit is the caller's: models have another one.
        return maxRows == 0 ? statement : $"{(_tail.Length > 0 ? statement : $"SELECT * FROM (\n{statement}\n) AS answer")} LIMIT {maxRows + 1L}";
    }

    /// <summary>Whether a failure says that the statement's columns have other types than this shape.</summary>
    public static bool IsMismatch(PostgresException exception) =>
        MotherDuckError.OneLine(exception.MessageText).EndsWith($"Error: {OtherTypes}", StringComparison.Ordinal);

    /// <summary>Whether a result still has the columns that the first result of this shape had: tables change while the app runs.</summary>
    public bool Fits(NpgsqlDataReader reader)
    {
        var wire = Enumerable.Range(0, reader.FieldCount).Select(i => (reader.GetName(i), reader.GetDataTypeOID(i)));
        return reader.FieldCount == Columns.Count && (_wire ??= [.. wire]).SequenceEqual(wire);
    }

    /// <summary>Whether another shape has the same columns and statement.</summary>
    public bool Equivalent(QueryShape other) => Statement == other.Statement && Columns.SequenceEqual(other.Columns);
}
