using System.Diagnostics;
using System.Text.Json;
using MdFunctions.Engine.Access;
using MdFunctions.Engine.Http;
using MdFunctions.Engine.MotherDuck;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Health;

/// <summary>What <c>/api/health</c> answers.</summary>
public sealed class HealthRequests
{
    // A parameter as queries send it, and values of a few types, whose forms on the wire are known.
    private const string Question = "SELECT CAST($1 AS VARCHAR) AS words, 42 AS number, true AS flag, DATE '2026-02-28' AS day, CAST(NULL AS VARCHAR) AS nothing";
    private const string Sent = "Zürich";

    private static readonly TimeSpan DeepLimit = TimeSpan.FromSeconds(10);

    private readonly MotherDuckDataSources _dataSources;
    private readonly TimeProvider _time;

    internal HealthRequests(MotherDuckDataSources dataSources, TimeProvider time) => (_dataSources, _time) = (dataSources, time);

    /// <summary>
    /// 200 while the app runs, with the tokens' age and the pools' state. With <c>?deep=true</c> it asks MotherDuck too, and answers
    /// the round-trip time or 503: for people, not for probes, which would keep MotherDuck's engine awake and billed. Where MotherDuck answers in a way that the app does
    /// not know, it names the doctor.
    /// </summary>
    public Task<IResult> GetAsync(HttpRequest request) => Guard.RunAsync(request, Door.Open, async () =>
    {
        var deep = request.Query["deep"] == "true" ? await AskMotherDuckAsync(request.HttpContext.RequestAborted) : null;
        var health = new Health("ok", deep, PoolHealth.Of(_dataSources.Read, _time), PoolHealth.Of(_dataSources.Write, _time));
        return Results.Bytes(JsonSerializer.SerializeToUtf8Bytes(health, HealthJson.Default.Health), "application/json; charset=utf-8");
    });

    private async Task<DeepHealth> AskMotherDuckAsync(CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        try
        {
            var rows = await _dataSources.Read.ReadAsync(DeepLimit, (connection, stop) => connection.RowsAsync(Question, [Sent], stop), cancellationToken);
            if (rows is not [[Sent, "42", "t" or "true", "2026-02-28", null]])
                throw Unknown("its values have other forms");
            return new(Math.Round(Stopwatch.GetElapsedTime(start).TotalMilliseconds, 1));
        }
        catch (Exception e) when (MotherDuckError.From(e) is { } error)
        {
            // That it refuses a statement without a table is no matter of its load.
            throw error.Kind == MotherDuckErrorKind.Rejected
                ? Unknown(error.Reason)
                : new ProblemException(new Problem(503, "MotherDuck is not available", $"MotherDuck did not answer: {error.Reason}."));
        }
        catch (Exception e) when (e is InvalidOperationException or InvalidCastException or NotSupportedException)
        {
            throw Unknown("Npgsql does not understand it"); // Its state of the protocol, or a format that was not asked for.
        }

        static ProblemException Unknown(string how) => new(new Problem(503, "MotherDuck answers in another way",
            $"MotherDuck answers in a way that this app does not know: {how}. 'dotnet run --project local -- doctor --motherduck' tells what differs, and what that means."));
    }
}

/// <summary>What <c>GET /api/health</c> answers.</summary>
/// <param name="Status"><c>ok</c>: the app runs.</param>
/// <param name="MotherDuck">With <c>?deep=true</c>, what MotherDuck answered.</param>
/// <param name="Read">The pool of queries.</param>
/// <param name="Write">The pool of loads and ingests.</param>
internal sealed record Health(string Status, DeepHealth? MotherDuck, PoolHealth Read, PoolHealth Write);

/// <summary>A query's way to MotherDuck and back.</summary>
/// <param name="RoundTripMilliseconds">How long it took, with a login where no connection was open.</param>
internal sealed record DeepHealth(double RoundTripMilliseconds);

/// <summary>A pool and its token.</summary>
/// <param name="Connections">What its connections are doing.</param>
/// <param name="TokenAgeSeconds">How long ago its token was read; null before the first connection.</param>
/// <param name="TokenExpires">When the token or its Key Vault secret ends; null if never.</param>
/// <param name="TokenReadFails">Whether the last attempt to read it failed; the log says why.</param>
internal sealed record PoolHealth(PoolState Connections, double? TokenAgeSeconds, DateTimeOffset? TokenExpires, bool TokenReadFails)
{
    /// <summary>Describes a pool.</summary>
    public static PoolHealth Of(MotherDuckDataSource pool, TimeProvider time) => new(
        pool.State,
        pool.Token.Current is { } token ? Math.Round((time.GetUtcNow() - token.FetchedAt).TotalSeconds, 1) : null,
        pool.Token.Current?.Expires,
        pool.Token.Failure is not null);
}
