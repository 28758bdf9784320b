using Azure.Core;
using Azure.Monitor.OpenTelemetry.Exporter;
using MdFunctions;
using MdFunctions.MotherDuck;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.OpenTelemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry;

var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
builder.Services.AddApp(builder.Configuration);

// Telemetry goes to Application Insights where there is one; the identity that reads the vault may write there.
var telemetry = builder.Services.AddOpenTelemetry()
    .UseFunctionsWorkerDefaults()
    .WithTracing(tracing => tracing.AddSource(Telemetry.Name, Tracing.Npgsql))
    .WithMetrics(metrics => metrics.AddMeter(Telemetry.Name, Tracing.Npgsql));
if (builder.Configuration["APPLICATIONINSIGHTS_CONNECTION_STRING"] is { Length: > 0 })
{
    telemetry.UseAzureMonitorExporter(); // First: it leaves its own defaults out where options are configured already.
    builder.Services.AddOptions<AzureMonitorExporterOptions>().Configure<TokenCredential>((exporter, credential) => exporter.Credential = credential);
}

builder.Build().Run();
