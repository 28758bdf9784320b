using System.Collections.Concurrent;
using System.Text.Json;
using Deque.AxeCore.Playwright;
using MdFunctions.Local;
using MdFunctions.Tests.Infrastructure;
using Microsoft.Playwright;

namespace MdFunctions.Tests.Docs;

/// <summary>The page, used by a person with a real browser.</summary>
[Collection("Alone")]
public sealed class PageTests : IAsyncLifetime
{
    private static readonly Dictionary<string, string> Files = new()
    {
        ["queries/many.sql"] = """
            /*
            summary: Many rows
            parameters:
              rows: { type: integer, default: 100000, minimum: 0, maximum: 100000, summary: how many }
              words: { type: "varchar[]", default: [a, b] }
              kind: { type: varchar, default: plain, enum: [plain, fancy] }
            */
            SELECT range AS n, (range * 7919) % 100003 AS shuffled, 'row ' || range AS label, DATE '2020-01-01' + (range % 1000)::INTEGER AS day,
              range / 3.0 AS third, 9007199254740993 + range AS beyond, $kind || array_to_string($words, ',') AS given
            FROM range(100000) WHERE range < $rows ORDER BY n
            """,
        ["queries/slow.sql"] = "SELECT sum(a.range * b.range) AS s FROM range(1000000) a, range(100000) b",
        ["queries/markup.sql"] = "SELECT '<img src=x onerror=alert(1)>' AS html, NULL AS nothing",
        ["loads/table.sql"] = "/*\ntarget: my_db.main.page_test\nmode: replace\n*/\nSELECT range AS n FROM range(5)",
        ["ingest/events.sql"] = "/*\ntarget: my_db.main.page_events\nsignature: { scheme: github, secret: s }\ncolumns: { id: BIGINT }\n*/\nSELECT * FROM body",
    };

    private readonly ConcurrentQueue<string> _faults = new();
    private IPlaywright _playwright = null!;
    private IBrowser _browser = null!;
    private LocalApp _app = null!;
    private IPage _page = null!;

    public async Task InitializeAsync()
    {
        if (ChromiumFactAttribute.Path is null)
            return;
        _playwright = await Playwright.CreateAsync();
        _browser = await ChromiumFactAttribute.LaunchAsync(_playwright);
        _app = await LocalApp.StartAsync(Files);
        _page = await OpenAsync();
    }

    public async Task DisposeAsync()
    {
        if (_browser is null)
            return;
        await _browser.DisposeAsync();
        _playwright.Dispose();
        await _app.DisposeAsync();
        Assert.Empty(_faults);
    }

    [ChromiumFact]
    public async Task A_wrong_value_is_told_beside_its_field_and_a_right_one_is_answered()
    {
        await OpenQueryAsync("many");
        await _page.GetByLabel("rows", new() { Exact = true }).FillAsync("100001");
        await RunAsync();
        await _page.GetByText("'rows' is above the maximum, 100000.").WaitForAsync();
        Assert.Equal("true", await _page.GetByLabel("rows", new() { Exact = true }).GetAttributeAsync("aria-invalid"));

        await _page.GetByLabel("rows", new() { Exact = true }).FillAsync("3");
        await _page.GetByLabel("kind").SelectOptionAsync("fancy");
        await _page.GetByLabel("words").FillAsync("x\ny");
        await RunAsync();
        await CompleteAsync(3);
        Assert.Equal(["0", "0", "row 0", "2020-01-01", "0", "9007199254740993", "fancyx,y"], await CellsAsync(2));
        Assert.Contains("rows=3", _page.Url, StringComparison.Ordinal);

        // The link opens the same query and values again, and runs nothing.
        var again = await OpenAsync(_page.Url);
        await again.GetByLabel("rows", new() { Exact = true }).WaitForAsync();
        Assert.Equal("3", await again.GetByLabel("rows", new() { Exact = true }).InputValueAsync());
        Assert.Equal("x\ny", await again.GetByLabel("words").InputValueAsync());
        Assert.Equal(0, await again.Locator(".grid").CountAsync());
    }

