using Azure.Core;
using Azure.Monitor.OpenTelemetry.Exporter;
using MdFunctions.Engine;
using MdFunctions.Engine.MotherDuck;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Azure.Functions.Worker.OpenTelemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;

namespace MdFunctions;

/// <summary>What the app is made of.</summary>
public static class App
{
    /// <summary>Runs the app until its host ends it.</summary>
    /// <param name="args">The command line that the Functions host gives.</param>
    /// <returns>The exit code: 1 where the settings or SQL files have faults. Standard error then names all of them in one line, which the host takes for one error.</returns>
    public static int Run(string[] args)
    {
        try
        {
            CreateBuilder(args).Build().Run();
            return 0;
        }
        catch (StartupException e)
        {
            Console.Error.WriteLine($"error: {e.Line}");
            return 1;
        }
    }

    /// <summary>Puts the app together.</summary>
    /// <param name="args">The command line that the Functions host gives.</param>
    /// <param name="configure">What a test or the local host changes before the settings are read.</param>
    /// <exception cref="StartupException">A setting or a SQL file is wrong; the message lists all faults.</exception>
    public static FunctionsApplicationBuilder CreateBuilder(string[] args, Action<FunctionsApplicationBuilder>? configure = null)
    {
        EngineServices.Preload();
        var builder = FunctionsApplication.CreateBuilder(args);
        configure?.Invoke(builder);

        // Before all others: who hangs up may do so before the worker has the request, which would be an error in the log.
        builder.Use(next => context => EndQuietlyAsync(next, context));
        builder.Use(next => context => SendOnceAsync(next, context));
        // HTTP by ASP.NET Core's own types.
        builder.ConfigureFunctionsWebApplication();
        // Each feature has its own limit of a body and says so; the server's would be an empty 500.
        builder.Services.Configure<KestrelServerOptions>(server => server.Limits.MaxRequestBodySize = null);

        // The SQL files, the pools and what serves them.
        builder.Services.AddMdFunctions(builder.Configuration, typeof(LoadFunctions));

        // Telemetry goes to Application Insights where there is one.
        builder.Services.AddTelemetry(builder.Configuration);
        return builder;
    }

    private static async Task EndQuietlyAsync(FunctionExecutionDelegate next, FunctionContext context)
    {
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (IsOfCaller(context))
        {
            context.GetLogger("MdFunctions.Engine.Http").LogDebug("The caller of {Function} went away", context.FunctionDefinition.Name);
            try
            {
                context.GetHttpContext()?.Abort(); // An answer that has begun must not look whole.
            }
            catch (ObjectDisposedException)
            {
                // The server has ended it already.
            }
        }
    }

    // Whoever asked has the answer by now. The worker would write the object that made it as JSON, and send that to the host too.
    private static async Task SendOnceAsync(FunctionExecutionDelegate next, FunctionContext context)
    {
        await next(context);
        if (context.GetInvocationResult() is { Value: IResult } result)
            result.Value = null;
    }

    // A timer's call may be cancelled too, and then it has failed.
    private static bool IsOfCaller(FunctionContext context) =>
        context.FunctionDefinition.InputBindings.Values.Any(binding => binding.Type.Equals("httpTrigger", StringComparison.OrdinalIgnoreCase))
        && (context.CancellationToken.IsCancellationRequested || context.GetHttpContext()?.RequestAborted.IsCancellationRequested == true);

    private static void AddTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        var telemetry = services.AddOpenTelemetry()
            .UseFunctionsWorkerDefaults()
            .WithTracing(tracing => tracing.AddSource(TelemetrySources.Names))
            .WithMetrics(metrics => metrics.AddMeter(TelemetrySources.Names));
        // Without it hosts take a failed timer for a failed dependency, and none of our log lines for theirs.
        services.Configure<WorkerOptions>(worker => worker.Capabilities["WorkerOpenTelemetrySchemaVersion"] = "1.17.0");
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
