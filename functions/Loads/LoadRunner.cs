using System.Globalization;
using MdFunctions.MotherDuck;
using MdFunctions.Templates;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace MdFunctions.Loads;

/// <summary>Runs loads: the rows go from their source into MotherDuck and never through this app.</summary>
public sealed class LoadRunner(MotherDuckDataSources dataSources, TemplateCatalog templates, TimeProvider time, ILogger<LoadRunner> logger)
{
    /// <summary>Runs all loads of a schedule, one after the other; one that fails does not stop the others.</summary>
    /// <exception cref="AggregateException">Some failed.</exception>
    public async Task RunScheduleAsync(string schedule, string occurrence, CancellationToken cancellationToken)
    {
        var failures = new List<Exception>();
        foreach (var load in templates.Loads.Values.Where(load => load.Schedule == schedule).OrderBy(load => load.Name, StringComparer.Ordinal))
        {
            try
            {
                await RunAsync(load, occurrence, "timer", [.. load.Template.Parameters.Select(parameter => parameter.Default)], cancellationToken);
            }
            catch (Exception e) when (MotherDuckError.From(e) is not null)
            {
                failures.Add(e);
            }
        }
        if (failures.Count > 0)
            throw new AggregateException($"{failures.Count} of the {schedule} loads failed.", failures);
    }

    /// <summary>Runs a load in one transaction with its row in <c>load_runs</c>; a failed run leaves the target as it was and a row of its own.</summary>
    /// <exception cref="NpgsqlException">The load failed.</exception>
    public async Task<LoadRun> RunAsync(LoadTemplate load, string occurrence, string trigger, ParameterValue?[] values, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(load.Timeout);
        var started = time.GetUtcNow();
        logger.LogInformation("Load {Load} started ({Trigger}, occurrence {Occurrence})", load.Name, trigger, occurrence);
        await using var connection = await dataSources.Write.OpenAsync(limit.Token);
        try
        {
            var run = await connection.InTransactionAsync(async () =>
            {
                await PrepareAsync(connection, load.Target, limit.Token);
                var select = load.Template.WithLiterals(name =>
                {
                    var index = load.Template.Parameters.ToList().FindIndex(parameter => parameter.Name == name);
                    return (load.Template.Parameters[index].Type, values[index]);
                });
                await connection.ScalarAsync($"CREATE OR REPLACE TABLE {load.Target} AS\n{select}", limit.Token);
                var rows = long.Parse((await connection.ScalarAsync($"SELECT count(*) FROM {load.Target}", limit.Token))!, CultureInfo.InvariantCulture);
                var done = new LoadRun(load.Name, occurrence, trigger, "succeeded", rows, started, time.GetUtcNow(), null);
                await RecordAsync(connection, load.Target, done, limit.Token);
                return done;
            }, limit.Token);
            logger.LogInformation("Load {Load} done: {Rows} rows in {Seconds:0.0} s", load.Name, run.Rows, (run.FinishedAt - started).TotalSeconds);
            return run;
        }
        catch (Exception e) when (MotherDuckError.From(e) is { } error)
        {
            logger.LogError("Load {Load} failed: {Error}", load.Name, error.Message);
            await RecordFailureAsync(load, new LoadRun(load.Name, occurrence, trigger, "failed", null, started, time.GetUtcNow(), error.Message), cancellationToken);
            throw;
        }
    }

    private static async Task PrepareAsync(NpgsqlConnection connection, TableName target, CancellationToken cancellationToken)
    {
        var database = Sql.Identifier(target.Database);
        await connection.ScalarAsync($"CREATE SCHEMA IF NOT EXISTS {database}.{Sql.Identifier(target.Schema)}", cancellationToken);
        await connection.ScalarAsync($"CREATE SCHEMA IF NOT EXISTS {database}.md_functions", cancellationToken);
        await connection.ScalarAsync($"""
            CREATE TABLE IF NOT EXISTS {database}.md_functions.load_runs (
              load VARCHAR, occurrence VARCHAR, trigger VARCHAR, status VARCHAR, rows BIGINT,
              started_at TIMESTAMPTZ, finished_at TIMESTAMPTZ, error VARCHAR)
            """, cancellationToken);
    }

    private static Task RecordAsync(NpgsqlConnection connection, TableName target, LoadRun run, CancellationToken cancellationToken) =>
        connection.ScalarAsync($"""
            INSERT INTO {Sql.Identifier(target.Database)}.md_functions.load_runs BY NAME SELECT
              CAST($1 AS VARCHAR) AS load, CAST($2 AS VARCHAR) AS occurrence, CAST($3 AS VARCHAR) AS trigger, CAST($4 AS VARCHAR) AS status,
              CAST(CAST($5 AS VARCHAR) AS BIGINT) AS rows, CAST(CAST($6 AS VARCHAR) AS TIMESTAMPTZ) AS started_at,
              CAST(CAST($7 AS VARCHAR) AS TIMESTAMPTZ) AS finished_at, CAST($8 AS VARCHAR) AS error
            """,
            [
                run.Load, run.Occurrence, run.Trigger, run.Status, run.Rows?.ToString(CultureInfo.InvariantCulture),
                run.StartedAt.ToString("O", CultureInfo.InvariantCulture), run.FinishedAt.ToString("O", CultureInfo.InvariantCulture), run.Error,
            ],
            cancellationToken);

    private async Task RecordFailureAsync(LoadTemplate load, LoadRun run, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await dataSources.Write.OpenAsync(cancellationToken);
            await PrepareAsync(connection, load.Target, cancellationToken);
            await RecordAsync(connection, load.Target, run, cancellationToken);
        }
        catch (Exception e) when (MotherDuckError.From(e) is { } error)
        {
            logger.LogError("The failure of load {Load} could not be recorded: {Error}", load.Name, error.Message);
        }
    }
}
