using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using MdFunctions.Engine.Queries;
using MdFunctions.Engine.Templates;
using MdFunctions.Tests.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace MdFunctions.Tests.Queries;

/// <summary>The cache of answers: what it holds, how often it asks, what it tells callers.</summary>
public sealed class CacheTests
{
    [Fact]
    public async Task Identical_calls_run_once_also_where_one_comes_as_another_ends()
    {
        using var cache = new QueryCache(new QueryOptions(), TimeProvider.System);
        var query = Query("/*\nparameters: { p: { type: integer } }\ncache: 1h\n*/\nSELECT $p AS p");
        var runs = 0;
        await Parallel.ForAsync(0, 3000, async (i, _) =>
            await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => AskAsync(cache, query, i, () =>
            {
                Interlocked.Increment(ref runs);
                return Task.FromResult(new CollectedAnswer([1], false, DateTimeOffset.UtcNow, 1));
            })))));
        Assert.Equal(3000, runs);
    }

    [Fact]
    public async Task A_failure_is_not_kept()
    {
        using var cache = new QueryCache(new QueryOptions(), TimeProvider.System);
        var query = Query("/*\nparameters: { p: { type: integer } }\ncache: 1h\n*/\nSELECT $p AS p");
        await Assert.ThrowsAsync<TimeoutException>(() => AskAsync(cache, query, 1, () => throw new TimeoutException()));
        Assert.Equal(1, await AskAsync(cache, query, 1, () => Task.FromResult(new CollectedAnswer([1], false, DateTimeOffset.UtcNow, 1))));
    }

    [Fact]
    public async Task Without_memory_for_it_nothing_is_collected()
    {
        using var cache = new QueryCache(new QueryOptions { CacheBytes = 0 }, TimeProvider.System);
        Assert.Null(await AskAsync(cache, Query("/* cache: 1h */ SELECT 1"), null, () => throw new InvalidOperationException("It ran.")));
    }

    [Fact]
    public async Task Callers_who_hang_up_at_any_moment_leave_the_run_to_the_others()
    {
        using var cache = new QueryCache(new QueryOptions(), TimeProvider.System);
        var query = Query("/*\nparameters: { p: { type: integer } }\ncache: 1h\n*/\nSELECT $p AS p");
        var runs = new ConcurrentDictionary<int, int>();
        await Parallel.ForAsync(0, 500, async (i, _) =>
        {
            using var gone = new CancellationTokenSource();
            var collected = new TaskCompletionSource<CollectedAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
            Task<CollectedAnswer> Collect()
            {
                runs.AddOrUpdate(i, 1, (_, n) => n + 1);
                return collected.Task;
            }
            var first = cache.TryAnswerAsync(query, [new($"{i}")], ResultFormat.All[0], new DefaultHttpContext(), (_, _, _, _) => Collect(), gone.Token);
            var others = Enumerable.Range(0, 4).Select(_ => Task.Run(() => AskAsync(cache, query, i, Collect))).ToList();
            // It hangs up before, while and after the others come, and as the answer does.
            if (i % 3 == 0)
                await Task.Yield();
            var ends = Task.Run(() => collected.SetResult(new CollectedAnswer([1], false, DateTimeOffset.UtcNow, 0)), CancellationToken.None);
            await gone.CancelAsync();
            Assert.All(await Task.WhenAll(others), answered => Assert.NotEqual(default, answered));
            await ends;
            await Record.ExceptionAsync(() => first);
        });
        // None is run for nobody, and none is asked for twice.
        Assert.Equal(500, runs.Count);
        Assert.All(runs.Values, count => Assert.Equal(1, count));
    }

    [Fact]
    public async Task An_answer_tells_its_age_and_only_GET_and_HEAD_are_conditional()
    {
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string> { ["queries/kept.sql"] = "/* cache: 1h */ SELECT 1 AS a" });
        using var first = await app.Client.GetAsync("/api/queries/kept");
        Assert.Equal(TimeSpan.Zero, first.Headers.Age);
        await Task.Delay(1100);
        using var second = await app.Client.GetAsync("/api/queries/kept");
        Assert.True(second.Headers.Age >= TimeSpan.FromSeconds(1), $"{second.Headers.Age}");
        Assert.Equal(TimeSpan.FromHours(1), second.Headers.CacheControl?.MaxAge);

        using var get = await SendAsync(HttpMethod.Get);
        Assert.Equal(HttpStatusCode.NotModified, get.StatusCode);
        using var head = await SendAsync(HttpMethod.Head);
        Assert.Equal(HttpStatusCode.NotModified, head.StatusCode);
        using var post = await SendAsync(HttpMethod.Post);
        Assert.Equal("[{\"a\":1}]", await post.Content.ReadAsStringAsync());

        Task<HttpResponseMessage> SendAsync(HttpMethod method)
        {
            var request = new HttpRequestMessage(method, "/api/queries/kept") { Headers = { IfNoneMatch = { first.Headers.ETag! } } };
            if (method == HttpMethod.Post)
                request.Content = JsonContent.Create(new { });
            return app.Client.SendAsync(request);
        }
    }

    [Fact]
    public async Task A_problem_that_takes_the_place_of_an_answer_keeps_none_of_its_headers()
    {
        var http = new DefaultHttpContext();
        http.Response.Body = new MemoryStream();
        foreach (var header in (string[])["Content-Encoding", "ETag", "Result-Truncated", "Content-Disposition", "Age"])
            http.Response.Headers[header] = "x";
        await new Engine.Http.Problem(504, "Query timed out").ExecuteAsync(http);
        Assert.Equal(["Cache-Control", "Content-Type"], http.Response.Headers.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_spool_that_cannot_be_written_is_not_MotherDucks_fault()
    {
        using var sink = new StreamSink(new FullDisk(), long.MaxValue);
        sink.Advance("[]"u8.Length);
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(async () => await sink.CompleteAsync(truncated: false, CancellationToken.None));
        Assert.Null(Engine.MotherDuck.MotherDuckError.From(exception));
    }

    private static QueryTemplate Query(string sql)
    {
        var settings = new Engine.Settings(new ConfigurationBuilder().Build());
        var file = SqlFile.Parse("queries/q.sql", "q", sql);
        var query = QueryTemplate.Read(file, settings, new QueryOptions());
        Assert.Empty(file.Faults);
        return query;
    }

    private static Task<long?> AskAsync(QueryCache cache, QueryTemplate query, int? value, Func<Task<CollectedAnswer>> collect)
    {
        var http = new DefaultHttpContext();
        http.Response.Body = Stream.Null;
        ParameterValue?[] values = value is { } number ? [new(number.ToString(null as IFormatProvider))] : [];
        return cache.TryAnswerAsync(query, values, ResultFormat.All[0], http, (_, _, _, _) => collect(), CancellationToken.None);
    }

    private sealed class FullDisk : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => throw new IOException("No space left on device");
    }
}
