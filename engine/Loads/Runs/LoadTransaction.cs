using System.Globalization;
using MdFunctions.Engine.MotherDuck;
using Npgsql;

namespace MdFunctions.Engine.Loads;

/// <summary>
/// What a load does to its target, inside a transaction: stage the rows, look at them, publish them. They are staged in a table of their own beside the
/// target, which nobody else ever sees; where nothing has to be looked at, an append goes straight into the target.
/// </summary>
internal sealed class LoadTransaction(NpgsqlConnection connection, LoadRequest request, Action<string> report, CancellationToken cancellationToken)
{
    private readonly LoadTemplate _load = request.Load;
    private readonly TableName _stage = request.Load.Target with { Table = $"__md_functions_{Guid.NewGuid():N}" };

    /// <summary>Does it all but the commit.</summary>
    /// <returns>How many rows were loaded.</returns>
    /// <exception cref="LoadException">The rows are not what the load's owner allows.</exception>
    public async Task<long> RunAsync()
    {
        report("staging");
        var select = request.Select();
        var target = await ColumnsAsync(_load.Target);
        if (_load is { Mode: LoadMode.Append, Checks: [] } && target.Count > 0)
        {
            await FitAsync(await DescribeAsync(select), target);
            report("publishing");
            return await CountAsync($"INSERT INTO {_load.Target} BY NAME SELECT * FROM (\n{select}\n)");
        }

        var rows = await CountAsync($"CREATE TABLE {_stage} AS\n{select}");
        var staged = await ColumnsAsync(_stage);
        if (target.Count > 0)
            await FitAsync(staged, target);
        if (_load.Checks.Count > 0 || _load.Mode == LoadMode.Merge)
            report("checking");
        await CheckAsync();
        report("publishing");
        if (_load.Mode == LoadMode.Replace || target.Count == 0)
        {
            await connection.ScalarAsync($"DROP TABLE IF EXISTS {_load.Target}", cancellationToken);
            await connection.ScalarAsync($"ALTER TABLE {_stage} RENAME TO {Sql.Identifier(_load.Target.Table)}", cancellationToken);
            return rows;
        }
        await connection.ScalarAsync(
            _load.Mode == LoadMode.Merge ? Merge(staged) : $"INSERT INTO {_load.Target} BY NAME SELECT * FROM {_stage}", cancellationToken);
        await connection.ScalarAsync($"DROP TABLE {_stage}", cancellationToken);
        return rows;
    }

    private string Merge(IReadOnlyList<Column> staged)
    {
        var keys = string.Join(" AND ", _load.Keys.Select(key => $"target.{Sql.Identifier(key)} = source.{Sql.Identifier(key)}"));
        var values = staged.Where(column => !_load.Keys.Contains(column.Name, StringComparer.OrdinalIgnoreCase)).Select(column => Sql.Identifier(column.Name)).ToList();
        var update = values.Count == 0 ? "DO NOTHING" : $"UPDATE SET {string.Join(", ", values.Select(name => $"{name} = source.{name}"))}";
        return $"""
            MERGE INTO {_load.Target} AS target USING {_stage} AS source ON ({keys})
            WHEN MATCHED THEN {update}
            WHEN NOT MATCHED THEN INSERT BY NAME
            """;
    }

    private async Task CheckAsync()
    {
        if (_load.Mode == LoadMode.Merge)
        {
            var keys = _load.Keys.Select(Sql.Identifier).ToList();
            // A NULL equals nothing, so its row would be added again by every run; and of two rows with one key, MERGE takes either, or both.
            var bad = await connection.RowsAsync(
                $"SELECT count(*) FILTER ({string.Join(" OR ", keys.Select(key => $"{key} IS NULL"))}), count(*) - count(DISTINCT ({string.Join(", ", keys)})) FROM {_stage}",
                [], cancellationToken);
            if (bad[0][0] != "0")
                throw LoadException.Unfit($"{bad[0][0]} rows have a NULL in a column of 'keys'");
            if (bad[0][1] != "0")
                throw LoadException.Unfit($"{bad[0][1]} rows have the same 'keys' as another row");
        }
        for (var i = 0; i < _load.Checks.Count; i++)
        {
            // A check may itself begin with WITH, so it stands in parentheses; a boolean's text differs between endpoints, a number's does not.
            var holds = await connection.ScalarAsync(
                $"WITH staged AS (SELECT * FROM {_stage}) SELECT CASE WHEN (\n{request.Check(_load.Checks[i])}\n) THEN 1 ELSE 0 END", cancellationToken);
            if (holds != "1")
                throw LoadException.Unfit($"check {i + 1} of {_load.Checks.Count} did not return true");
        }
    }

    // INSERT casts a DOUBLE to an INTEGER column without a word, and a replace would change types under the readers.
    private async Task FitAsync(IReadOnlyList<Column> staged, IReadOnlyList<Column> target)
    {
        var faults = new List<string>();
        var differing = new List<(Column Staged, Column Target)>();
        foreach (var column in staged)
        {
            var known = target.FirstOrDefault(other => other.Name.Equals(column.Name, StringComparison.OrdinalIgnoreCase));
            if (known is null && !_load.AddColumns)
                faults.Add($"column '{column.Name}' is not in the target ('onSchemaChange: addColumns' would add it)");
            else if (known is null && _load.Mode != LoadMode.Replace)
                await connection.ScalarAsync($"ALTER TABLE {_load.Target} ADD COLUMN {Sql.Identifier(column.Name)} {column.Type}", cancellationToken);
            else if (known is not null && known.Type != column.Type)
                differing.Add((column, known));
        }
        if (_load.Mode == LoadMode.Replace)
        {
            faults.AddRange(target.Where(column => !staged.Any(other => other.Name.Equals(column.Name, StringComparison.OrdinalIgnoreCase)))
                .Select(column => $"column '{column.Name}' of the target is missing"));
        }
        else if (differing.Count > 0)
        {
            var casts = differing.Select(pair => $"CASE WHEN can_cast_implicitly(CAST(NULL AS {pair.Staged.Type}), CAST(NULL AS {pair.Target.Type})) THEN 1 ELSE 0 END");
            var fits = (await connection.RowsAsync($"SELECT {string.Join(", ", casts)}", [], cancellationToken))[0];
            differing = [.. differing.Where((_, i) => fits[i] != "1")];
        }
        faults.AddRange(differing.Select(pair => $"column '{pair.Staged.Name}' is {pair.Staged.Type} where the target has {pair.Target.Type} ('createAs' casts it)"));
        if (faults.Count > 0)
            throw LoadException.Unfit(string.Join("; ", faults));
    }

    private async Task<IReadOnlyList<Column>> ColumnsAsync(TableName table) =>
    [
        .. (await connection.RowsAsync("""
            SELECT column_name, data_type FROM duckdb_columns() WHERE lower(database_name) = lower(CAST($1 AS VARCHAR))
              AND lower(schema_name) = lower(CAST($2 AS VARCHAR)) AND lower(table_name) = lower(CAST($3 AS VARCHAR)) ORDER BY column_index
            """, [table.Database, table.Schema, table.Table], cancellationToken)).Select(row => new Column(row[0]!, row[1]!)),
    ];

    private async Task<IReadOnlyList<Column>> DescribeAsync(string select) =>
        [.. (await connection.RowsAsync($"DESCRIBE {select}", [], cancellationToken)).Select(row => new Column(row[0]!, row[1]!))];

    private async Task<long> CountAsync(string sql) => long.Parse((await connection.ScalarAsync(sql, cancellationToken))!, CultureInfo.InvariantCulture);

    private sealed record Column(string Name, string Type);
}
