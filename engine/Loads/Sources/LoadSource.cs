using MdFunctions.Engine.Exact;
using MdFunctions.Engine.MotherDuck;
using Npgsql;

namespace MdFunctions.Engine.Loads;

/// <summary>
/// What a load reads, made ready for its target: a SELECT whose columns have the types that they are stored with, and which fails at a value that they
/// cannot hold. A type that is known before a file is read, from <c>createAs</c> or from the target, is not left to the reader to guess: the
/// column is read as the text that it is, and cast here.
/// </summary>
internal sealed class LoadSource(NpgsqlConnection connection, LoadRequest request, CancellationToken cancellationToken)
{
    private readonly LoadTemplate _load = request.Load;
    // The result's columns that come from a file's column which is read as text, or as JSON, to tell a number from a text.
    private readonly HashSet<string> _untyped = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The SELECT and its columns.</summary>
    /// <param name="target">The target's columns; empty where there is none yet.</param>
    /// <exception cref="LoadException">A column's type never fits, or <c>createAs</c> names a column that is not there.</exception>
    public async Task<(string Select, IReadOnlyList<Column> Columns)> ReadAsync(IReadOnlyList<Column> target)
    {
        var select = request.Select();
        var statement = new SourceStatement(select);
        var guessed = await DescribeAsync(select);
        var created = await CreatedAsync(guessed);
        var wanted = guessed.ToDictionary(
            column => column.Name,
            column => created.GetValueOrDefault(column.Name) ?? DuckType.Parse(target.FirstOrDefault(known => known.Is(column.Name))?.Type ?? column.Type),
            StringComparer.OrdinalIgnoreCase);
        var columns = guessed;
        if (guessed.Any(column => created.ContainsKey(column.Name) || wanted[column.Name].Text != column.Type) && await TypeReadersAsync(statement, guessed, wanted, created) is { } typed)
        {
            select = typed;
            columns = await DescribeAsync(select);
            // What a reader's new types change beside the columns that are named, such as a product of one of them, is right as it is.
            foreach (var column in columns.Where(column => !created.ContainsKey(column.Name) && !_untyped.Contains(column.Name) && !target.Any(known => known.Is(column.Name))))
                wanted[column.Name] = DuckType.Parse(column.Type);
        }
        select = Cast(select, columns, wanted, statement.Readers.Count > 0);
        columns = [.. columns.Select(column => column with { Type = wanted[column.Name].Text })];
        if (created.Count == 0 || target.Count == 0)
            return (select, columns);
        // The types of createAs come first, then those of the target.
        foreach (var known in target.Where(known => wanted.ContainsKey(known.Name)))
            wanted[known.Name] = DuckType.Parse(known.Type);
        _untyped.Clear();
        return (Cast(select, columns, wanted, guesses: false), [.. columns.Select(column => column with { Type = wanted[column.Name].Text })]);
    }

    /// <summary>The types of <c>createAs</c> as DuckDB writes them.</summary>
    private async Task<Dictionary<string, DuckType>> CreatedAsync(IReadOnlyList<Column> columns)
    {
        var types = new Dictionary<string, DuckType>(StringComparer.OrdinalIgnoreCase);
        if (_load.CreateAs.Count == 0)
            return types;
        var missing = _load.CreateAs.Keys.Where(name => !columns.Any(column => column.Is(name))).Select(name => $"'createAs' names '{name}', which the statement does not return").ToList();
        if (missing.Count > 0)
            throw LoadException.Unfit(string.Join("; ", missing));
        var casts = _load.CreateAs.Select(column => $"CAST(NULL AS {column.Value}) AS {Sql.Identifier(column.Key)}");
        foreach (var column in await DescribeAsync($"SELECT {string.Join(", ", casts)}"))
            types[column.Name] = DuckType.Parse(column.Type);
        return types;
    }

