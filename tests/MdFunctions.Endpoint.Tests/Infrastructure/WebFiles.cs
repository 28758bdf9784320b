using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Endpoint.Tests.Infrastructure;

/// <summary>An HTTP server whose answers a test decides on: the storage that statements read.</summary>
public sealed class WebFiles : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, RequestDelegate> _answers = new(StringComparer.Ordinal);

    private WebFiles()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.Run(context =>
        {
            if (_answers.TryGetValue(context.Request.Path.Value!, out var answer)) return answer(context);
            context.Response.StatusCode = 404;
            return Task.CompletedTask;
        });
    }

    /// <summary>Where it listens, without a slash at the end.</summary>
    public string Url => _app.Urls.First();

    public static async Task<WebFiles> StartAsync()
    {
        var files = new WebFiles();
        await files._app.StartAsync();
        return files;
    }

    public void Put(string path, RequestDelegate answer) => _answers[path] = answer;

    public void Put(string path, byte[] content) => Put(path, async context =>
    {
        context.Response.ContentLength = content.Length;
        await context.Response.Body.WriteAsync(content);
    });

    public void Put(string path, string text) => Put(path, System.Text.Encoding.UTF8.GetBytes(text));

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(true));
        await _app.DisposeAsync();
    }
}
