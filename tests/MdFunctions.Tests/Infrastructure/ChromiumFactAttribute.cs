using Microsoft.Playwright;

namespace MdFunctions.Tests.Infrastructure;

/// <summary>A test in a real browser: Debian's Chromium, which CI installs. Skipped by name where there is none.</summary>
public sealed class ChromiumFactAttribute : FactAttribute
{
    public ChromiumFactAttribute()
    {
        if (Path is null)
            Skip = "needs Chromium on the PATH (apt-get install chromium), or its path in CHROMIUM";
    }

    /// <summary>The browser's program; null if there is none.</summary>
    public static string? Path { get; } = ((string?[])[Environment.GetEnvironmentVariable("CHROMIUM"), .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').SelectMany(folder => (string[])[$"{folder}/chromium", $"{folder}/google-chrome"])])
        .FirstOrDefault(File.Exists);

    /// <summary>Starts the browser, which asks nobody but the page's own hosts.</summary>
    public static Task<IBrowser> LaunchAsync(IPlaywright playwright) => playwright.Chromium.LaunchAsync(new()
    {
        ExecutablePath = Path,
        Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });

    /// <summary>Refuses all that a page calls without a function key, as Azure's host does; the local one asks for none.</summary>
    public static Task AskForKeyAsync(IPage page, string key) => page.RouteAsync("**/api/**", async route =>
    {
        if (route.Request.Url.EndsWith("/docs", StringComparison.Ordinal) || route.Request.Headers.GetValueOrDefault("x-functions-key") == key)
            await route.ContinueAsync();
        else
            await route.FulfillAsync(new() { Status = 401 });
    });
}
