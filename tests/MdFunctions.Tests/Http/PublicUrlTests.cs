using MdFunctions.Engine;
using MdFunctions.Engine.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace MdFunctions.Tests.Http;

/// <summary>Where callers find the app, from what its host and proxies say.</summary>
public sealed class PublicUrlTests
{
    [Theory]
    [InlineData("app.azurewebsites.net", null, null, null, "http://app.azurewebsites.net")]
    [InlineData("10.0.0.5:80", "https", "api.example.com", null, "https://api.example.com")]
    [InlineData("10.0.0.5:80", "https", "api.example.com, inner", "/warehouse/", "https://api.example.com/warehouse")]
    [InlineData("app.example", "javascript", "evil.example/<script>", "//x", "http://app.example")]
    [InlineData("[::1]:7071", null, null, null, "http://[::1]:7071")]
    [InlineData("evil\"><script>", null, null, null, "")]
    public void It_follows_from_the_host_and_from_proxies(string host, string? proto, string? forwardedHost, string? prefix, string expected)
    {
        var request = new DefaultHttpContext().Request;
        (request.Scheme, request.Host) = ("http", new HostString(host));
        request.Headers["X-Forwarded-Proto"] = proto;
        request.Headers["X-Forwarded-Host"] = forwardedHost;
        request.Headers["X-Forwarded-Prefix"] = prefix;
        Assert.Equal(expected, new PublicUrl(Settings(null)).Of(request));
    }

    [Theory]
    [InlineData("example.com")]
    [InlineData("ftp://example.com")]
    [InlineData("https://user:pass@example.com")]
    [InlineData("https://example.com/?a=b")]
    public void A_setting_that_is_no_url_stops_the_start(string text)
    {
        var settings = Settings(text);
        _ = new PublicUrl(settings);
        Assert.Contains("Setting PublicUrl: expected the URL that callers use", Assert.Single(settings.Faults), StringComparison.Ordinal);
    }

    private static Settings Settings(string? url) =>
        new(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["PublicUrl"] = url }).Build());
}
