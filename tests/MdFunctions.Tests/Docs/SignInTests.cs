using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Deque.AxeCore.Playwright;
using MdFunctions.Tests.Access;
using MdFunctions.Tests.Infrastructure;
using Microsoft.Playwright;

namespace MdFunctions.Tests.Docs;

/// <summary>The page signs a person in with a real browser, at an issuer that speaks as real ones do.</summary>
[Collection("Alone")]
public sealed partial class SignInTests : IAsyncLifetime
{
    private static readonly string[] Admin = ["admin"];
    private static readonly string[] Reader = ["reader"];

    private readonly List<string> _faults = [];
    private TokenServer _issuer = null!;
    private LocalApp _app = null!;
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async Task InitializeAsync()
    {
        _issuer = await TokenServer.StartAsync();
        _app = await LocalApp.StartAsync(AccessApp.Files, _issuer.Settings(("Auth:ClientId", TokenServer.ClientId), ("Auth:Scope", "api://app/read"), ("Secrets:hook", "x")));
        if (ChromiumFactAttribute.Path is null)
            return;
        _playwright = await Playwright.CreateAsync();
        _browser = await ChromiumFactAttribute.LaunchAsync(_playwright);
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
        await _app.DisposeAsync();
        await _issuer.DisposeAsync();
        Assert.Empty(_faults);
    }

    [ChromiumFact]
    public async Task A_person_signs_in_runs_a_query_and_is_forgotten_by_a_reload()
    {
        var page = await OpenAsync("api/docs#query/mine?least=2");
        Assert.Empty((await page.RunAxe()).Violations);
        await SignInAsync(page);
        await page.GetByRole(AriaRole.Heading, new() { Name = "mine" }).WaitForAsync();
        Assert.Equal(["groups", "mine", "open", "readers", "streamed", "tenants"], await page.Locator("#catalog a").AllTextContentsAsync());
        await page.GetByRole(AriaRole.Button, new() { Name = "Ann: sign in as another" }).WaitForAsync();
        await RunAsync(page);
        await page.GetByText("1 rows · ").Filter(new() { HasText = "complete" }).WaitForAsync();
        Assert.Equal(["a", "2"], await page.Locator(".grid tr[aria-rowindex='2'] td").AllTextContentsAsync());
        await page.GetByText("The request as code").ClickAsync();
        await Assertions.Expect(page.GetByLabel("The request as code")).ToContainTextAsync("-H 'Authorization: Bearer TOKEN'");

        Assert.Equal("{}", await page.EvaluateAsync<string>("JSON.stringify({ ...localStorage, ...sessionStorage })"));
        Assert.Equal("", await page.EvaluateAsync<string>("document.cookie"));
        Assert.EndsWith("/api/docs#query/mine?least=2", page.Url, StringComparison.Ordinal);
        await page.ReloadAsync();
        await Start(page).WaitForAsync();
        Assert.Equal(0, await page.Locator("#catalog a").CountAsync());
    }

    [ChromiumFact]
    public async Task A_sign_in_that_has_ended_is_made_again_and_a_role_that_is_missing_says_so()
    {
        _issuer.Person["roles"] = Admin;
        var page = await OpenAsync("api/docs#query/admins");
        await SignInAsync(page);
        await RunAsync(page);
        await page.GetByText("for admins", new() { Exact = true }).WaitForAsync();

        // The token ends: the app says so, and after the sign-in the call goes on. The person has lost a role meanwhile.
        var ended = _issuer.Token(("exp", DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 600));
        await page.RouteAsync("**/api/queries/admins*", route => route.ContinueAsync(new()
        {
            Headers = route.Request.Headers.Where(header => header.Key != "authorization").Append(new("authorization", $"Bearer {ended}")),
        }), new() { Times = 1 });
        _issuer.Person["roles"] = Reader;
        await RunAsync(page);
        await page.GetByText("The token has ended").WaitForAsync();
        await SignInAsync(page);
        await page.GetByText("To run query admins a token needs one of the roles admin.").WaitForAsync();
    }

