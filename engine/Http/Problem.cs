using System.Diagnostics;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace MdFunctions.Engine.Http;

/// <summary>An error answer: RFC 9457 problem details with a trace id. It never holds SQL, a token or a stack.</summary>
/// <param name="Status">The HTTP status code.</param>
/// <param name="Title">What kind of problem this is; the same words each time.</param>
/// <param name="Detail">What it is this time, and what to do about it.</param>
public sealed record Problem(int Status, string Title, string? Detail = null) : IResult
{
    /// <summary>What is wrong with each input, by its name.</summary>
    public IReadOnlyDictionary<string, string[]>? Errors { get; init; }

    /// <summary>How long a caller should wait before trying again.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>What a 401 or 403 says in <c>WWW-Authenticate</c>.</summary>
    internal string? Challenge { get; init; }

    /// <summary>The methods of a 405's <c>Allow</c> header.</summary>
    public string? Allow { get; init; }

    /// <summary>400: inputs that are missing, unknown, malformed or out of range, all of them.</summary>
    public static Problem BadInput(IReadOnlyDictionary<string, string[]> errors) =>
        new(400, "Invalid parameters", string.Join(" ", errors.SelectMany(e => e.Value))) { Errors = errors };

    /// <summary>400: a request that cannot be read.</summary>
    public static Problem BadRequest(string detail) => new(400, "Bad request", detail);

    /// <summary>404: no template of that name.</summary>
    public static Problem NotFound(string kind, string name) => new(404, "Not found", $"There is no {kind} named '{name}'.");

    /// <summary>405: a method that the route does not take.</summary>
    public static Problem MethodNotAllowed(string method, string allow) =>
        new(405, "Method not allowed", $"{method} is not served here; use {allow}.") { Allow = allow };

    private static readonly string[] OfAnswers =
        [HeaderNames.ContentEncoding, HeaderNames.ContentLength, HeaderNames.ContentDisposition, HeaderNames.ETag, HeaderNames.Age, HeaderNames.Vary, "Result-Truncated"];

    // Not part of an HTML page: quotes stay readable.
    private static readonly JsonSerializerOptions ErrorsFormat = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <inheritdoc/>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        if (httpContext.RequestAborted.IsCancellationRequested)
            return; // Nobody reads it.
        // What was said of an answer that this one takes the place of.
        foreach (var header in OfAnswers)
            response.Headers.Remove(header);
        response.StatusCode = Status;
        response.ContentType = "application/problem+json";
        response.Headers.CacheControl = "no-store";
        if (RetryAfter is { } wait)
            response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        if (Challenge is not null)
            response.Headers.WWWAuthenticate = Challenge;
        if (Allow is not null)
            response.Headers.Allow = Allow;

        await using var json = new Utf8JsonWriter(response.BodyWriter, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteString("type", "about:blank");
        json.WriteString("title", Title);
        json.WriteNumber("status", Status);
        if (Detail is not null)
            json.WriteString("detail", Detail);
        json.WriteString("traceId", TraceId(httpContext));
        if (Errors is not null)
        {
            json.WritePropertyName("errors");
            JsonSerializer.Serialize(json, Errors, ErrorsFormat);
        }
        json.WriteEndObject();
        await json.FlushAsync();
    }

    /// <summary>What ties an answer to its log lines.</summary>
    public static string TraceId(HttpContext httpContext) => Activity.Current?.TraceId.ToString() ?? httpContext.TraceIdentifier;
}
