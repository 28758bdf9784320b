using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using MdFunctions.Local;
using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.Ingest;

namespace MdFunctions.Tests.Template;

/// <summary>Copies made with <c>dotnet new</c>. A copy is no template, so these tests are not part of it.</summary>
[Collection("Alone")]
public sealed partial class TemplateTests(TemplateTests.Installed templates) : IClassFixture<TemplateTests.Installed>
{
    /// <summary>The repository's templates, installed where nobody else looks.</summary>
    public sealed class Installed : IAsyncLifetime
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("mdfunctions-tests-").FullName;

        public Task InitializeAsync() => NewAsync(_folder, "install", LocalHost.RepositoryRoot());

        /// <summary>Makes a copy in a folder that is gone after the tests.</summary>
        public async Task<string> CopyAsync(string folder, params string[] options)
        {
            await NewAsync(_folder, ["mdfunctions", "-o", folder, .. options]);
            return Path.Combine(_folder, folder);
        }

        public Task NewAsync(string folder, params IEnumerable<string> arguments) =>
            Command.RunAsync(folder, "dotnet", ["new", .. arguments, "--debug:custom-hive", Path.Combine(_folder, "hive"), "--debug:disable-sdk-templates"]);

        public Task DisposeAsync()
        {
            Directory.Delete(_folder, recursive: true);
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task A_copy_has_its_own_name_and_passes_its_tests()
    {
        var copy = await templates.CopyAsync("whole", "-n", "Acme.Data", "--region", "eu-central-1");

        var files = Files(copy);
        var source = (await Command.RunAsync(LocalHost.RepositoryRoot(), "git", "ls-files", "--cached", "--others", "--exclude-standard"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Where(file => File.Exists(Path.Combine(LocalHost.RepositoryRoot(), file)))
            .Where(file => !file.StartsWith(".template.config/", StringComparison.Ordinal) && !file.StartsWith(".ci/", StringComparison.Ordinal) && !file.StartsWith("tests/MdFunctions.Tests/Template/", StringComparison.Ordinal))
            .Select(Renamed);
        Assert.Equal(source.Order(StringComparer.Ordinal), files);
        // The license names its authors.
        Assert.All(files.Where(file => file != "LICENSE"), file =>
            Assert.DoesNotContain("mdfunctions", File.ReadAllText(Path.Combine(copy, file)), StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(files, file => SpeaksOfNoSamples(Path.Combine(copy, file)));
        // dotnet format would refuse the order of the usings, in which the old name had another place.
        Assert.Contains("dotnet_sort_system_directives_first", File.ReadAllText(Path.Combine(LocalHost.RepositoryRoot(), ".editorconfig")), StringComparison.Ordinal);
        Assert.DoesNotContain("dotnet_sort_system_directives_first", File.ReadAllText(Path.Combine(copy, ".editorconfig")), StringComparison.Ordinal);
        Assert.Contains("motherduckRegion string = 'eu-central-1'", File.ReadAllText(Path.Combine(copy, "infra", "main.bicep")), StringComparison.Ordinal);
        Assert.Contains("\"MotherDuck:Region\": \"eu-central-1\"", File.ReadAllText(Path.Combine(copy, "local.settings.sample.json")), StringComparison.Ordinal);

        // The same packages by the same lock file, which are there once an endpoint runs; to install them is the other test's.
        await SharedEndpoint.GetAsync();
        Directory.CreateSymbolicLink(Path.Combine(copy, "local", "endpoint", "node_modules"), Path.Combine(LocalHost.RepositoryRoot(), "local", "endpoint", "node_modules"));
        var output = await Command.RunAsync(copy, "dotnet", "test", "tests/Acme.Data.Tests", "--filter", string.Join('|', ((string[])["Templates", "Queries.QueryTests", "Samples", "Docs"]).Select(name => $"FullyQualifiedName~Acme.Data.Tests.{name}.")));
        var counts = Counts().Match(output);
        Assert.True(counts.Success && counts.Groups[1].Value == "0" && int.Parse(counts.Groups[2].Value, null) > 50, output);
    }

    [Fact]
    public async Task A_copy_without_samples_serves_nothing_until_it_gets_files_from_the_item_templates()
    {
        var copy = await templates.CopyAsync("bare", "-n", "my-data", "--no-samples");
        Assert.DoesNotContain(Files(copy), file => file.Contains("/Samples/", StringComparison.Ordinal) || file.EndsWith(".sql", StringComparison.Ordinal));

        Assert.Equal(["README.md", "http/my_data.http"], Files(copy).Where(file => SpeaksOfNoSamples(Path.Combine(copy, file))));

        await Command.RunAsync(copy, "dotnet", "build", "local", "-v", "quiet");
        var start = Command.Start(copy, "dotnet", "local/bin/Debug/net10.0/my_data.Local.dll", "--port", "0", "--endpoint-port", "0");
        using (var host = Process.Start(start)!)
        {
            try
            {
                var (address, banner) = await BannerAsync(host);
                Assert.EndsWith("/api/queries'", banner.Single(line => line.Contains("  curl ", StringComparison.Ordinal)), StringComparison.Ordinal);
                using var client = new HttpClient { BaseAddress = address };
                Assert.Equal("[]", await client.GetStringAsync("api/queries"));
                Assert.Equal("[]", await client.GetStringAsync("api/loads"));
                Assert.Contains("\"roundTripMilliseconds\"", await client.GetStringAsync("api/health?deep=true"), StringComparison.Ordinal);
            }
            finally
            {
                host.Kill(entireProcessTree: true);
                await host.WaitForExitAsync();
            }
        }

        var name = $"it-{Guid.NewGuid():N}";
        foreach (var item in (string[])["mdquery", "mdload", "mdingest"])
            await templates.NewAsync(copy, item, "-n", name);
        Assert.Equal(
            [$"functions/sql/ingest/{name}.sql", $"functions/sql/loads/{name}.sql", $"functions/sql/queries/{name}.sql"],
            Files(copy).Where(file => file.EndsWith(".sql", StringComparison.Ordinal)));
        await ItemsWorkAsync(Path.Combine(copy, "functions", "sql"), name);
    }

    private static bool SpeaksOfNoSamples(string path) => File.ReadAllText(path).Contains("copy was made without", StringComparison.Ordinal);

    private static async Task ItemsWorkAsync(string folder, string name)
    {
        await using var files = await FileServer.StartAsync();
        files.Put("weather.csv", "city,temp\nBerlin,4\n");
        // The load's file is out on the internet, where tests don't go.
        var load = Path.Combine(folder, "loads", name + ".sql");
        var sql = await File.ReadAllTextAsync(load);
        Assert.Matches(Url(), sql);
        await File.WriteAllTextAsync(load, Url().Replace(sql, $"'{files.Url}/weather.csv'"));
        var table = "my_db.main." + name.Replace('-', '_');

        await using var app = await LocalApp.StartAsync(settings: new Dictionary<string, string?> { ["SqlDirectory"] = folder, ["Secrets:webhook-secret"] = Webhook.Secret });
        Assert.Equal(10, (await app.GetJsonAsync($"/api/queries/{name}")).GetArrayLength());
        using (var loaded = await app.Client.PostAsync($"/api/loads/{name}", null))
            Assert.True(loaded.IsSuccessStatusCode, await loaded.Content.ReadAsStringAsync());
        Assert.Equal("Berlin|4", await Webhook.RowAsync($"SELECT * FROM {table}"));
        await Webhook.RowsAsync($"DROP TABLE {table}");
        using (var request = Webhook.Request(Encoding.UTF8.GetBytes("""{"id":"a","happened_at":"2026-01-02T03:04:05Z","details":{"b":1}}"""), path: $"/api/ingest/{name}"))
        using (var stored = await app.Client.SendAsync(request))
            await stored.StoredAsync();
        Assert.Equal("a|2026-01-02 03:04:05|{\"b\":1}", await Webhook.RowAsync($"SELECT * FROM {table}"));
    }

    private static async Task<(Uri Address, List<string> Lines)> BannerAsync(Process host)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        var lines = new List<string>();
        while (await host.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            lines.Add(line);
            if (line.Contains("Ctrl+C", StringComparison.Ordinal))
                return (new Uri(Address().Match(string.Join('\n', lines)).Value), lines);
        }
        Assert.Fail($"the host ended: {string.Join('\n', lines)}\n{await host.StandardError.ReadToEndAsync(limit.Token)}");
        return default;
    }

    private static string[] Files(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/'))
            .Where(file => !file.Contains("/node_modules/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)];

    private static string Renamed(string file) =>
        file.Replace("MdFunctions", "Acme.Data", StringComparison.Ordinal).Replace("mdfunctions", "acme.data", StringComparison.Ordinal);

    [GeneratedRegex("Failed: +([0-9]+), Passed: +([0-9]+)")]
    private static partial Regex Counts();

    [GeneratedRegex("http://localhost:[0-9]+/")]
    private static partial Regex Address();

    [GeneratedRegex("'https://[^']+'")]
    private static partial Regex Url();
}