    [ChromiumFact]
    public async Task Another_person_signs_in_in_the_same_page()
    {
        var page = await OpenAsync("api/docs");
        await SignInAsync(page);
        await page.GetByRole(AriaRole.Button, new() { Name = "Ann: sign in as another" }).WaitForAsync(); // The token is fetched after the window has closed.
        _issuer.Person["name"] = "Bob";
        _issuer.Person["tid"] = "b";
        await page.GetByRole(AriaRole.Button, new() { Name = "Ann: sign in as another" }).ClickAsync();
        var asked = await SignInAsync(page);
        Assert.Contains("prompt=select_account", asked, StringComparison.Ordinal);
        await page.GetByRole(AriaRole.Button, new() { Name = "Bob: sign in as another" }).WaitForAsync();
        await page.Locator("#catalog").GetByRole(AriaRole.Link, new() { Name = "mine" }).ClickAsync();
        await RunAsync(page);
        await page.GetByText("1 rows · ").Filter(new() { HasText = "complete" }).WaitForAsync();
        Assert.Equal(["b", "3"], await page.Locator(".grid tr[aria-rowindex='2'] td").AllTextContentsAsync());
    }

    [ChromiumFact]
    public async Task A_sign_in_that_fails_says_why_and_can_be_tried_again()
    {
        var page = await OpenAsync("api/docs");
        _issuer.SignInError = "access_denied";
        await SignInAsync(page);
        await page.GetByText("The issuer refused: Ann said no.").WaitForAsync();
        _issuer.SignInError = null;

        _issuer.Echo = (state => state, _ => "of another sign-in");
        await SignInAsync(page);
        await page.GetByText("The issuer's answer is not one to this sign-in.").WaitForAsync();

        // An answer to what this page did not begin is nobody's: the window stays, and no code is redeemed.
        var requests = _issuer.Requests;
        _issuer.Echo = (_ => "of-another-page", nonce => nonce);
        var window = await page.RunAndWaitForPopupAsync(() => Start(page).ClickAsync());
        await window.GetByText("This window can be closed.").WaitForAsync();
        Assert.DoesNotContain("code=", window.Url, StringComparison.Ordinal);
        Assert.Equal(requests + 1, _issuer.Requests);
        Assert.Equal("", await page.Locator("#sign-in-fault").TextContentAsync());
        await window.CloseAsync();

        // The token endpoint is not for this page.
        _issuer.Echo = (state => state, nonce => nonce);
        await page.RouteAsync("**/token", route => route.AbortAsync(), new() { Times = 1 });
        await SignInAsync(page);
        await page.GetByText("has to be a redirect URI of a single-page application").WaitForAsync();
        await page.RouteAsync("**/token", route => route.FulfillAsync(new() { Status = 400, Headers = Cors, Body = """{"error":"invalid_client","error_description":"No such client."}""" }), new() { Times = 1 });
        await SignInAsync(page);
        await page.GetByText("The issuer gave no token: No such client.").WaitForAsync();

        await SignInAsync(page);
        await page.Locator("#catalog a").First.WaitForAsync();

        // Whoever cancels is told what the app said.
        await page.ReloadAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        await page.GetByText("A bearer token is missing").WaitForAsync();
    }

    [ChromiumFact]
    public async Task An_issuer_that_answers_in_the_query_string_will_do_and_so_will_a_platform_that_wants_its_key_too()
    {
        // What the metadata says is kept for an hour, so this app is one that starts now.
        _issuer.ResponseModes = ["query"];
        await using var own = await LocalApp.StartAsync(AccessApp.Files, _issuer.Settings(("Auth:ClientId", TokenServer.ClientId), ("Secrets:hook", "x")));
        var page = await _browser!.NewPageAsync();
        Watch(page);
        await ChromiumFactAttribute.AskForKeyAsync(page, "the-key");
        await page.GotoAsync(new Uri(own.Client.BaseAddress!, "api/docs").ToString());
        await page.GetByLabel("Key", new() { Exact = true }).FillAsync("the-key");
        await page.GetByRole(AriaRole.Button, new() { Name = "Use it" }).ClickAsync();
        var asked = await SignInAsync(page);
        Assert.DoesNotContain("response_mode", asked, StringComparison.Ordinal);
        Assert.Contains("scope=openid+profile+api%3A%2F%2Fapp%2F.default", asked, StringComparison.Ordinal);
        await page.Locator("#catalog a").First.WaitForAsync();
        await page.GetByText("The request as code").ClickAsync();
        await Assertions.Expect(page.GetByLabel("The request as code")).ToContainTextAsync("-H 'x-functions-key: KEY' -H 'Authorization: Bearer TOKEN'");
    }

