using System.Net;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Local;

/// <summary>Browsers and the local host: what pages of other sites may do on a developer's machine.</summary>
public sealed class CrossSiteTests
{
    private static readonly Dictionary<string, string> Files = new()
    {
        ["queries/one.sql"] = "SELECT 1 AS n",
        ["loads/it.sql"] = "/*\ntarget: my_db.main.cross_site\nmode: replace\n*/\nSELECT 1 AS n",
    };

    [Theory]
    [InlineData("Origin", "https://evil.example", 403)]
    [InlineData("Origin", "null", 403)]
    [InlineData("Sec-Fetch-Site", "cross-site", 403)]
    [InlineData("Sec-Fetch-Site", "same-site", 403)]
    [InlineData("Sec-Fetch-Site", "same-origin", 200)]
    [InlineData("Sec-Fetch-Site", "none", 200)]
    [InlineData(null, null, 200)]
    public async Task A_page_of_another_site_starts_no_load_and_no_timer(string? header, string? value, int status)
    {
        await using var app = await LocalApp.StartAsync(Files);
        foreach (var (path, expected) in ((string, int)[])[("api/loads/it", status), ("admin/functions/LoadsDaily", status == 200 ? 202 : 403)])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent("{}", System.Text.Encoding.UTF8, "application/json") };
            if (header is not null)
                request.Headers.TryAddWithoutValidation(header, value);
            using var response = await app.Client.SendAsync(request);
            Assert.Equal(expected, (int)response.StatusCode);
        }
    }

    [Theory]
    [InlineData("evil.example", 403)]
    [InlineData("evil.example:7071", 403)]
    [InlineData("localhost.evil.example", 403)]
    [InlineData("app.localhost", 200)]
    [InlineData("127.0.0.1:7071", 200)]
    [InlineData("[::1]", 200)]
    [InlineData("www.example.com", 200)]
    public async Task A_page_whose_name_leads_to_this_machine_reads_nothing_and_starts_nothing(string host, int status)
    {
        await using var app = await LocalApp.StartAsync(Files, new Dictionary<string, string?> { ["Cors:Origins"] = "https://www.example.com" });
        foreach (var (method, path) in ((HttpMethod, string)[])[(HttpMethod.Get, "api/queries/one"), (HttpMethod.Post, "api/loads/it")])
        {
            using var request = new HttpRequestMessage(method, path);
            request.Headers.Host = host;
            using var response = await app.Client.SendAsync(request);
            Assert.Equal(status, (int)response.StatusCode);
        }
    }

    [Fact]
    public async Task The_apps_own_page_may_post()
    {
        await using var app = await LocalApp.StartAsync(Files);
        using var request = new HttpRequestMessage(HttpMethod.Post, "api/loads/it");
        request.Headers.Add("Origin", app.Client.BaseAddress!.GetLeftPart(UriPartial.Authority));
        using var response = await app.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task Origins_of_the_setting_may_call_the_app_and_no_others()
    {
        await using var app = await LocalApp.StartAsync(Files, new Dictionary<string, string?> { ["Cors:Origins"] = "https://www.example.com, https://app.example.com" });
        using var preflight = new HttpRequestMessage(HttpMethod.Options, "api/queries/one");
        preflight.Headers.Add("Origin", "https://app.example.com");
        preflight.Headers.Add("Access-Control-Request-Method", "POST");
        preflight.Headers.Add("Access-Control-Request-Headers", "x-functions-key");
        using var allowed = await app.Client.SendAsync(preflight);
        Assert.Equal(HttpStatusCode.NoContent, allowed.StatusCode);
        Assert.Equal(["https://app.example.com"], allowed.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.Equal(["x-functions-key"], allowed.Headers.GetValues("Access-Control-Allow-Headers"));

        foreach (var (origin, isAllowed) in ((string, bool)[])[("https://www.example.com", true), ("https://evil.example", false)])
        {
            using var get = new HttpRequestMessage(HttpMethod.Get, "api/queries/one");
            get.Headers.Add("Origin", origin);
            using var answer = await app.Client.SendAsync(get);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(isAllowed, answer.Headers.Contains("Access-Control-Allow-Origin"));
        }
    }

    [Fact]
    public async Task The_root_leads_to_the_page()
    {
        await using var app = await LocalApp.StartAsync(Files);
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = app.Client.BaseAddress };
        using var response = await client.GetAsync("/");
        Assert.Equal("/api/docs", response.Headers.Location?.ToString());
    }
}
