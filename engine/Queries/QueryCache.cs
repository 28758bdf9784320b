using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MdFunctions.Engine.Templates;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Net.Http.Headers;

namespace MdFunctions.Engine.Queries;

/// <summary>An answer in memory.</summary>
/// <param name="Body">Its bytes, not compressed.</param>
/// <param name="Truncated">Whether it was cut at its row limit.</param>
/// <param name="At">When it was made.</param>
/// <param name="Rows">How many rows it has.</param>
internal sealed record CollectedAnswer(byte[] Body, bool Truncated, DateTimeOffset At, long Rows)
{
    /// <summary>A hash of the body: the strong ETag without its quotes.</summary>
    public string Tag { get; } = Convert.ToHexStringLower(SHA256.HashData(Body).AsSpan(0, 16));
}

/// <summary>
/// Keeps the answers of queries with <c>cache</c> in this process, so that repeated calls cost MotherDuck nothing; identical calls at the same time run
/// once. Answers too large to keep are streamed each time.
/// </summary>
/// <remarks>
/// HybridCache and FusionCache join identical calls too, but neither counts what an entry costs beside its value, nor remembers that an answer is too large,
/// and both would stay in front of a MemoryCache: all that is left to them is <see cref="_running"/>.
/// </remarks>
internal sealed class QueryCache(QueryOptions options, TimeProvider time) : IDisposable
{
    // What an entry costs beside its key and body, measured: callers choose how many there are.
    private const int EntryBytes = 512;

    private readonly MemoryCache _answers = new(new MemoryCacheOptions { SizeLimit = options.CacheBytes, Clock = new Clock(time) });
    private readonly ConcurrentDictionary<string, Lazy<Task<CollectedAnswer?>>> _running = new(StringComparer.Ordinal);

    /// <summary>Answers a request from memory, after running the query if need be.</summary>
    /// <returns>How many rows were sent; null if the answer is too large to be kept, or nothing is to be kept at all.</returns>
    public async Task<long?> TryAnswerAsync(
        QueryTemplate query, ParameterValue?[] values, ResultFormat format, HttpContext http,
        Func<QueryTemplate, ParameterValue?[], ResultFormat, long, Task<CollectedAnswer>> collect, CancellationToken cancellationToken)
    {
        if (options.CacheBytes == 0)
            return null;
        var key = Key(query, values, format);
        if (!_answers.TryGetValue(key, out CollectedAnswer? answer))
        {
            var run = _running.GetOrAdd(key, key => new(() => Task.Run(() => RunAsync(key))));
            answer = await run.Value.WaitAsync(cancellationToken);
        }
        if (answer is null)
            return null;
        var isSent = await SendAsync(answer, TagOf(answer, query, key), query, format, http, cancellationToken);
        return isSent && !HttpMethods.IsHead(http.Request.Method) ? answer.Rows : 0;

        async Task<CollectedAnswer?> RunAsync(string key)
        {
            try
            {
                // Another run may have ended between the look into the cache and this one's turn. Each stores its answer before it gives its place up.
                if (_answers.TryGetValue(key, out CollectedAnswer? collected))
                    return collected;
                try
                {
                    collected = await collect(query, values, format, options.CacheBytes / 16);
                }
                catch (ResultTooLargeException)
                {
                    // Remembered as such: the next call streams at once.
                }
                _answers.Set(key, collected, new MemoryCacheEntryOptions
                {
                    AbsoluteExpirationRelativeToNow = query.Cache,
                    Size = (collected?.Body.Length ?? 0) + 2L * key.Length + EntryBytes,
                });
                return collected;
            }
            finally
            {
                _running.TryRemove(key, out _);
            }
        }
    }

    public void Dispose() => _answers.Dispose();

    // False where the caller has it already.
    private async Task<bool> SendAsync(CollectedAnswer answer, string name, QueryTemplate query, ResultFormat format, HttpContext http, CancellationToken cancellationToken)
    {
        var response = http.Response;
        var coding = ContentCoding.Of(http.Request, answer.Body.Length);
        Answer.WriteHeaders(http, query, format);
        // Each coding is a representation of its own, with a tag of its own (RFC 9110, 8.8.3.3).
        var tag = new EntityTagHeaderValue(coding is null ? $"\"{name}\"" : $"\"{name}-{coding.Name}\"");
        response.Headers.ETag = tag.ToString();
        // Callers count max-age from when the answer was made.
        response.Headers.Age = ((long)(time.GetUtcNow() - answer.At).TotalSeconds).ToString(CultureInfo.InvariantCulture);
        if (answer.Truncated)
            Answer.MarkTruncated(http, query);
        if (!HttpMethods.IsPost(http.Request.Method)
            && EntityTagHeaderValue.TryParseList(http.Request.Headers.IfNoneMatch, out var known)
            && known.Any(one => one.Equals(EntityTagHeaderValue.Any) || one.Compare(tag, useStrongComparison: false)))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            response.ContentType = null;
            return false;
        }
        await Answer.SendAsync(http, coding, answer.Body.Length, body => body.WriteAsync(answer.Body, cancellationToken).AsTask());
        return true;
    }

    // What depends on who asks has a tag that does: nobody's tag is right for others, even where two answers are alike.
    private static string TagOf(CollectedAnswer answer, QueryTemplate query, string key) => query.Template.HasClaims
        ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{answer.Tag}\n{key}")).AsSpan(0, 16))
        : answer.Tag;

    // Lengths keep values apart whatever they contain. Values that come from the caller's token are among them.
    private static string Key(QueryTemplate query, ParameterValue?[] values, ResultFormat format)
    {
        var key = new StringBuilder(query.Template.Name).Append('\n').Append(format.Name);
        foreach (var value in values)
            key.Append('\n').Append(value?.Text.Length ?? -1).Append(':').Append(value?.Text);
        return key.ToString();
    }

    private sealed class Clock(TimeProvider time) : Microsoft.Extensions.Internal.ISystemClock
    {
        public DateTimeOffset UtcNow => time.GetUtcNow();
    }
}
