using System.Collections.Concurrent;
using MdFunctions.Http;
using MdFunctions.MotherDuck;
using MdFunctions.Templates;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Queries;

/// <summary>Runs queries and streams their rows from the wire into the response.</summary>
public sealed class QueryRunner(MotherDuckDataSources dataSources)
{
    private readonly ConcurrentDictionary<string, QueryShape> _shapes = new(StringComparer.Ordinal);

    /// <summary>Runs a query and writes its answer, or the problem it ran into; after the first byte a failure breaks the connection off.</summary>
    public async Task RunAsync(QueryTemplate query, ParameterValue?[] values, HttpContext http)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        limit.CancelAfter(query.Timeout);
        try
        {
            await StreamAsync(query, values, http, limit.Token);
        }
        catch (Exception e)
        {
            var problem = limit.IsCancellationRequested && !http.RequestAborted.IsCancellationRequested
                ? new Problem(504, "Query timed out", $"The query took longer than its limit of {Duration.Write(query.Timeout)} and was cancelled.")
                : Guard.ToProblem(e, http);
            if (http.Response.HasStarted)
                http.Abort();
            else
                await problem.ExecuteAsync(http);
        }
    }

    private async Task StreamAsync(QueryTemplate query, ParameterValue?[] values, HttpContext http, CancellationToken cancellationToken)
    {
        await using var connection = await dataSources.Read.OpenAsync(cancellationToken);
        if (!_shapes.TryGetValue(query.Template.Name, out var shape))
            _shapes[query.Template.Name] = shape = await QueryShape.DescribeAsync(connection, query.Template, cancellationToken);

        await using var command = connection.Statement(shape.Statement, [.. values.Select(value => value?.Text)]);
        await using var reader = await command.ExecuteReaderAsync(System.Data.CommandBehavior.SequentialAccess, cancellationToken);
        var response = http.Response;
        response.ContentType = "application/json";
        response.Headers.CacheControl = "no-store";
        var body = response.BodyWriter;
        var rows = new JsonRows(body, shape.Columns);
        var buffer = new byte[4096];
        rows.Start();
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.StartRow();
            for (var i = 0; i < shape.Columns.Count; i++)
            {
                if (reader.IsDBNull(i))
                {
                    rows.Null(i);
                    continue;
                }
                await using var value = reader.GetStream(i);
                var length = (int)value.Length;
                if (length > buffer.Length)
                    buffer = new byte[length];
                await value.ReadExactlyAsync(buffer.AsMemory(0, length), cancellationToken);
                rows.Value(i, buffer.AsSpan(0, length));
            }
            rows.EndRow();
            if (body.UnflushedBytes > 16 * 1024)
            {
                rows.Flush();
                await body.FlushAsync(cancellationToken);
            }
        }
        rows.End();
        rows.Flush();
    }
}
