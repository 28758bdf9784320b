using MdFunctions.Engine.Access;
using MdFunctions.Engine.Http;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Templates;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Engine.Queries;

/// <summary>Answers a request for a query: waits for a turn, runs the statement, and sends its rows on as they arrive.</summary>
internal sealed class QueryRunner(
    MotherDuckDataSources dataSources, QueryShapes shapes, QueryCache cache, QueryOptions options, AnswerBuffer buffer, Telemetry telemetry, Audit audit, TimeProvider time, ILogger<QueryRunner> logger)
    : IDisposable
{
    private readonly Refusals _refusals = new(dataSources.Read, options.RefusalRate);
    private readonly BurstMemory _memory = new(() => dataSources.Read.State is { InUse: 0, Waiting: 0 }, time);

    /// <summary>Turns a request away before any work is done for it, where too many wait. What may be in the cache is looked for there first.</summary>
    /// <returns>Null if there is a place for it.</returns>
    public async ValueTask<Problem?> RefuseAsync(QueryTemplate query, HttpRequest request)
    {
        if (query.Cache is not null && options.CacheBytes > 0)
            return null;
        var caller = CallerOf(request);
        for (var isDue = false; dataSources.Read.Refuses(caller, query.Template.Name, query.Timeout); isDue = await _refusals.WaitAsync(request.HttpContext.RequestAborted))
        {
            _memory.Note();
            if (!isDue)
                continue;
            using var run = telemetry.StartQuery(query.Template.Name, audit.Of(Caller.Of(request.HttpContext), "query", query.Template, null));
            run.Refuse();
            return Guard.Busy(dataSources.Read.ComeAgain(caller));
        }
        return null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _memory.Dispose();
        _refusals.Dispose();
    }

    /// <summary>Runs a query and writes its answer, or the problem it ran into; after the first byte a failure breaks the connection off.</summary>
    public async Task RunAsync(QueryTemplate query, ParameterValue?[] values, ResultFormat format, HttpContext http)
    {
        using var run = telemetry.StartQuery(query.Template.Name, audit.Of(Caller.Of(http), "query", query.Template, values));
        try
        {
            run.Succeed(await AnswerAsync(query, values, format, http, http.RequestAborted));
        }
        catch (Exception e)
        {
            run.Fail(e, http.RequestAborted);
            if (e is SlowReaderException)
            {
                logger.LogInformation("The answer of query {Query} is broken off (trace {TraceId}): {Reason}", query.Template.Name, Problem.TraceId(http), e.Message);
                http.Abort();
                return;
            }
            var problem = e is TimeoutException ? TimedOut(query) : Guard.ToProblem(e, http);
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

    // How many rows it answered.
    private async Task<long> AnswerAsync(QueryTemplate query, ParameterValue?[] values, ResultFormat format, HttpContext http, CancellationToken cancellationToken)
    {
        if (query.Cache is not null && await cache.TryAnswerAsync(query, values, format, http, CollectAsync, cancellationToken) is { } kept)
            return kept;
        if (query.MaxRows > 0)
            return await SpoolAsync(query, values, format, http, cancellationToken);
        var turn = Turn(query, http.Request);
        if (HttpMethods.IsHead(http.Request.Method))
        {
            // What GET would begin with: the statement has run, or failed, up to its first row.
            await StartAsync(query, query.MaxRows, values, turn, (_, _) => Task.FromResult(false), cancellationToken);
            Answer.WriteHeaders(http, query, format);
            return 0;
        }
        using var sink = new ResponseSink(http, query, format, buffer, turn);
        try
        {
            var rows = await StreamAsync(query, values, format, sink, query.MaxRows, turn, cancellationToken);
            // Its connection serves others by now. Nobody may keep the memory for good.
            await sink.DrainAsync().WaitAsync(QueryOptions.MaxTimeout, cancellationToken);
            return rows;
        }
        catch
        {
            await sink.StopAsync();
            throw;
        }
    }

    private Turn Turn(QueryTemplate query, HttpRequest request) => new(CallerOf(request), query.Template.Name, options.SlowReaderGrace, options.SlowReaderBytes);

    private static string CallerOf(HttpRequest request) => Caller.Of(request.HttpContext).Subject ?? RequestOrigin.Of(request);

    private async Task<long> StreamAsync(
        QueryTemplate query, ParameterValue?[] values, ResultFormat format, ResultSink sink, int maxRows, Turn? turn, CancellationToken cancellationToken)
    {
        long rows = 0;
        await StartAsync(query, maxRows, values, turn, async (execution, stop) =>
        {
            rows = await RowPump.RunAsync(execution.Reader, maxRows, format.Writer(sink, execution.Shape.Columns), execution.Shape.Columns, sink, stop);
            return true;
        }, cancellationToken);
        return rows;
    }

    // Runs a query to its first row, as often as it takes, and then what reads the rows, once. That says whether it has read them all.
    private async Task StartAsync(
        QueryTemplate query, int maxRows, ParameterValue?[] values, Turn? turn, Func<QueryExecution, CancellationToken, Task<bool>> read, CancellationToken cancellationToken)
    {
        var started = false;
        var attempts = new QueryAttempts(shapes, query, maxRows, values);
        await dataSources.Read.RunAsync(query.Timeout, async (connection, stop) =>
        {
            await using var execution = await attempts.StartAsync(connection, stop);
            started = true;
            if (await read(execution, stop))
                execution.Complete();
        }, e => !started && (MotherDuckError.IsTransientFailure(e) || attempts.CanRetry(e)), cancellationToken, turn);
    }

    // Whether the answer is cut is known at its end and said at its beginning: it waits in memory, or on disk where it is large.
    private async Task<long> SpoolAsync(QueryTemplate query, ParameterValue?[] values, ResultFormat format, HttpContext http, CancellationToken cancellationToken)
    {
        await using var spool = new FileBufferingWriteStream(memoryThreshold: 256 * 1024);
        using var sink = new StreamSink(spool, long.MaxValue);
        var rows = await StreamAsync(query, values, format, sink, query.MaxRows, Turn(query, http.Request), cancellationToken);
        if (sink.Truncated && query.ErrorOnLimit)
            throw new ProblemException(TooManyRows(query));
        Answer.WriteHeaders(http, query, format);
        if (sink.Truncated)
            Answer.MarkTruncated(http, query);
        await Answer.SendAsync(http, ContentCoding.Of(http.Request, sink.Length), sink.Length, body => spool.DrainBufferAsync(body, cancellationToken));
        return rows;
    }

    /// <summary>Runs a query and collects its rows as JSON: no more than the given number, nor than its own limit.</summary>
    /// <exception cref="ProblemException">504: it took longer than its limit.</exception>
    public async Task<CollectedAnswer> CollectAsync(QueryTemplate query, ParameterValue?[] values, int maxRows, Caller caller, CancellationToken cancellationToken)
    {
        using var run = telemetry.StartQuery(query.Template.Name, audit.Of(caller, "query", query.Template, values));
        using var bytes = new MemoryStream();
        using var sink = new StreamSink(bytes, long.MaxValue);
        long rows;
        try
        {
            var most = query.MaxRows > 0 ? Math.Min(query.MaxRows, maxRows) : maxRows;
            rows = await StreamAsync(query, values, ResultFormat.All[0], sink, most, null, cancellationToken);
            run.Succeed(rows);
        }
        catch (Exception e)
        {
            run.Fail(e, cancellationToken);
            if (e is TimeoutException)
                throw new ProblemException(TimedOut(query));
            throw;
        }
        return new(bytes.ToArray(), sink.Truncated, time.GetUtcNow(), rows);
    }

    private async Task<CollectedAnswer> CollectAsync(QueryTemplate query, ParameterValue?[] values, ResultFormat format, long maxBytes)
    {
        using var bytes = new MemoryStream();
        using var sink = new StreamSink(bytes, maxBytes);
        // Others may be waiting for this answer: it does not end with the request that happened to be first.
        var rows = await StreamAsync(query, values, format, sink, query.MaxRows, null, CancellationToken.None);
        return sink.Truncated && query.ErrorOnLimit ? throw new ProblemException(TooManyRows(query)) : new(bytes.ToArray(), sink.Truncated, time.GetUtcNow(), rows);
    }
}
