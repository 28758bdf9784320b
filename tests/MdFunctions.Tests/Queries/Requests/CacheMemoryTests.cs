using MdFunctions.Engine;
using MdFunctions.Engine.Queries;
using MdFunctions.Engine.Templates;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace MdFunctions.Tests.Queries;

/// <summary>What the cache holds, measured while nothing else allocates.</summary>
[Collection("Alone")]
public sealed class CacheMemoryTests
{
    [Fact]
    public async Task Memory_is_bounded_however_small_the_answers_are()
    {
        using var cache = new QueryCache(new QueryOptions { CacheBytes = 4 * 1024 * 1024 }, TimeProvider.System);
        var query = QueryTemplate.Read(SqlFile.Parse("queries/q.sql", "q", "/*\nparameters: { p: { type: integer } }\ncache: 1h\n*/\nSELECT $p AS p"), new Settings(new ConfigurationBuilder().Build()), new QueryOptions());
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 100_000; i++)
        {
            var http = new DefaultHttpContext();
            http.Response.Body = Stream.Null;
            await cache.TryAnswerAsync(query, [new ParameterValue($"{i}")], ResultFormat.All[0], http, (_, _, _, _) => Task.FromResult(new CollectedAnswer([(byte)'[', (byte)']'], false, DateTimeOffset.UtcNow, 1)), CancellationToken.None);
        }
        var held = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(held < 8 * 1024 * 1024, $"{held} bytes for a limit of 4 MiB");
        GC.KeepAlive(cache);
    }
}
