using System.Text.Json;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Local.Host;

/// <summary>What <c>host.json</c> says of HTTP. What it does not say is as on Flex Consumption, where the Functions host has no limits of its own.</summary>
/// <param name="RoutePrefix">The first part of HTTP functions' routes.</param>
/// <param name="MaxConcurrentRequests">The most requests that run at once, all functions together; -1 for no limit.</param>
/// <param name="MaxOutstandingRequests">The most that run or wait; one more is an empty 429; -1 for no limit.</param>
internal sealed record HostFile(string RoutePrefix, int MaxConcurrentRequests, int MaxOutstandingRequests)
{
    private const int Unbounded = -1;

    /// <summary>Reads the file in an app's folder.</summary>
    public static HostFile Read(string folder)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "host.json")), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        if (!json.RootElement.TryGetProperty("extensions", out var extensions) || !extensions.TryGetProperty("http", out var http))
            return new("api", Unbounded, Unbounded);
        return new(http.TryGetProperty("routePrefix", out var prefix) ? prefix.GetString()! : "api", Number("maxConcurrentRequests"), Number("maxOutstandingRequests"));

        int Number(string name) => http.TryGetProperty(name, out var value) ? value.GetInt32() : Unbounded;
    }

    /// <summary>Lets as many requests in as the file says, before all routes but <c>/admin</c>. (<c>dynamicThrottlesEnabled</c> looks at counters that only Windows has.)</summary>
    public void UseLimits(WebApplication app)
    {
        if (MaxConcurrentRequests == Unbounded && MaxOutstandingRequests == Unbounded)
            return;
        var outstanding = MaxOutstandingRequests == Unbounded ? int.MaxValue : MaxOutstandingRequests;
        var concurrent = MaxConcurrentRequests == Unbounded ? outstanding : Math.Min(MaxConcurrentRequests, outstanding);
        var limiter = new ConcurrencyLimiter(new ConcurrencyLimiterOptions { PermitLimit = concurrent, QueueLimit = outstanding - concurrent });
        app.Lifetime.ApplicationStopped.Register(limiter.Dispose);
        app.Use(async (context, next) =>
        {
            if (context.Request.Path.StartsWithSegments("/admin"))
            {
                await next(context);
                return;
            }
            using var lease = await limiter.AcquireAsync(1);
            if (lease.IsAcquired)
                await next(context);
            else
                context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
        });
    }
}
