using System.Diagnostics;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Endpoint;

/// <summary>A test that needs <c>psql</c> and is skipped, saying so, where it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PsqlFactAttribute : FactAttribute
{
    private static readonly bool Installed = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, "psql")) || File.Exists(Path.Combine(folder, "psql.exe")));

    public PsqlFactAttribute()
    {
        if (!Installed)
            Skip = "psql is not on PATH";
    }
}

/// <summary>The pages' own client against the endpoint, verified against its CA file.</summary>
public sealed class PsqlTests
{
    [PsqlFact]
    public async Task Runs_the_pages_example()
    {
        var (exitCode, output, errors) = await PsqlAsync(
            "sslmode=verify-full", SharedEndpoint.Token, "SELECT title, score FROM sample_data.hn.hacker_news WHERE type = 'story' ORDER BY score DESC LIMIT 5");
        Assert.True(exitCode == 0, errors);
        var scores = output.Trim().Split('\n').Select(line => int.Parse(line[(line.LastIndexOf('|') + 1)..], System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal(5, scores.Length);
        Assert.Equal(scores.OrderDescending(), scores);
    }

    [PsqlFact]
    public async Task Does_not_get_in_without_TLS()
    {
        var (exitCode, _, errors) = await PsqlAsync("sslmode=disable", SharedEndpoint.Token, "SELECT 1");
        Assert.NotEqual(0, exitCode);
        Assert.Contains("TLS only", errors, StringComparison.Ordinal);
    }

    [PsqlFact]
    public async Task Does_not_get_in_with_a_wrong_token()
    {
        var (exitCode, _, errors) = await PsqlAsync("sslmode=verify-full", "wrong", "SELECT 1");
        Assert.NotEqual(0, exitCode);
        Assert.Contains("not a token", errors, StringComparison.Ordinal);
    }

    [PsqlFact]
    public async Task Cannot_copy()
    {
        var (_, _, errors) = await PsqlAsync("sslmode=verify-full", SharedEndpoint.Token, "COPY nothing FROM STDIN");
        Assert.Contains("COPY ... FROM STDIN is not supported", errors, StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Output, string Errors)> PsqlAsync(string tls, string token, string sql)
    {
        var endpoint = await SharedEndpoint.GetAsync();
        var start = new ProcessStartInfo("psql", ["-X", "-A", "-t", "-c", sql, $"host=localhost port={endpoint.Port} dbname=md: user=postgres {tls} sslrootcert='{endpoint.CaFile}'"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PGPASSWORD"] = token;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await errors);
    }
}
