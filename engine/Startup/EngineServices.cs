using System.Diagnostics.Metrics;
using MdFunctions.Engine.Access;
using MdFunctions.Engine.Docs;
using MdFunctions.Engine.Health;
using MdFunctions.Engine.Http;
using MdFunctions.Engine.Ingest;
using MdFunctions.Engine.Loads;
using MdFunctions.Engine.Mcp;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Queries;
using MdFunctions.Engine.Templates;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Engine;

/// <summary>All services of the engine: what <c>App.cs</c> adds to its host.</summary>
public static class EngineServices
{
    /// <summary>
    /// Begins to load, in the background, what reading the SQL files takes of the runtime: the YAML parser compiles an expression first of all. Called before the host is put
    /// together, it is over when the files are read. Nothing depends on it.
    /// </summary>
    public static void Preload() => _ = Task.Run(FrontMatter.Preload);

    /// <summary>Reads the settings and the SQL files, and adds the features that serve them.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configuration">Where the settings come from.</param>
    /// <param name="loadFunctions">The app's class whose timers run loads; a load's <c>schedule</c> is the name of one of its methods, in lower case.</param>
    /// <exception cref="StartupException">A setting or a SQL file is wrong; the message lists all faults.</exception>
    public static IServiceCollection AddMdFunctions(this IServiceCollection services, IConfiguration configuration, Type loadFunctions)
    {
        var settings = new Settings(configuration);
        var triggers = AppTriggers.Of(loadFunctions);
        var access = AccessOptions.Read(settings, triggers);
        var motherDuck = MotherDuckOptions.Read(settings);
        var ingestBuffer = IngestBuffer.Read(settings);
        var queries = QueryOptions.Read(settings);
        var loads = LoadOptions.Read(settings, motherDuck);
        var timers = TimerSchedules.Read(settings, triggers);
        var templates = TemplateCatalog.Read(settings, queries, triggers, settings.Text("SqlDirectory") ?? Path.Combine(AppContext.BaseDirectory, "sql"));

        var url = new PublicUrl(settings);
        var origins = AllowedOrigins.Read(settings, url);
        var mcp = McpOptions.Read(settings);

        string[] faults = [.. settings.Faults, .. templates.Faults];
        if (faults.Length > 0)
            throw new StartupException(faults);

        // At level Information ASP.NET Core logs each request's URL, with the function key and the parameters in it.
        services.AddLogging(logging => logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning));
        services.AddSingleton(TimeProvider.System);
        services.AddMotherDuck(motherDuck);
        services.AddSingleton(templates);
        services.AddSingleton(access).AddSingleton<TokenCheck>().AddSingleton(app => new Lazy<TokenCheck>(app.Get<TokenCheck>)).AddSingleton<Audit>().AddSingleton<Admission>();
        services.AddSingleton(url).AddSingleton(origins).AddSingleton<QueryColumns>();
        services.AddSingleton(mcp).AddSingleton<McpTools>();
        services.AddSingleton(queries).AddSingleton<QueryShapes>().AddSingleton<QueryCache>().AddSingleton<AnswerBuffer>().AddSingleton<QueryRunner>();
        services.AddSingleton(settings).AddSingleton(ingestBuffer).AddSingleton<WebhookSecrets>().AddSingleton<IngestTargets>().AddHostedService<IngestCheck>().AddSingleton<IngestStore>().AddSingleton<IngestRunner>();
        services.AddSingleton(loads).AddSingleton(timers).AddSingleton<TableWriter>().AddSingleton<LoadLedger>().AddSingleton<LoadRunner>().AddHostedService<DueLoads>();
        return services.AddWhatTriggersCall();
    }

    // Their constructors take internal types, so that the container cannot call them by itself.
    private static IServiceCollection AddWhatTriggersCall(this IServiceCollection services) => services
        .AddSingleton(app => new QueryRequests(app.Get<TemplateCatalog>(), app.Get<QueryRunner>(), app.Get<PublicUrl>()))
        .AddSingleton(app => new IngestRequests(app.Get<TemplateCatalog>(), app.Get<IngestRunner>()))
        .AddSingleton(app => new LoadRequests(app.Get<TemplateCatalog>(), app.Get<LoadRunner>(), app.Get<LoadLedger>(), app.Get<TimeProvider>(), app.Get<PublicUrl>(), app.Get<Audit>()))
        .AddSingleton(app => new LoadSchedule(app.Get<LoadRunner>(), app.Get<TemplateCatalog>(), app.Get<TimerSchedules>(), app.Get<LoadOptions>(), app.Get<TimeProvider>(), app.Get<ILogger<LoadSchedule>>()))
        .AddSingleton(app => new StorageEvents(app.Get<LoadRunner>(), app.Get<TemplateCatalog>(), app.Get<LoadOptions>(), app.Get<TimeProvider>(), app.Get<IMeterFactory>(), app.Get<ILogger<StorageEvents>>()))
        .AddSingleton(app => new DocsRequests(app.Get<TemplateCatalog>(), app.Get<QueryColumns>(), app.Get<PublicUrl>(), app.Get<AccessOptions>(), app.Get<Lazy<TokenCheck>>(), app.Get<Audit>()))
        .AddSingleton(app => new McpRequests(app.Get<McpTools>(), app.Get<AllowedOrigins>(), app.Get<AccessOptions>(), app.Get<PublicUrl>(), app.Get<ILoggerFactory>(), app))
        .AddSingleton(app => new HealthRequests(app.Get<MotherDuckDataSources>(), app.Get<TimeProvider>()));

    private static T Get<T>(this IServiceProvider services) where T : notnull => services.GetRequiredService<T>();
}
