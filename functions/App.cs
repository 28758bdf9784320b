using Azure.Core;
using Azure.Monitor.OpenTelemetry.Exporter;
using MdFunctions.Engine;
using MdFunctions.Engine.MotherDuck;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.OpenTelemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry;

namespace MdFunctions;

/// <summary>What the app is made of.</summary>
public static class App
{
    /// <summary>Puts the app together.</summary>
    /// <param name="args">The command line that the Functions host gives.</param>
    /// <param name="configure">What a test or the local host changes before the settings are read.</param>
    /// <exception cref="StartupException">A setting or a SQL file is wrong; the message lists all faults.</exception>
    public static FunctionsApplicationBuilder CreateBuilder(string[] args, Action<FunctionsApplicationBuilder>? configure = null)
    {
        var builder = FunctionsApplication.CreateBuilder(args);
        configure?.Invoke(builder);

        // HTTP by ASP.NET Core's own types.
        builder.ConfigureFunctionsWebApplication();

        // The SQL files, the pools and what serves them.
        builder.Services.AddMdFunctions(builder.Configuration, typeof(LoadFunctions));

        // Telemetry goes to Application Insights where there is one.
        builder.Services.AddTelemetry(builder.Configuration);
        return builder;
    }

    private static void AddTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        var telemetry = services.AddOpenTelemetry()
            .UseFunctionsWorkerDefaults()
            .WithTracing(tracing => tracing.AddSource(TelemetrySources.Names))
            .WithMetrics(metrics => metrics.AddMeter(TelemetrySources.Names));
        if (configuration["APPLICATIONINSIGHTS_CONNECTION_STRING"] is not { Length: > 0 })
            return;
        telemetry.UseAzureMonitorExporter(); // First: it leaves its own defaults out where options are configured already.
        services.AddOptions<AzureMonitorExporterOptions>().Configure<TokenCredential>((exporter, credential) =>
        {
            exporter.Credential = credential; // The identity that reads the vault may write there.
            // Of each instance's traces, as many as suffice to see how it goes; measurements and log lines, errors among them, are all sent.
            exporter.TracesPerSecond = 5;
            exporter.EnableTraceBasedLogsSampler = false;
        });
    }
}
