using System.Collections.Concurrent;
using MdFunctions.Engine.Exact;
using MdFunctions.Engine.Http;
using MdFunctions.Engine.MotherDuck;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace MdFunctions.Engine.Ingest;

/// <summary>How the rows of each ingest go into its target as it is: a statement that stores a value exactly or fails. It is made once, and again when the target has changed.</summary>
internal sealed class IngestTargets(MotherDuckDataSources dataSources, ILogger<IngestTargets> logger)
{
    private const string Changed = "Changed: ";

    private readonly ConcurrentDictionary<string, string> _inserts = new(StringComparer.Ordinal);

    /// <summary>The statement that stores a body's rows; a column that the target lacks is added first, where the ingest says so.</summary>
    /// <param name="ingest">The ingest, whose target is there.</param>
    /// <param name="limit">How long it may take.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ProblemException">503: the target cannot take the statement's columns.</exception>
    public async Task<string> InsertAsync(IngestTemplate ingest, TimeSpan limit, CancellationToken cancellationToken)
    {
        if (_inserts.TryGetValue(ingest.Name, out var known))
            return known;
        string? insert = null;
        await dataSources.Write.RunAsync(limit < TableWriter.SetupLimit ? limit : TableWriter.SetupLimit,
            async (connection, stop) => insert = await WriteAsync(connection, ingest, stop), MotherDuckError.IsTransientFailure, cancellationToken);
        return _inserts[ingest.Name] = insert!;
    }

    /// <summary>Forgets a statement: the target has changed.</summary>
    public void Forget(IngestTemplate ingest) => _inserts.TryRemove(ingest.Name, out _);

    /// <summary>Whether a statement failed because the target, or what the statement reads, is not what it was.</summary>
    public static bool IsOutdated(PostgresException exception) =>
        exception.MessageText.Contains(Changed, StringComparison.Ordinal) || MotherDuckError.From(exception)?.Reason is "Binder Error" or "Catalog Error";

    /// <summary>What is wrong between an ingest's statement and its target: columns that the target lacks, types that never fit.</summary>
    public static IReadOnlyList<string> Faults(IngestTemplate ingest, IReadOnlyList<Column> source, IReadOnlyList<Column> target) =>
    [
        .. source.Where(column => !ingest.AddColumns && !target.Any(other => other.Is(column.Name)))
            .Select(column => $"column '{column.Name}' is not in the target ('onSchemaChange: addColumns' would add it)"),
        .. source.Select(column => (Source: column, Target: target.FirstOrDefault(other => other.Is(column.Name)))).Where(pair => pair.Target is not null && Cast(pair.Source, pair.Target) is null)
            .Select(pair => $"column '{pair.Source.Name}' is {pair.Source.Type} where the target has {pair.Target!.Type}"),
    ];

    private async Task<string> WriteAsync(NpgsqlConnection connection, IngestTemplate ingest, CancellationToken cancellationToken)
    {
        var source = await Column.DescribeAsync(connection, ingest.EmptySelect, cancellationToken);
        var target = await ingest.Target.ColumnsAsync(connection, cancellationToken);
        if (Faults(ingest, source, target) is { Count: > 0 } faults)
        {
            logger.LogError("Ingest {Ingest} stores nothing: {Faults}", ingest.Name, string.Join("; ", faults));
            throw new ProblemException(new Problem(503, "Target does not fit", $"Nothing can be stored until this ingest and its target agree: {string.Join("; ", faults)}."));
        }
        foreach (var column in source.Where(column => !target.Any(other => other.Is(column.Name))))
        {
            logger.LogInformation("Ingest {Ingest}: adding column {Column} {Type} to {Target}", ingest.Name, column.Name, column.Type, ingest.Target);
            await connection.ScalarAsync($"ALTER TABLE {ingest.Target} ADD COLUMN IF NOT EXISTS {Sql.Identifier(column.Name)} {column.Type}", cancellationToken);
        }
        return Insert(ingest, [.. source.Select(column => (column, target.FirstOrDefault(other => other.Is(column.Name)) ?? column))]);
    }

    // Another type than is expected here would be cast by INSERT, and rounded; so the statement looks at the types itself. DuckDB knows what typeof is when it plans, also of a subquery, which is
    // never run: of all this nothing is left to do. Where it is not so clever, there is one row still, the body's text: with a subquery beside all rows it takes many times as long.
    private static string Insert(IngestTemplate ingest, IReadOnlyList<(Column Source, Column Target)> columns)
    {
        var casts = columns.Where(pair => pair.Source.Type != pair.Target.Type).Select(pair => $"{Cast(pair.Source, pair.Target)} AS {Sql.Identifier(pair.Source.Name)}").ToList();
        var names = columns.Select(pair => Sql.Identifier(pair.Source.Name)).ToList();
        var isTarget = AreTypes(names.Select(name => $"(SELECT {name} FROM {ingest.Target} LIMIT 0)"), columns.Select(pair => pair.Target.Type));
        return $"""
            INSERT INTO {ingest.Target} BY NAME SELECT *{(casts.Count == 0 ? "" : $" REPLACE (\n{string.Join(",\n", casts)})")} FROM (
            {ingest.Select(If(isTarget, "CAST($1 AS VARCHAR)"))}
            ) WHERE {If(AreTypes(names, columns.Select(pair => pair.Source.Type)), "true")}
            """;
    }

    private static string If(string condition, string then) => $"CASE WHEN {condition} THEN {then} ELSE error('{Changed}the columns are not what they were') END";

    private static string AreTypes(IEnumerable<string> values, IEnumerable<string> types) =>
        $"concat_ws(', ', {string.Join(", ", values.Select(value => $"typeof({value})"))}) = {Sql.Literal(string.Join(", ", types))}";

    private static string? Cast(Column source, Column target) =>
        ExactCast.Write(Sql.Identifier(source.Name), source.Name, DuckType.Parse(source.Type), DuckType.Parse(target.Type));
}
