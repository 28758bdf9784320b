namespace MdFunctions.Engine.MotherDuck;

/// <summary>What an app adds to OpenTelemetry to see the engine at work.</summary>
public static class TelemetrySources
{
    /// <summary>The names of the activity sources and of the meters: the engine's own and Npgsql's, with SQL and data left out.</summary>
    public static string[] Names => [Telemetry.Name, Tracing.Npgsql];
}
