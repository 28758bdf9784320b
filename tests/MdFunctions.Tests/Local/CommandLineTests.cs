using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace MdFunctions.Tests.Local;

/// <summary>The local host as it is started from a shell: what it prints, and what it says when something is missing.</summary>
public sealed class CommandLineTests
{
    [Fact]
    public async Task Help_names_every_option()
    {
        var (exitCode, output, _) = await RunAsync(["--help"]);
        Assert.Equal(0, exitCode);
        Assert.All((string[])["--port N", "--endpoint-port N", "--data DIR", "--motherduck", "--help"], option => Assert.Contains(option, output, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("'--prot'", "--prot", "1")]
    [InlineData("--port takes a port from 0 to 65535, not 'x'", "--port", "x")]
    [InlineData("--port takes a port from 0 to 65535, not '70000'", "--port", "70000")]
    [InlineData("--data needs a value", "--data")]
    public async Task A_wrong_option_is_named(string message, params string[] arguments)
    {
        var (exitCode, _, errors) = await RunAsync(arguments);
        Assert.Equal(1, exitCode);
        Assert.Contains(message, errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--port")]
    [InlineData("--endpoint-port")]
    public async Task A_port_that_is_taken_is_named(string option)
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        string[] others = option == "--port" ? ["--endpoint-port", "0"] : ["--port", "0"];
        var (exitCode, _, errors) = await RunAsync([option, port, .. others]);
        Assert.Equal(1, exitCode);
        Assert.Contains(port, errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_prints_what_it_serves_keeps_its_data_and_stops_when_told()
    {
        var data = Directory.CreateTempSubdirectory("mdfunctions-data-").FullName;
        try
        {
            for (var start = 0; start < 2; start++)
            {
                using var process = Start(["--port", "0", "--endpoint-port", "0", "--data", data]);
                var banner = await BannerAsync(process);
                Assert.Matches(@"LoadsDaily +timer 0 30 2 \* \* \*", banner);
                Assert.Matches(@"Query +ANY http://localhost:\d+/api/queries/\{name\}", banner);
                Assert.Matches(@"psql ""host=localhost port=\d+ dbname=md: user=postgres sslmode=verify-full sslrootcert=\S+ca\.pem""", banner);
                Assert.Contains("password (PGPASSWORD): local", banner, StringComparison.Ordinal);
                var curl = banner.Split('\n').Single(line => line.Contains("curl '", StringComparison.Ordinal));
                var url = new Uri(curl.Split('\'')[1]);

                using var client = new HttpClient();
                Assert.Equal(5, (await client.GetFromJsonAsync<JsonElement>(url)).GetArrayLength());
                if (start == 0)
                    (await client.PostAsync(new Uri(url, "/api/loads/weather"), null)).EnsureSuccessStatusCode();
                // The second start finds what the first one loaded.
                Assert.NotEqual(0, (await client.GetFromJsonAsync<JsonElement>(new Uri(url, "/api/queries/weather"))).GetArrayLength());

                using var unknown = await client.PostAsync(new Uri(url, "/admin/functions/None"), JsonContent.Create(new { }));
                Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
                await StopAsync(process);
            }
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static Process Start(IEnumerable<string> arguments, string? path = null)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, [Path.Combine(AppContext.BaseDirectory, "MdFunctions.Local.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("MOTHERDUCK_TOKEN");
        if (path is not null)
            start.Environment["PATH"] = path;
        return Process.Start(start)!;
    }

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync(IEnumerable<string> arguments, string? path = null)
    {
        using var process = Start(arguments, path);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output, await errors);
    }

    private static async Task<string> BannerAsync(Process process)
    {
        var banner = new StringBuilder();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            banner.AppendLine(line);
            if (line.StartsWith("Ctrl+C", StringComparison.Ordinal))
                return banner.ToString();
        }
        throw new InvalidOperationException($"It ended: {banner}{await process.StandardError.ReadToEndAsync(limit.Token)}");
    }

    // SIGINT is what Ctrl+C sends; .NET has no call for it.
    private static async Task StopAsync(Process process)
    {
        if (OperatingSystem.IsWindows())
        {
            process.Kill(entireProcessTree: true);
            return;
        }
        using var kill = Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)]);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await process.WaitForExitAsync(limit.Token);
        Assert.Equal(0, process.ExitCode);
    }
}
