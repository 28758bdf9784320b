using MdFunctions.Ingest;
using MdFunctions.Loads;
using MdFunctions.MotherDuck;
using MdFunctions.Queries;
using MdFunctions.Templates;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MdFunctions;

/// <summary>All services of the app: what <c>Program.cs</c> adds to its host.</summary>
public static class AppServices
{
    /// <summary>Reads the settings and the SQL files, and adds the features that serve them.</summary>
    /// <exception cref="StartupException">A setting or a SQL file is wrong; the message lists all faults.</exception>
    public static IServiceCollection AddApp(this IServiceCollection services, IConfiguration configuration)
    {
        var settings = new Settings(configuration);
        var motherDuck = MotherDuckOptions.Read(settings);
        var ingestBuffer = IngestBuffer.Read(settings);
        var queries = QueryOptions.Read(settings);
        var loads = LoadOptions.Read(settings, motherDuck);
        var templates = TemplateCatalog.Read(settings, queries, settings.Text("SqlDirectory") ?? Path.Combine(AppContext.BaseDirectory, "sql"));

        string[] faults = [.. settings.Faults, .. templates.Faults];
        if (faults.Length > 0)
            throw new StartupException(faults);

        // At level Information ASP.NET Core logs each request's URL, with the function key and the parameters in it.
        services.AddLogging(logging => logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning));
        services.AddSingleton(TimeProvider.System);
        services.AddMotherDuck(motherDuck);
        services.AddSingleton(templates);
        services.AddSingleton(queries).AddSingleton<QueryShapes>().AddSingleton<QueryGate>().AddSingleton<QueryCache>().AddSingleton<QueryRunner>();
        services.AddSingleton(settings).AddSingleton(ingestBuffer).AddSingleton<WebhookSecrets>().AddSingleton<IngestStore>().AddSingleton<IngestRunner>();
        services.AddSingleton(loads).AddSingleton<LoadLedger>().AddSingleton<LoadRunner>().AddSingleton<LoadSchedule>().AddSingleton<LoadRequests>().AddSingleton<StorageEvents>();
        return services;
    }
}