    [Fact]
    public async Task The_page_may_speak_to_the_token_endpoint_and_to_nobody_else()
    {
        using var response = await _app.Client.GetAsync("api/docs");
        Assert.Equal($"connect-src 'self' {_issuer.Authority}", Connections(response));
        var signIn = SignIn(await response.Content.ReadAsStringAsync());
        Assert.Equal(
            ($"{_issuer.Authority}/authorize", $"{_issuer.Authority}/token", _issuer.Issuer, TokenServer.ClientId, "openid profile api://app/read", "fragment"),
            (signIn("authorize"), signIn("token"), signIn("issuer"), signIn("clientId"), signIn("scope"), signIn("responseMode")));

        // Without a client id the page is the one of an app without an issuer, to the letter.
        await using var pasting = await LocalApp.StartAsync(AccessApp.Files, _issuer.Settings(("Secrets:hook", "x")));
        await using var without = await LocalApp.StartAsync(new Dictionary<string, string>());
        using var page = await pasting.Client.GetAsync("api/docs");
        Assert.Equal("connect-src 'self'", Connections(page));
        Assert.Equal(await without.Client.GetStringAsync("api/docs"), await page.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task The_page_is_there_while_the_issuer_is_down_and_says_so()
    {
        _issuer.Down = true;
        await using var own = await LocalApp.StartAsync(AccessApp.Files, _issuer.Settings(("Auth:ClientId", TokenServer.ClientId), ("Secrets:hook", "x")));
        using var response = await own.Client.GetAsync("api/docs");
        Assert.Equal("connect-src 'self'", Connections(response));
        Assert.Equal("The issuer does not answer the app. Reload the page to try again.", SignIn(await response.Content.ReadAsStringAsync())("fault"));
        _issuer.Down = false;
        await MotherDuck.Connections.EventuallyAsync(() => own.Client.GetStringAsync("api/docs").GetAwaiter().GetResult().Contains("/token", StringComparison.Ordinal), "the issuer is back", 20);
    }

    private static readonly Dictionary<string, string> Cors = new() { ["Access-Control-Allow-Origin"] = "*", ["Content-Type"] = "application/json" };

    private static string Connections(HttpResponseMessage response) => response.Headers.GetValues("Content-Security-Policy").Single().Split("; ").Single(part => part.StartsWith("connect-src", StringComparison.Ordinal));

    private static Func<string, string?> SignIn(string html)
    {
        var json = JsonSerializer.Deserialize<JsonElement>(WebUtility.HtmlDecode(Meta().Match(html).Groups[1].Value));
        return name => json.GetProperty(name).GetString();
    }

    private static ILocator Start(IPage page) => page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Sign in" });

    // Answers where the person was sent.
    private static async Task<string> SignInAsync(IPage page)
    {
        var asked = "";
        void Note(object? _, IRequest request) => asked = request.Url.Contains("/authorize?", StringComparison.Ordinal) ? request.Url : asked;
        page.Context.Request += Note;
        var closed = new TaskCompletionSource();
        var window = await page.RunAndWaitForPopupAsync(() => Start(page).ClickAsync());
        window.Close += (_, _) => closed.TrySetResult();
        if (!window.IsClosed)
            await closed.Task.WaitAsync(TimeSpan.FromSeconds(30));
        page.Context.Request -= Note;
        return asked;
    }

    private static Task RunAsync(IPage page) => page.GetByRole(AriaRole.Button, new() { Name = "Run", Exact = true }).ClickAsync();

    private async Task<IPage> OpenAsync(string path)
    {
        var page = await _browser!.NewPageAsync();
        Watch(page);
        await page.GotoAsync(new Uri(_app.Client.BaseAddress!, path).ToString());
        await Start(page).WaitForAsync();
        return page;
    }

    // The browser itself reports each 4xx and each aborted request; the page shows them to the person.
    private void Watch(IPage page)
    {
        page.Console += (_, message) =>
        {
            if (message.Type == "error" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal))
                _faults.Add(message.Text);
        };
        page.PageError += (_, error) => _faults.Add(error);
    }

    [GeneratedRegex("<meta name=\"sign-in\" content=\"([^\"]*)\">")]
    private static partial Regex Meta();
}