    // The statement with its readers told the types of what passes through to a column whose type is known. Null if there is nothing to tell.
    private async Task<string?> TypeReadersAsync(
        SourceStatement statement, IReadOnlyList<Column> guessed, Dictionary<string, DuckType> wanted, Dictionary<string, DuckType> created)
    {
        var calls = new Dictionary<FileReader, string>();
        foreach (var reader in statement.Readers.Where(reader => !reader.IsTyped))
        {
            var columns = await DescribeAsync($"SELECT * FROM {reader.Text}");
            var folders = await FoldersAsync(reader, columns);
            var types = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            var computed = new Dictionary<string, DuckType>(StringComparer.OrdinalIgnoreCase);
            foreach (var column in columns.Where(column => !column.Is("filename") && !reader.Names(column.Name)))
            {
                var isText = reader.IsCsv || folders.Contains(column.Name);
                var outputs = statement.Outputs(column.Name).Where(wanted.ContainsKey).ToList();
                var output = outputs.Find(created.ContainsKey) ?? outputs.Find(name => wanted[name].Text != guessed.First(other => other.Is(name)).Type);
                if (output is null || wanted[output] is { IsNested: true } && !isText || reader.HasFolderTypes && folders.Contains(column.Name))
                    continue;
                var type = wanted[output];
                if (reader.Formats(type) && !folders.Contains(column.Name))
                    types[column.Name] = Wide(type).Text;
                else if (statement.PassesThrough(column.Name))
                {
                    types[column.Name] = isText ? "VARCHAR" : "JSON";
                    _untyped.UnionWith(outputs);
                }
                else if (created.ContainsKey(output))
                    types[column.Name] = (computed[column.Name] = type).Text;
            }
            if (types.Count > 0)
                calls[reader] = reader.With(columns, types, folders);
            if (computed.Count > 0)
                await VerifyAsync(reader, columns, computed, folders);
        }
        return calls.Count == 0 ? null : statement.Write(reader => calls.GetValueOrDefault(reader) ?? reader.Text);
    }

    // The columns that come from folders of the path, year=2024. What a glob or an expression finds only DuckDB knows.
    private async Task<IReadOnlySet<string>> FoldersAsync(FileReader reader, IReadOnlyList<Column> columns)
    {
        IReadOnlyList<Column> inFile = reader.MayFindFolders ? await DescribeAsync($"SELECT * FROM {reader.WithoutFolders}") : columns;
        return columns.Where(column => reader.NamesFolder(column.Name) || !inFile.Any(other => other.Is(column.Name))).Select(column => column.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
    }

    // The statement computes with these columns, so its reader has to make them values, and would round them. A first look at the file shows whether it does.
    private Task VerifyAsync(FileReader reader, IReadOnlyList<Column> columns, Dictionary<string, DuckType> types, IReadOnlySet<string> folders)
    {
        bool IsText(string column) => reader.IsCsv || folders.Contains(column);
        var casts = types.Select(type => IsText(type.Key)
            ? ExactCast.Write(Sql.Identifier(type.Key), type.Key, DuckType.Varchar, type.Value)
            : ExactCast.FromJson(Sql.Identifier(type.Key), type.Key, type.Value)).Where(cast => cast is not null).ToList();
        var read = reader.With(columns, types.Keys.ToDictionary(column => column, column => IsText(column) ? "VARCHAR" : "JSON", StringComparer.OrdinalIgnoreCase), folders);
        return casts.Count == 0 ? Task.CompletedTask : connection.ScalarAsync($"SELECT {string.Join(" + ", casts.Select(cast => $"count({cast})"))} FROM {read}", cancellationToken);
    }

    // With a decimal separator only the reader can read a number; it shall not round it, so it gets more digits than are stored.
    private static DuckType Wide(DuckType type)
    {
        const int more = 9;
        return type.Digits is (var whole, var fraction) && whole + fraction + more <= 38 ? DuckType.Parse($"DECIMAL({whole + fraction + more},{fraction + more})") : type;
    }

    private string Cast(string select, IReadOnlyList<Column> columns, Dictionary<string, DuckType> wanted, bool guesses)
    {
        var casts = new List<string>();
        var faults = new List<string>();
        foreach (var column in columns)
        {
            var (name, from, to) = (Sql.Identifier(column.Name), DuckType.Parse(column.Type), wanted[column.Name]);
            var fromJson = from.Name == "JSON" && _untyped.Contains(column.Name);
            if (from.Text == to.Text && !fromJson)
                continue;
            // What a reader took for a number may have been 007 or 1E5 in the file.
            var isGuess = guesses && to.Name == "VARCHAR" && from.Name is not ("VARCHAR" or "JSON" or "ENUM");
            var cast = isGuess ? null : fromJson ? ExactCast.FromJson(name, column.Name, to) : ExactCast.Write(name, column.Name, from, to);
            if (cast is null)
                faults.Add($"column '{column.Name}' is {from.Text} where {(_load.CreateAs.ContainsKey(column.Name) ? "'createAs'" : "the target")} has {to.Text}"
                    + (isGuess ? ", and the file's reader may have guessed wrongly ('createAs' gives a column its type before it is read)" : " (cast it in the statement, as it shall be stored)"));
            else
                casts.Add($"{cast} AS {name}");
        }
        if (faults.Count > 0)
            throw LoadException.Unfit(string.Join("; ", faults));
        return casts.Count == 0 ? select : $"SELECT * REPLACE (\n{string.Join(",\n", casts)}) FROM (\n{select}\n)";
    }

    private Task<IReadOnlyList<Column>> DescribeAsync(string select) => Column.DescribeAsync(connection, select, cancellationToken);
}