    [ChromiumFact]
    public async Task A_hundred_thousand_rows_scroll_sort_and_make_a_chart_without_a_row_too_many_in_the_document()
    {
        await OpenQueryAsync("many");
        await RunAsync();
        await CompleteAsync(100000);
        await _page.EvaluateAsync("window.longest = 0; new PerformanceObserver(l => l.getEntries().forEach(e => longest = Math.max(longest, e.duration))).observe({ entryTypes: ['longtask'] })");
        var grid = _page.Locator(".grid");
        for (var i = 1; i <= 20; i++)
        {
            await grid.EvaluateAsync("(g, i) => g.scrollTop = g.scrollHeight * i / 20", i);
            await _page.WaitForTimeoutAsync(30);
        }
        await _page.GetByText("row 99999", new() { Exact = true }).WaitForAsync();
        await _page.GetByRole(AriaRole.Button, new() { Name = "shuffled" }).ClickAsync();
        await _page.Locator("th[aria-sort=ascending]").WaitForAsync();
        await grid.EvaluateAsync("g => g.scrollTop = 0");
        await _page.WaitForTimeoutAsync(100);
        Assert.Equal("0", (await CellsAsync(2))[1]);
        await _page.GetByRole(AriaRole.Button, new() { Name = "beyond" }).ClickAsync();
        await _page.GetByRole(AriaRole.Button, new() { Name = "beyond" }).ClickAsync();
        await _page.Locator("th[aria-sort=descending]").WaitForAsync();
        await _page.WaitForTimeoutAsync(100);
        Assert.Equal("9007199254840992", (await CellsAsync(2))[5]); // 2^53 and more: a JavaScript number would be even.
        Assert.InRange(await _page.Locator(".grid tbody tr").CountAsync(), 10, 120);
        Assert.Equal("100001", await _page.Locator(".grid table").GetAttributeAsync("aria-rowcount"));
        Console.WriteLine($"longest task while scrolling and sorting 100,000 rows: {await _page.EvaluateAsync<double>("longest"):0} ms");

        Assert.Equal("line", await _page.GetByLabel("Chart", new() { Exact = true }).Locator("select").First.Or(_page.Locator("#chart-type")).InputValueAsync());
        Assert.StartsWith("line chart of n by day", await _page.Locator("canvas").GetAttributeAsync("aria-label"), StringComparison.Ordinal);
        await _page.Locator("#chart-type").SelectOptionAsync("scatter");
        await _page.Locator("#chart-y").SelectOptionAsync(new SelectOptionValue { Label = "third" });
        Assert.StartsWith("scatter chart of third by day", await _page.Locator("canvas").GetAttributeAsync("aria-label"), StringComparison.Ordinal);
    }

    [ChromiumFact]
    public async Task A_query_can_be_stopped()
    {
        await OpenQueryAsync("slow");
        await RunAsync();
        await _page.GetByRole(AriaRole.Button, new() { Name = "Stop" }).ClickAsync();
        await _page.GetByText("stopped").WaitForAsync();
        Assert.True(await _page.GetByRole(AriaRole.Button, new() { Name = "Run", Exact = true }).IsEnabledAsync());
    }

    [ChromiumFact]
    public async Task Data_is_text_whatever_it_looks_like()
    {
        await OpenQueryAsync("markup");
        await RunAsync();
        await CompleteAsync(1);
        Assert.Equal(["<img src=x onerror=alert(1)>", "NULL"], await CellsAsync(2));
    }

    [ChromiumFact]
    public async Task A_load_runs_and_its_run_is_seen()
    {
        await _page.Locator("#catalog").GetByRole(AriaRole.Link, new() { Name = "table" }).ClickAsync();
        await _page.GetByRole(AriaRole.Button, new() { Name = "Run now" }).ClickAsync();
        await _page.GetByText("succeeded: 5 rows").WaitForAsync();
        Assert.Equal("succeeded", await _page.Locator(".runs tbody tr").First.Locator("td").Nth(1).TextContentAsync());
    }

    [ChromiumFact]
    public async Task A_webhook_shows_a_sample_delivery_with_its_signature()
    {
        await _page.Locator("#catalog").GetByRole(AriaRole.Link, new() { Name = "events" }).ClickAsync();
        var sample = await _page.GetByLabel("A sample delivery").TextContentAsync();
        Assert.Contains("X-Hub-Signature-256: sha256=$signature", sample, StringComparison.Ordinal);
        Assert.Contains("""body='{"id":1}'""", sample, StringComparison.Ordinal);
    }

    [ChromiumFact]
    public async Task The_key_is_asked_for_after_a_401_and_forgotten_by_a_reload()
    {
        var page = await _browser.NewPageAsync();
        await ChromiumFactAttribute.AskForKeyAsync(page, "the-key");
        await page.GotoAsync(new Uri(_app.Client.BaseAddress!, "api/docs").ToString());
        await page.GetByLabel("Key", new() { Exact = true }).FillAsync("wrong");
        await page.GetByRole(AriaRole.Button, new() { Name = "Use it" }).ClickAsync();
        await page.GetByLabel("Key", new() { Exact = true }).FillAsync("the-key");
        await page.GetByRole(AriaRole.Button, new() { Name = "Use it" }).ClickAsync();
        await page.Locator("#catalog a").First.WaitForAsync();
        Assert.Equal("{}", await page.EvaluateAsync<string>("JSON.stringify({ ...localStorage, ...sessionStorage })"));
        Assert.DoesNotContain("the-key", page.Url, StringComparison.Ordinal);

        await page.ReloadAsync();
        await page.GetByLabel("Key", new() { Exact = true }).WaitForAsync();
    }

