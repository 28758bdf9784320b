using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using System.Threading.RateLimiting;
using MdFunctions.Engine.Http;
using MdFunctions.Engine.MotherDuck;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace MdFunctions.Engine.Ingest;

/// <summary>What became of a delivery.</summary>
/// <param name="Received">The rows of the body.</param>
/// <param name="Inserted">The rows that the statement made of them and that are stored now.</param>
/// <param name="Rejected">The rows that did not fit and went to <c>md_functions.ingest_rejects</c>; 0 unless <c>onError: skip</c>.</param>
/// <param name="Duplicate">True if a delivery of this id was stored before; nothing was inserted.</param>
internal sealed record IngestResult(int Received, long Inserted, int Rejected, bool Duplicate);

/// <summary>Takes a webhook's request apart: signature, body, rows. <see cref="IngestStore"/> stores them.</summary>
internal sealed class IngestRunner(
    IngestBuffer buffer, WebhookSecrets secrets, IngestStore store, MotherDuckOptions options, Telemetry telemetry, TimeProvider time, ILogger<IngestRunner> logger)
    : IAsyncDisposable
{
    private const int MaxIdLength = 256;

    // A delivery is unpacked and checked in its turn only, so that just a few at once take a multiple of their body's memory. Two for each connection: one is
    // stored while the next is checked. The same id again while the first is under way waits before that, and no ingest takes all turns.
    private readonly PartitionedRateLimiter<(string Ingest, string Id)> _turns = PartitionedRateLimiter.CreateChained(
        Turns(1, delivery => delivery), Turns((2 * options.MaxWritePoolSize) - 1, delivery => delivery.Ingest), Turns(2 * options.MaxWritePoolSize, _ => ""));

    /// <summary>Stores the rows of a request, or answers a handshake.</summary>
    /// <exception cref="ProblemException">400, 401, 413, 415 or 422 for the request; 503 while it is this app that is busy or not set up; 504.</exception>
    public async Task<IResult> RunAsync(IngestTemplate ingest, HttpRequest request)
    {
        using var run = telemetry.StartIngest(ingest.Name);
        try
        {
            var echo = ingest.Handshake?.Asked(request);
            if (echo is not null && ingest.Handshake!.Secret is { } secret
                && ingest.Handshake.Check(request, await SecretsAsync(ingest, secret, request.HttpContext.RequestAborted)) is { } refusal)
                throw Refuse(ingest, request, refusal, run);
            using var body = echo is null ? await AuthenticateAsync(ingest, request, run) : null;
            if ((echo ?? ingest.Handshake?.Asked(body!.Bytes.Span)) is { } text)
            {
                run.Succeed(0);
                request.HttpContext.Response.Headers.XContentTypeOptions = "nosniff"; // Anybody may have written it.
                return Results.Text(text, "text/plain", Encoding.UTF8);
            }
            var result = await StoreAsync(ingest, request, body!);
            run.Succeed(result.Inserted);
            return Results.Json(result);
        }
        catch (Exception e)
        {
            run.Fail(e, request.HttpContext.RequestAborted);
            throw;
        }
    }

    public ValueTask DisposeAsync() => _turns.DisposeAsync();

    private static PartitionedRateLimiter<(string, string)> Turns<TKey>(int count, Func<(string Ingest, string Id), TKey> key) where TKey : notnull =>
        PartitionedRateLimiter.Create<(string, string), TKey>(delivery => RateLimitPartition.GetConcurrencyLimiter(
            key(delivery), _ => new ConcurrencyLimiterOptions { PermitLimit = count, QueueLimit = int.MaxValue }));

    private async Task<IngestResult> StoreAsync(IngestTemplate ingest, HttpRequest request, IngestBuffer.Held body)
    {
        var (kind, packed) = MediaType(ingest, request);
        // One in a body that has to be made readable first is known in its turn only; two of it at once meet in the database.
        var id = ingest.IdHeaders.Count > 0 ? HeaderId(ingest, request) : ingest.IdField is { } field && !packed && kind == BodyKind.Json ? BodyId(field, body.Bytes.Span) : null;
        var headers = (string?[])[.. ingest.Headers.Select(name => request.Headers.TryGetValue(name, out var value) ? value.ToString() : null)];

        // From here on the sender may hang up: it did its part, and many don't try again.
        var start = time.GetTimestamp();
        using var limit = new CancellationTokenSource(ingest.Timeout, time);
        RateLimitLease? turn = null;
        try
        {
            turn = await _turns.AcquireAsync((ingest.Name, id ?? Guid.NewGuid().ToString()), 1, limit.Token);
            var bytes = packed ? await UnpackAsync(body, ingest.MaxBytes, limit.Token) : body.Bytes;
            if (kind == BodyKind.Form)
                bytes = FormBody.ToJson(bytes.Span, ingest.Form, ingest.Columns);
            var delivery = new Delivery(id ?? (ingest.IdField is { } place ? BodyId(place, bytes.Span) : null), headers);
            var rows = IngestRows.Read(ingest, bytes.Span, kind == BodyKind.Lines);
            if (rows.Rejected.Count > 0 && !ingest.SkipsMisfits)
                throw new ProblemException(DoNotFit(rows));
            var inserted = await store.StoreAsync(ingest, delivery, rows, () => ingest.Timeout - time.GetElapsedTime(start), limit.Token);
            return new(rows.Count, inserted ?? 0, inserted is null ? 0 : rows.Rejected.Count, inserted is null);
        }
        catch (Exception e) when (e is TimeoutException || (e is OperationCanceledException && limit.IsCancellationRequested))
        {
            throw new ProblemException(turn is not null
                ? new Problem(504, "MotherDuck timed out", $"The rows were not stored within the limit of {Duration.Write(ingest.Timeout)}.")
                : new Problem(503, "Busy", "Too many deliveries are waiting. Try again shortly.") { RetryAfter = TimeSpan.FromSeconds(5) });
        }
        finally
        {
            turn?.Dispose();
        }
    }

    private async Task<IngestBuffer.Held> AuthenticateAsync(IngestTemplate ingest, HttpRequest request, Telemetry.Run run)
    {
        var aborted = request.HttpContext.RequestAborted;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        limit.CancelAfter(ingest.Timeout);
        IngestBuffer.Held? body = null;
        try
        {
            var keys = await SecretsAsync(ingest, ingest.Signature.Secret, limit.Token);
            using var check = ingest.Signature.Begin(request, keys, time.GetUtcNow(), out var refusal);
            if (check is null)
                throw Refuse(ingest, request, refusal!, run);
            if (request.ContentLength > ingest.MaxBytes)
                throw IngestBuffer.TooLarge(ingest.MaxBytes);
            body = await buffer.ReadAsync(request.Body, ingest.MaxBytes, check.Append, limit.Token);
            refusal = check.Finish(body.Bytes);
            return refusal is null ? body : throw Refuse(ingest, request, refusal, run);
        }
        catch (Exception e)
        {
            body?.Dispose();
            if (e is BadHttpRequestException bad)
                throw new ProblemException(bad.StatusCode == 413 ? IngestBuffer.TooLarge(ingest.MaxBytes).Problem : new Problem(bad.StatusCode, "Bad request", "The body did not arrive whole."));
            if (e is OperationCanceledException && !aborted.IsCancellationRequested)
                throw new ProblemException(new Problem(408, "Request timeout", $"The body did not arrive within the limit of {Duration.Write(ingest.Timeout)}."));
            if (e is SecretException secret)
                throw NotSetUp(ingest, secret);
            throw;
        }
    }

    private async ValueTask<IReadOnlyList<byte[]>> SecretsAsync(IngestTemplate ingest, string name, CancellationToken cancellationToken)
    {
        try
        {
            return await secrets.GetAsync(name, cancellationToken);
        }
        catch (SecretException e)
        {
            throw NotSetUp(ingest, e);
        }
    }

    private ProblemException NotSetUp(IngestTemplate ingest, SecretException e)
    {
        logger.LogError("Ingest {Ingest} has no secret to check signatures with: {Reason}", ingest.Name, e.Message);
        return new(new Problem(503, "Not set up", "This ingest cannot check signatures yet. The log has the details under this trace id."));
    }

    // The sender learns nothing; the log tells the owner which check failed, and never a secret or a value of the request.
    private ProblemException Refuse(IngestTemplate ingest, HttpRequest request, Refusal refusal, Telemetry.Run run)
    {
        run.Refuse(refusal.Check);
        var names = request.Headers.Keys.Order(StringComparer.OrdinalIgnoreCase).Take(50).Select(name => name.Length > 60 ? $"{name[..60]}..." : name);
        logger.LogWarning("Ingest {Ingest} refused a delivery ({Check}): {Reason}; headers present: {Headers} (trace {TraceId})",
            ingest.Name, refusal.Check, refusal.Detail, string.Join(", ", names), Problem.TraceId(request.HttpContext));
        return new(new Problem(401, "Unauthorized"));
    }

    private static (BodyKind Kind, bool Packed) MediaType(IngestTemplate ingest, HttpRequest request)
    {
        BodyKind? kind = !MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !RequestBody.IsUtf8(type) ? null : type.MediaType.Value!.ToLowerInvariant() switch
        {
            "application/x-ndjson" or "application/ndjson" or "application/jsonl" or "application/x-jsonlines" => BodyKind.Lines,
            FormBody.MediaType => BodyKind.Form,
            var name => RequestBody.IsJson(type) || name == ingest.ContentType ? BodyKind.Json : null,
        };
        if (kind is null)
            throw new ProblemException(new Problem(415, "Unsupported media type", "Expected Content-Type: application/json, application/x-ndjson or application/x-www-form-urlencoded, in UTF-8."));
        return request.Headers.ContentEncoding.ToString().ToLowerInvariant() switch
        {
            "" or "identity" => (kind.Value, false),
            "gzip" => (kind.Value, true),
            _ => throw new ProblemException(new Problem(415, "Unsupported content encoding", "Expected Content-Encoding: gzip, or none.")),
        };
    }

    private static string HeaderId(IngestTemplate ingest, HttpRequest request)
    {
        var header = ingest.IdHeaders.FirstOrDefault(request.Headers.ContainsKey) ?? ingest.IdHeaders[0];
        return request.Headers[header] is [{ Length: > 0 and <= MaxIdLength } id]
            ? id
            : throw new ProblemException(Problem.BadRequest($"The header {header} is missing; expected it once, with the delivery's id of at most {MaxIdLength} characters."));
    }

    private static string BodyId(Place field, ReadOnlySpan<byte> body) => field.Values(body) is [{ Length: > 0 and <= MaxIdLength } id]
        ? id
        : throw new ProblemException(Problem.BadRequest($"The body has no '{field.Name}'; expected it once, with the delivery's id, a text or number of at most {MaxIdLength} characters."));

    private static async Task<ReadOnlyMemory<byte>> UnpackAsync(IngestBuffer.Held packed, int maxBytes, CancellationToken cancellationToken)
    {
        try
        {
            using var unpacked = new MemoryStream();
            await using var gzip = new GZipStream(packed.Open(), CompressionMode.Decompress);
            var chunk = new byte[16 * 1024];
            for (int read; (read = await gzip.ReadAsync(chunk, cancellationToken)) > 0;)
            {
                if (unpacked.Length + read > maxBytes)
                    throw IngestBuffer.TooLarge(maxBytes);
                unpacked.Write(chunk, 0, read);
            }
            // GZipStream takes a cut stream for a short one. The last four bytes say how long it should have been.
            if (packed.Length < 18 || BinaryPrimitives.ReadUInt32LittleEndian(packed.Bytes.Span[^4..]) != unpacked.Length)
                throw new InvalidDataException();
            return unpacked.GetBuffer().AsMemory(0, (int)unpacked.Length);
        }
        catch (InvalidDataException)
        {
            throw new ProblemException(Problem.BadRequest("The body is not one whole gzip stream, though its Content-Encoding says so."));
        }
    }

    private static Problem DoNotFit(IngestRows rows)
    {
        const int shown = 10;
        var errors = rows.Rejected.Take(shown).ToDictionary(row => $"[{row.Index}]", row => new[] { $"{(row.Misfit.Path is "" ? "the row" : $"'{row.Misfit.Path}'")} {row.Misfit.Reason}." });
        return new Problem(422, "Rows do not fit",
            $"{rows.Rejected.Count} of {rows.Count} rows do not fit, and none was stored; the first, with its index from 0: {errors.First().Key} {errors.First().Value[0]}")
        { Errors = errors };
    }

    private enum BodyKind
    {
        Json,
        Lines,
        Form,
    }
}
