using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;
using MdFunctions.Engine.Http;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Access;

/// <summary>What a route asks of its callers where there is an authority.</summary>
internal enum Door
{
    /// <summary>A token.</summary>
    Token,

    /// <summary>A token, and clients of MCP are told where to get one.</summary>
    Mcp,

    /// <summary>A token, or the function key that the platform asks for.</summary>
    Events,

    /// <summary>Nothing: it is signed, or shows nothing.</summary>
    Open,
}

/// <summary>Lets requests in: finds out who sends them, and counts them.</summary>
internal sealed class Admission(AccessOptions options, Lazy<TokenCheck> tokens, PublicUrl url, Audit audit) : IAsyncDisposable
{
    /// <summary>The route of the metadata of RFC 9728, below the prefix.</summary>
    public const string MetadataRoute = ".well-known/oauth-protected-resource/mcp";

    /// <summary>Where that is, below the app's URL.</summary>
    public const string MetadataPath = "/api/" + MetadataRoute;

    private readonly PartitionedRateLimiter<string>? _calls = options.PerCaller == 0 ? null : PartitionedRateLimiter.Create<string, string>(caller =>
        RateLimitPartition.GetSlidingWindowLimiter(caller, _ => new SlidingWindowRateLimiterOptions
        {
            PermitLimit = options.PerCaller,
            Window = TimeSpan.FromMinutes(1),
            SegmentsPerWindow = 12,
            QueueLimit = 0,
        }));

    /// <summary>Says of a request's context who sent it.</summary>
    /// <exception cref="ProblemException">401 without a token that holds, 429 after too many calls, 503 where tokens cannot be checked.</exception>
    public async Task AdmitAsync(HttpRequest request, Door door)
    {
        if (door == Door.Open)
            return;
        var caller = options.Authority is null ? Caller.Key : await IdentifyAsync(request, door);
        request.HttpContext.Items[typeof(Caller)] = caller;
        Count(request, caller);
    }

    /// <summary>Leaves a line about a request that was not let in.</summary>
    public void Record(HttpRequest request, Door door, Problem problem)
    {
        if (door != Door.Open && problem.Status is 401 or 403 or 429)
            audit.Refused(request.HttpContext.Items[typeof(Caller)] as Caller, $"{request.Method} {request.Path.ToUriComponent()}", problem.Status);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_calls is not null)
            await _calls.DisposeAsync();
    }

    // What the platform or a proxy says about the caller (X-MS-CLIENT-PRINCIPAL) is not looked at: a caller could have written it.
    private async Task<Caller> IdentifyAsync(HttpRequest request, Door door)
    {
        var headers = request.Headers.Authorization;
        if (headers.Count == 0)
            return door == Door.Events && options.EventsHaveKey ? Caller.Key : throw Unauthorized(request, door, null, "A bearer token is missing: Authorization: Bearer TOKEN.");
        if (headers is not [{ } header] || !header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
            throw Unauthorized(request, door, "invalid_request", "Expected one header Authorization: Bearer TOKEN.");
        return await tokens.Value.CheckAsync(header["Bearer ".Length..].Trim())
            ?? throw Unauthorized(request, door, "invalid_token", "The token has ended, is not for this app, or is not one of its issuer's.");
    }

    private ProblemException Unauthorized(HttpRequest request, Door door, string? error, string detail)
    {
        string[] parameters =
        [
            .. error is null ? (string[])[] : [$"error=\"{error}\"", $"error_description=\"{detail}\""],
            .. door == Door.Mcp ? (string[])[$"resource_metadata=\"{url.Of(request)}{MetadataPath}\""] : [],
        ];
        return new(new Problem(401, "Unauthorized", detail) { Challenge = $"Bearer {string.Join(", ", parameters)}".TrimEnd() });
    }

    private void Count(HttpRequest request, Caller caller)
    {
        if (_calls is null)
            return;
        using var lease = _calls.AttemptAcquire(caller.HasToken ? $"token {caller.Subject}" : $"key {KeyOf(request)}");
        if (lease.IsAcquired)
            return;
        throw new ProblemException(new Problem(429, "Too many requests", $"A caller has {options.PerCaller} calls a minute.")
        {
            RetryAfter = lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : TimeSpan.FromSeconds(5),
        });
    }

    // Keys stand for callers, and their text stays out of memory that lasts.
    private static string KeyOf(HttpRequest request) => Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(RequestOrigin.Key(request))));
}
