using System.Text.Json;
using MdFunctions.Engine.Health;
using MdFunctions.Engine.MotherDuck;

namespace MdFunctions.Tests.Doctor;

/// <summary>The answer of <c>/api/health</c> is written by generated code, as the serializer would write it.</summary>
public sealed class HealthJsonTests
{
    [Theory]
    [InlineData(null, null, null, false)]
    [InlineData(12.5, 3.0, "2026-02-28T10:20:30.5+01:00", true)]
    [InlineData(0.1, 1e9, "2026-02-28T10:20:30Z", false)]
    public void What_is_written_is_what_a_serializer_writes(double? roundTrip, double? age, string? expires, bool fails)
    {
        var pool = new PoolHealth(new PoolState(1, 2, 3, 4), age, expires is null ? null : DateTimeOffset.Parse(expires, System.Globalization.CultureInfo.InvariantCulture), fails);
        var health = new Engine.Health.Health("ok", roundTrip is { } time ? new DeepHealth(time) : null, pool, pool with { TokenReadFails = !fails });
        Assert.Equal(JsonSerializer.Serialize(health, JsonSerializerOptions.Web), JsonSerializer.Serialize(health, HealthJson.Default.Health));
    }
}
