using MdFunctions.Engine.Health;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace MdFunctions;

/// <summary><c>/api/health</c>.</summary>
public sealed class HealthFunctions(HealthRequests health)
{
    /// <summary><c>GET /api/health</c>: 200 while the app runs; with <c>?deep=true</c> it asks MotherDuck too.</summary>
    [Function("Health")]
    public Task<IResult> Get([HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "health")] HttpRequest request) => health.GetAsync(request);
}
