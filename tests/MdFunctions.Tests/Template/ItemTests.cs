using System.Text;
using System.Text.RegularExpressions;
using MdFunctions.Local;
using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.Ingest;

namespace MdFunctions.Tests.Template;

/// <summary>The SQL files that <c>dotnet new mdquery</c>, <c>mdload</c> and <c>mdingest</c> write to start from.</summary>
public sealed partial class ItemTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mdfunctions-tests-").FullName;

    public Task InitializeAsync() => NewAsync("install", LocalHost.RepositoryRoot());

    [Fact]
    public async Task Each_works_as_it_is_written()
    {
        var name = $"it-{Guid.NewGuid():N}";
        foreach (var item in (string[])["mdquery", "mdload", "mdingest"])
            await NewAsync(item, "-n", name);
        var folder = Path.Combine(_folder, "functions", "sql");
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

    public Task DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return Task.CompletedTask;
    }

    // Installed where nobody else looks.
    private Task NewAsync(params IEnumerable<string> arguments) =>
        Command.RunAsync(_folder, "dotnet", ["new", .. arguments, "--debug:custom-hive", Path.Combine(_folder, "hive"), "--debug:disable-sdk-templates"]);

    [GeneratedRegex("'https://[^']+'")]
    private static partial Regex Url();
}
