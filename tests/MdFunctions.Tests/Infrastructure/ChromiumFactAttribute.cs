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
}
