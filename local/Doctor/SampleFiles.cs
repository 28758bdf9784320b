using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Local.Doctor;

/// <summary>The sample files over HTTP, for an endpoint on this machine to read.</summary>
internal sealed class SampleFiles : IAsyncDisposable
{
    private readonly WebApplication _app;

    private SampleFiles(WebApplication app) => _app = app;

    /// <summary>The sample of weather.</summary>
    public Uri Csv => new(new Uri(_app.Urls.First()), "samples/weather.csv");

    /// <summary>Serves them on any free port of localhost.</summary>
    public static async Task<SampleFiles> StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Run(context => LocalHost.Sample(Path.GetFileName(context.Request.Path)).ExecuteAsync(context));
        await app.StartAsync(cancellationToken);
        return new SampleFiles(app);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
