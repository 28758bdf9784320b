using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Security.KeyVault.Secrets;
using MdFunctions.Engine;
using MdFunctions.Engine.Ingest;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Tests.Infrastructure;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Tests.Ingest;

public sealed class WebhookSecretsTests : IDisposable
{
    private readonly FakeVault _vault = new();
    private readonly Clock _clock = new();
    private readonly LogLines _logs = new();
    private readonly WebhookSecrets _secrets;
    private readonly LoggerFactory _loggers;

    public WebhookSecretsTests()
    {
        _loggers = new LoggerFactory([_logs]);
        var client = new SecretClient(new Uri("https://test.vault.azure.net"), new NoCredential(), new SecretClientOptions
        {
            Transport = new HttpClientTransport(new HttpClient(_vault)),
            Retry = { MaxRetries = 0 },
        });
        _secrets = new(new Settings(new ConfigurationBuilder().AddInMemoryCollection([new("Secrets:Hook", "not this one")]).Build()), _clock, _loggers.CreateLogger<WebhookSecrets>(), new KeyVault(client));
    }

    public void Dispose()
    {
        _loggers.Dispose();
        _vault.Dispose();
    }

    [Fact]
    public async Task The_vault_is_asked_once_a_minute_and_a_rotation_is_seen_then()
    {
        _vault.Secrets["Hook"] = "one";
        Assert.Equal(["one"], await GetAsync());
        (_vault.Secrets["Hook"], _vault.Secrets["Hook-previous"]) = ("two", "one");
        for (var i = 0; i < 100; i++)
            Assert.Equal(["one"], await GetAsync());
        Assert.Equal(2, _vault.Asked); // The secret, and the one before it.
        _clock.Now += TimeSpan.FromSeconds(61);
        Assert.Equal(["two", "one"], await GetAsync());
        _vault.Secrets["Hook-previous"] = null; // Disabled.
        _clock.Now += TimeSpan.FromSeconds(61);
        Assert.Equal(["two"], await GetAsync());
    }

    [Fact]
    public async Task While_the_vault_is_down_the_secrets_read_last_stay()
    {
        _vault.Secrets["Hook"] = "one";
        await GetAsync();
        _vault.Down = true;
        _clock.Now += TimeSpan.FromSeconds(61);
        Assert.Equal(["one"], await GetAsync());
        Assert.Contains(_logs.All, line => line.Contains("The one read before stays in use", StringComparison.Ordinal));
        Assert.DoesNotContain(_logs.All, line => line.Contains("one\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_secret_that_is_not_there_is_not_asked_for_by_each_request()
    {
        for (var i = 0; i < 10; i++)
            Assert.Contains("There is no secret 'Hook' of https://test.vault.azure.net/", (await Assert.ThrowsAsync<SecretException>(GetAsync)).Message, StringComparison.Ordinal);
        Assert.Equal(1, _vault.Asked);
        _vault.Secrets["Hook"] = "one";
        _clock.Now += TimeSpan.FromSeconds(61);
        Assert.Equal(["one"], await GetAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_secret_that_was_deleted_or_disabled_ends_within_the_minute(bool deleted)
    {
        _vault.Secrets["Hook"] = " one ";
        Assert.Equal(["one"], await GetAsync());
        if (deleted)
            _vault.Secrets.TryRemove("Hook", out _);
        else
            _vault.Secrets["Hook"] = null;
        _clock.Now += TimeSpan.FromSeconds(61);
        // All who ask at that moment, not only the first.
        foreach (var asking in Enumerable.Range(0, 5).Select(_ => GetAsync()).ToList())
            await Assert.ThrowsAsync<SecretException>(() => asking);
        _vault.Secrets["Hook"] = "two";
        _clock.Now += TimeSpan.FromSeconds(61);
        Assert.Equal(["two"], await GetAsync());
    }

    [Fact]
    public async Task A_secret_that_is_deleted_while_the_vault_is_down_ends_when_it_is_back()
    {
        _vault.Secrets["Hook"] = "one";
        await GetAsync();
        _vault.Down = true;
        _clock.Now += TimeSpan.FromSeconds(61);
        Assert.Equal(["one"], await GetAsync());
        _vault.Down = false;
        _vault.Secrets.TryRemove("Hook", out _);
        _clock.Now += TimeSpan.FromSeconds(61);
        for (var tries = 0; ; tries++)
        {
            Assert.True(tries < 1000, "It is still valid.");
            try
            {
                await GetAsync(); // Not waited for while the vault was down the last time.
                await Task.Delay(10);
            }
            catch (SecretException)
            {
                return;
            }
        }
    }

    private async Task<IEnumerable<string>> GetAsync() => (await _secrets.GetAsync("Hook", CancellationToken.None)).Select(Encoding.UTF8.GetString);

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => Now;
    }

    private sealed class FakeVault : HttpMessageHandler
    {
        private int _asked;

        // Null: disabled.
        public ConcurrentDictionary<string, string?> Secrets { get; } = new();

        public bool Down { get; set; }

        public int Asked => _asked;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (Down)
                throw new HttpRequestException("no route to the vault");
            // Key Vault's own way: the first request learns whose token it needs.
            if (request.Headers.Authorization is null)
            {
                var challenge = new HttpResponseMessage(HttpStatusCode.Unauthorized);
                challenge.Headers.TryAddWithoutValidation("WWW-Authenticate", "Bearer authorization=\"https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000\", resource=\"https://vault.azure.net\"");
                return Task.FromResult(challenge);
            }
            Interlocked.Increment(ref _asked);
            var name = request.RequestUri!.Segments[2].TrimEnd('/');
            var (status, json) = !Secrets.TryGetValue(name, out var value) ? (404, """{"error":{"code":"SecretNotFound"}}""")
                : value is null ? (403, """{"error":{"code":"Forbidden"}}""")
                : (200, $$"""{"value":"{{value}}","id":"https://test.vault.azure.net/secrets/{{name}}/1","attributes":{} }""");
            return Task.FromResult(new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(json, Encoding.UTF8, "application/json") });
        }
    }

    private sealed class NoCredential : TokenCredential
    {
        public override Azure.Core.AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) => new("token", DateTimeOffset.MaxValue);

        public override ValueTask<Azure.Core.AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) => new(GetToken(requestContext, cancellationToken));
    }
}