    [ChromiumFact]
    public async Task No_violation_of_accessibility_is_found_in_either_scheme_or_on_a_phone()
    {
        foreach (var (scheme, width) in ((ColorScheme, int)[])[(ColorScheme.Light, 1200), (ColorScheme.Dark, 1200), (ColorScheme.Light, 380)])
        {
            var page = await OpenAsync("api/docs#query/many?rows=40", new() { ColorScheme = scheme, ViewportSize = new() { Width = width, Height = 900 } });
            await page.GetByRole(AriaRole.Button, new() { Name = "Run", Exact = true }).ClickAsync();
            await page.Locator("canvas").WaitForAsync();
            await AssertAccessibleAsync(page);
            Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), $"the page is wider than {width} pixels");
            foreach (var other in (string[])["load/table", "ingest/events"])
            {
                await page.EvaluateAsync($"location.hash = '{other}'");
                await page.Locator("pre, .status").First.WaitForAsync(new() { State = WaitForSelectorState.Attached });
                await AssertAccessibleAsync(page);
            }
        }
    }

    [ChromiumFact]
    public async Task Screenshots_for_the_documentation_are_made_where_they_are_asked_for()
    {
        // MDFUNCTIONS_SCREENSHOTS=1 writes them into docs/; else they go nowhere that stays.
        var folder = Environment.GetEnvironmentVariable("MDFUNCTIONS_SCREENSHOTS") == "1" ? Path.Combine(LocalHost.RepositoryRoot(), "docs", "images") : Path.GetTempPath();
        await using var samples = await LocalApp.StartAsync();
        foreach (var scheme in (ColorScheme[])[ColorScheme.Light, ColorScheme.Dark])
        {
            var page = await _browser.NewPageAsync(new() { ColorScheme = scheme, ViewportSize = new() { Width = 1100, Height = 860 } });
            await page.GotoAsync(new Uri(samples.Client.BaseAddress!, "api/docs#query/taxi_by_day").ToString());
            await page.GetByRole(AriaRole.Button, new() { Name = "Run", Exact = true }).ClickAsync();
            await page.Locator("canvas").WaitForAsync();
            var image = await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"page-{scheme.ToString().ToLowerInvariant()}.png") });
            Assert.True(image.Length > 10_000);
        }
    }

    [Fact]
    public async Task The_page_is_small_compressed_and_cached()
    {
        await using var app = await LocalApp.StartAsync(Files);
        using var request = new HttpRequestMessage(HttpMethod.Get, "api/docs");
        request.Headers.AcceptEncoding.ParseAdd("br");
        using var response = await app.Client.SendAsync(request);
        Assert.Equal(["br"], response.Content.Headers.ContentEncoding);
        Assert.NotNull(response.Headers.ETag);
        var html = await app.Client.GetStringAsync("api/docs");
        Assert.InRange(html.Length, 10_000, 120 * 1024);
        Assert.DoesNotMatch(@"\son[a-z]+=""|https?://(?!www\.w3\.org)", html);
    }

    private static async Task AssertAccessibleAsync(IPage page) =>
        Assert.Empty((await page.RunAxe()).Violations.Select(violation => $"{violation.Id}: {violation.Help} {JsonSerializer.Serialize(violation.Nodes.Select(node => node.Html))}"));

    private async Task<IPage> OpenAsync(string path = "api/docs", BrowserNewPageOptions? options = null)
    {
        var page = await _browser.NewPageAsync(options);
        page.Console += (_, message) =>
        {
            // The browser itself reports each 4xx; the page shows it to the person.
            if (message.Type == "error" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal))
                _faults.Enqueue(message.Text);
        };
        page.PageError += (_, error) => _faults.Enqueue(error);
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(_app.Client.BaseAddress!.ToString(), StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal))
                _faults.Enqueue($"a request to {request.Url}");
        };
        await page.GotoAsync(new Uri(_app.Client.BaseAddress!, path).ToString());
        await page.Locator("#catalog a").First.WaitForAsync(new() { State = WaitForSelectorState.Attached });
        return page;
    }

    private async Task OpenQueryAsync(string name)
    {
        await _page.Locator("#catalog").GetByRole(AriaRole.Link, new() { Name = name }).ClickAsync();
        await _page.GetByRole(AriaRole.Heading, new() { Name = name }).WaitForAsync();
    }

    private Task RunAsync() => _page.GetByRole(AriaRole.Button, new() { Name = "Run", Exact = true }).ClickAsync();

    private Task CompleteAsync(int rows) => _page.GetByText($"{rows:N0} rows · ").Filter(new() { HasText = "complete" }).WaitForAsync();

    private async Task<IReadOnlyList<string>> CellsAsync(int row) => await _page.Locator($".grid tr[aria-rowindex='{row}'] td").AllTextContentsAsync();
}
