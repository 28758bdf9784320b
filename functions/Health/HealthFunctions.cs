using System.Diagnostics;
using MdFunctions.Http;
using MdFunctions.MotherDuck;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace MdFunctions.Health;

/// <summary><c>/api/health</c>.</summary>
public sealed class HealthFunctions(MotherDuckDataSources dataSources)
{
    /// <summary>
    /// <c>GET /api/health</c>: 200 while the app runs. With <c>?deep=true</c> it asks MotherDuck too, and answers the round-trip time or 503: for people, not
    /// for probes, which would keep MotherDuck's engine awake and billed.
    /// </summary>
    [Function("Health")]
    public Task<IResult> Get([HttpTrigger(AuthorizationLevel.Function, "get", Route = "health")] HttpRequest request) =>
        Guard.RunAsync(request, async () => request.Query["deep"] == "true" ? await AskMotherDuckAsync(request.HttpContext) : Results.Json(new { status = "ok" }));

    private async Task<IResult> AskMotherDuckAsync(HttpContext http)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        limit.CancelAfter(TimeSpan.FromSeconds(10));
        try
        {
            await using var connection = await dataSources.Read.OpenAsync(limit.Token);
            var start = Stopwatch.GetTimestamp();
            await connection.ScalarAsync("SELECT 1", limit.Token);
            return Results.Json(new { status = "ok", motherDuck = new { roundTripMilliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds } });
        }
        catch (Exception e) when (MotherDuckError.From(e) is not null || (e is OperationCanceledException && !http.RequestAborted.IsCancellationRequested))
        {
            var reason = MotherDuckError.From(e)?.Reason ?? "no answer in 10s";
            return new Problem(503, "MotherDuck is not available", $"MotherDuck did not answer: {reason}.");
        }
    }
}
