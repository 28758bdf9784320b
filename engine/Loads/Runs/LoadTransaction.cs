using MdFunctions.Engine.Exact;
using MdFunctions.Engine.MotherDuck;
using Npgsql;

namespace MdFunctions.Engine.Loads;

/// <summary>
/// What a load does to its target, inside a transaction: stage the rows, look at them, publish them. They are staged in a table of their own beside the
/// target, which nobody else ever sees; where nothing has to be looked at, they go straight into the target.
/// </summary>
internal sealed class LoadTransaction(NpgsqlConnection connection, LoadRequest request, Action<string> report, CancellationToken cancellationToken)
{
    private readonly LoadTemplate _load = request.Load;
    private readonly TableName _stage = request.Load.Target with { Table = $"__md_functions_{Guid.NewGuid():N}" };

    /// <summary>Does it all but the commit.</summary>
    /// <returns>How many rows were loaded.</returns>
    /// <exception cref="LoadException">The rows are not what the load's owner allows, or what the target can hold.</exception>
    public async Task<long> RunAsync()
    {
        try
        {
            return await LoadAsync();
        }
        catch (PostgresException e) when (ExactCast.Explain(e.MessageText) is { } why)
        {
            throw LoadException.Unfit(MotherDuckError.OneLine(why));
        }
        catch (PostgresException e) when (e.MessageText.StartsWith("Constraint Error:", StringComparison.Ordinal))
        {
            throw LoadException.Unfit(MotherDuckError.OneLine(e.MessageText));
        }
    }

    private async Task<long> LoadAsync()
    {
        report("staging");
        var target = await _load.Target.ColumnsAsync(connection, cancellationToken);
        var (select, columns) = await new LoadSource(connection, request, cancellationToken).ReadAsync(target);
        var faults = Faults(columns, target);
        if (faults.Count > 0)
        {
            // What has no rows has no columns that could be wrong, as far as an append or a merge goes.
            if (_load.Mode != LoadMode.Replace && await CountAsync($"SELECT count(*) FROM (SELECT 1 FROM (\n{select}\n) LIMIT 1)") == 0)
                return 0;
            throw LoadException.Unfit(string.Join("; ", faults));
        }
        if (target.Count > 0 && _load.Checks.Count == 0 && _load.Mode != LoadMode.Merge)
            return await PublishAsync(select, columns, target);

        var rows = await connection.CountAsync($"CREATE TABLE {_stage} AS\n{select}", [], cancellationToken) ?? await CountAsync($"SELECT count(*) FROM {_stage}");
        if (_load.Checks.Count > 0 || _load.Mode == LoadMode.Merge)
            report("checking");
        await CheckAsync();
        if (target.Count == 0 && rows > 0)
        {
            report("publishing");
            await connection.ScalarAsync($"ALTER TABLE {_stage} RENAME TO {Sql.Identifier(_load.Target.Table)}", cancellationToken);
            return rows;
        }
        // Nothing tells the types of columns without a value: a table is made by the first rows.
        if (target.Count > 0)
            await PublishAsync($"SELECT * FROM {_stage}", columns, target);
        await connection.ScalarAsync($"DROP TABLE {_stage}", cancellationToken);
        return rows;
    }

    private async Task<long> PublishAsync(string select, IReadOnlyList<Column> columns, IReadOnlyList<Column> target)
    {
        report("publishing");
        foreach (var column in columns.Where(column => !target.Any(known => known.Is(column.Name))))
            await connection.ScalarAsync($"ALTER TABLE {_load.Target} ADD COLUMN {Sql.Identifier(column.Name)} {column.Type}", cancellationToken);
        if (_load.Mode == LoadMode.Merge)
            return await CountAsync(Merge(columns));
        // The table stays, with its keys, defaults and comments; who reads it sees the old rows until the commit.
        if (_load.Mode == LoadMode.Replace)
            await connection.ScalarAsync($"DELETE FROM {_load.Target}", cancellationToken);
        return await CountAsync($"INSERT INTO {_load.Target} BY NAME SELECT * FROM (\n{select}\n)");
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

    private List<string> Faults(IReadOnlyList<Column> columns, IReadOnlyList<Column> target)
    {
        if (target.Count == 0)
            return [];
        var faults = new List<string>();
        if (!_load.AddColumns)
            faults.AddRange(columns.Where(column => !target.Any(known => known.Is(column.Name))).Select(column => $"column '{column.Name}' is not in the target ('onSchemaChange: addColumns' would add it)"));
        if (_load.Mode == LoadMode.Replace)
            faults.AddRange(target.Where(known => !known.HasDefault && !columns.Any(column => column.Is(known.Name))).Select(known => $"column '{known.Name}' of the target is missing"));
        return faults;
    }

    private async Task<long> CountAsync(string sql) =>
        await connection.CountAsync(sql, [], cancellationToken) ?? throw new InvalidOperationException("MotherDuck did not say how many rows it wrote.");
}
