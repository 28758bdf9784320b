using MdFunctions.Engine.Http;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Templates;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Polly;
using Polly.Retry;

namespace MdFunctions.Engine.Queries;

/// <summary>Answers a request for a query: waits for a turn, runs the statement, and sends its rows on as they arrive.</summary>
internal sealed class QueryRunner(MotherDuckDataSources dataSources, QueryShapes shapes, QueryGate gate, QueryCache cache, Telemetry telemetry, TimeProvider time)
{
    // A pooled connection may have died unnoticed. Nothing has been answered yet, and a SELECT can be sent twice.
    private static readonly ResiliencePipeline<QueryExecution> Start = new ResiliencePipelineBuilder<QueryExecution>()
        .AddRetry(new RetryStrategyOptions<QueryExecution>
        {
            MaxRetryAttempts = 1,
            Delay = TimeSpan.Zero,
            ShouldHandle = outcome => new(outcome.Outcome.Exception is { } e && MotherDuckError.From(e) is { IsTransient: true }),
        })
        .Build();

    /// <summary>Runs a query and writes its answer, or the problem it ran into; after the first byte a failure breaks the connection off.</summary>
    public async Task RunAsync(QueryTemplate query, ParameterValue?[] values, ResultFormat format, HttpContext http)
    {
        using var run = telemetry.StartQuery(query.Template.Name);
        try
        {
            await dataSources.Read.WithinAsync(
                query.Timeout, async limit => run.Succeed(await AnswerAsync(query, values, format, http, limit)), http.RequestAborted);
        }
        catch (Exception e)
        {
            run.Fail(MotherDuckError.From(e));
            var problem = e is TimeoutException || (e is OperationCanceledException && !http.RequestAborted.IsCancellationRequested)
                ? TimedOut(query)
                : Guard.ToProblem(e, http);
            if (http.Response.HasStarted)
                http.Abort();
            else
                await problem.ExecuteAsync(http);
        }
    }

    private static Problem TimedOut(QueryTemplate query) =>
        new(504, "Query timed out", $"The query took longer than its limit of {Duration.Write(query.Timeout)} and was cancelled.");

    private static Problem TooManyRows(QueryTemplate query) =>
        new(422, "Too many rows", $"The answer has more than {query.MaxRows} rows, which is this query's limit. Narrow its parameters.");

    // How many rows came from MotherDuck: none for an answer that was kept.
    private async Task<long> AnswerAsync(QueryTemplate query, ParameterValue?[] values, ResultFormat format, HttpContext http, CancellationToken cancellationToken)
    {
        if (query.Cache is not null && await cache.TryAnswerAsync(query, values, format, http, CollectAsync, cancellationToken))
            return 0;
        if (query.MaxRows > 0)
            return await SpoolAsync(query, values, format, http, cancellationToken);
        if (HttpMethods.IsHead(http.Request.Method))
        {
            // What GET would begin with: the statement has run, or failed, up to its first row.
            using var turn = await gate.EnterAsync(cancellationToken);
            await using var execution = await StartAsync(query, values, cancellationToken);
            Answer.WriteHeaders(http, query, format);
            return 0;
        }
        using var sink = new ResponseSink(http, query, format);
        return await StreamAsync(query, values, format, sink, cancellationToken);
    }

    private async Task<long> StreamAsync(QueryTemplate query, ParameterValue?[] values, ResultFormat format, ResultSink sink, CancellationToken cancellationToken)
    {
        using var turn = await gate.EnterAsync(cancellationToken);
        await using var execution = await StartAsync(query, values, cancellationToken);
        var rows = await RowPump.RunAsync(execution.Reader, query, format.Writer(sink, execution.Shape.Columns), execution.Shape.Columns, sink, cancellationToken);
        execution.Complete();
        return rows;
    }

    private ValueTask<QueryExecution> StartAsync(QueryTemplate query, ParameterValue?[] values, CancellationToken cancellationToken) =>
        Start.ExecuteAsync(async token => await QueryExecution.StartAsync(dataSources.Read, shapes, query, values, token), cancellationToken);

    // Whether the answer is cut is known at its end and said at its beginning: it waits in memory, or on disk where it is large.
    private async Task<long> SpoolAsync(QueryTemplate query, ParameterValue?[] values, ResultFormat format, HttpContext http, CancellationToken cancellationToken)
    {
        await using var spool = new FileBufferingWriteStream(memoryThreshold: 256 * 1024);
        using var sink = new StreamSink(spool, long.MaxValue);
        var rows = await StreamAsync(query, values, format, sink, cancellationToken);
        if (sink.Truncated && query.ErrorOnLimit)
            throw new ProblemException(TooManyRows(query));
        Answer.WriteHeaders(http, query, format);
        if (sink.Truncated)
            Answer.MarkTruncated(http, query);
        await Answer.SendAsync(http, ContentCoding.Of(http.Request, sink.Length), sink.Length, body => spool.DrainBufferAsync(body, cancellationToken));
        return rows;
    }

    /// <summary>Runs a query and collects its rows as JSON.</summary>
    /// <param name="query">The query.</param>
    /// <param name="values">A value for each parameter.</param>
    /// <param name="maxRows">The most rows to collect; the query's own limit holds too.</param>
    /// <param name="http">The request.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="ProblemException">504: it took longer than its limit.</exception>
    public async Task<CollectedAnswer> CollectAsync(QueryTemplate query, ParameterValue?[] values, int maxRows, HttpContext http, CancellationToken cancellationToken)
    {
        using var run = telemetry.StartQuery(query.Template.Name);
        using var bytes = new MemoryStream();
        using var sink = new StreamSink(bytes, long.MaxValue);
        var limited = query.MaxRows > 0 && query.MaxRows <= maxRows ? query : query with { MaxRows = maxRows };
        try
        {
            await dataSources.Read.WithinAsync(query.Timeout, async limit => run.Succeed(await StreamAsync(limited, values, ResultFormat.All[0], sink, limit)), cancellationToken);
        }
        catch (Exception e)
        {
            run.Fail(MotherDuckError.From(e));
            if (e is TimeoutException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
                throw new ProblemException(TimedOut(query));
            throw;
        }
        return new(bytes.ToArray(), sink.Truncated, time.GetUtcNow());
    }

    private async Task<CollectedAnswer> CollectAsync(QueryTemplate query, ParameterValue?[] values, ResultFormat format, long maxBytes)
    {
        // Others may be waiting for this answer: it does not end with the request that happened to be first.
        using var limit = new CancellationTokenSource(query.Timeout);
        using var bytes = new MemoryStream();
        using var sink = new StreamSink(bytes, maxBytes);
        await StreamAsync(query, values, format, sink, limit.Token);
        return sink.Truncated && query.ErrorOnLimit ? throw new ProblemException(TooManyRows(query)) : new(bytes.ToArray(), sink.Truncated, time.GetUtcNow());
    }
}
