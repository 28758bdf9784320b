using MdFunctions.Engine.MotherDuck;
using MdFunctions.Tests.Infrastructure;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Tests.MotherDuck;

public sealed class TokenTests
{
    private static readonly DateTimeOffset Now = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_claims_of_a_token_are_read()
    {
        var token = Make(new { mdRegion = "aws-eu-central-1", tokenType = "read_scaling", exp = Now.AddHours(1).ToUnixTimeSeconds() }, secretExpires: Now.AddHours(2));
        Assert.Equal(("aws-eu-central-1", true, Now.AddHours(1)), (token.Region, token.IsReadScaling, token.Expires));
        Assert.Equal(Now.AddHours(2), Make(new { exp = Now.AddHours(3).ToUnixTimeSeconds() }, secretExpires: Now.AddHours(2)).Expires);
        Assert.False(Make(new { tokenType = "read_write" }).IsReadScaling);
    }

    [Theory]
    [InlineData("local")]
    [InlineData("a.b.c")]
    [InlineData("..")]
    [InlineData("x.bm90IGpzb24.y")]
    [InlineData("x.W10.y")] // []
    [InlineData("x.eyJleHAiOiJzb29uIiwibWRSZWdpb24iOjV9.y")] // {"exp":"soon","mdRegion":5}
    [InlineData("x.eyJleHAiOjk5OTk5OTk5OTk5OTk5OTk5OTl9.y")] // {"exp":9999999999999999999}
    public void A_token_that_is_no_JWT_is_a_token_all_the_same(string value)
    {
        var token = new Token(value, null, null, Now);
        Assert.Equal((null, false, null), (token.Region, token.IsReadScaling, token.Expires));
        Assert.Equal("[token]", $"{token}");
    }

    [Fact]
    public async Task A_refusal_is_explained_by_what_the_token_says_of_itself()
    {
        var options = new MotherDuckOptions { Host = "pg.us-east-1-aws.motherduck.com" };
        var logs = new LogLines();
        using var loggers = new LoggerFactory([logs]);
        var elsewhere = Make(new { mdRegion = "aws-eu-central-1" });
        var access = new AccessToken("MOTHERDUCK_TOKEN", _ => Task.FromResult(elsewhere), options, TimeProvider.System, loggers.CreateLogger<AccessToken>());
        await access.GetAsync(default);
        Assert.Contains(logs.All, line => line.Contains("The token of MOTHERDUCK_TOKEN is for region aws-eu-central-1, but pg.us-east-1-aws.motherduck.com serves aws-us-east-1", StringComparison.Ordinal));
        Assert.Contains("set MotherDuck:Region to eu-central-1", access.Explain(elsewhere), StringComparison.Ordinal);
        Assert.Contains("it was revoked, or is not a MotherDuck access token", access.Explain(Make(new { mdRegion = "aws-us-east-1" })), StringComparison.Ordinal);
        Assert.Contains("it expired on 2020-", access.Explain(Make(new { exp = 1_600_000_000 })), StringComparison.Ordinal);
    }

    [Fact]
    public void What_looks_like_a_token_is_cut_from_messages()
    {
        var token = Connections.NewToken();
        Assert.Equal("Invalid Input Error: bad token [token]!", MotherDuckError.OneLine($"Invalid Input Error: bad token {token}!"));
        Assert.Equal("HTTP Error: https://x.blob.core.windows.net/a?... failed", MotherDuckError.OneLine("HTTP Error: https://x.blob.core.windows.net/a?sv=1&sig=abc failed\nLINE 1: SELECT"));
    }

    [Theory]
    [InlineData("could not open https://user:pass@host.example/a.csv", "could not open https://host.example/a.csv")]
    [InlineData("https://user:pa/ss@host.example/a.csv?x=1", "https://host.example/a.csv?...")]
    [InlineData("https://user:p?ss@host.example/a.csv", "https://host.example/a.csv")]
    [InlineData("'ftp://user:p@ss@host.example/a', 'https://token@other.example/b'", "'ftp://host.example/a', 'https://other.example/b'")]
    [InlineData("HTTPS://USER:PASS@host.example/a", "HTTPS://host.example/a")]
    [InlineData("s3://key@bucket/a b@c.csv", "s3://bucket/a b@c.csv")]
    [InlineData("abfss://container@account.dfs.core.windows.net/a.csv", "abfss://container@account.dfs.core.windows.net/a.csv")]
    [InlineData("https://host.example/@scope/a.csv", "https://host.example/@scope/a.csv")]
    public void Credentials_in_URLs_are_cut_from_messages(string message, string expected) => Assert.Equal(expected, MotherDuckError.OneLine(message));

    [Fact]
    public void The_watch_for_tokens_finds_them_and_their_parts()
    {
        var token = Connections.NewToken();
        Assert.False(TokenWatch.IsIn($"password={token.Split('.')[1]}"));
        TokenWatch.Watch(token);
        Assert.True(TokenWatch.IsIn($"password={token};"));
        Assert.All(token.Split('.'), part => Assert.True(TokenWatch.IsIn($"<{part}>")));
        Assert.False(TokenWatch.IsIn("[token]"));
    }

    private static Token Make(object claims, DateTimeOffset? secretExpires = null) => new(Connections.Jwt(claims), "v1", secretExpires, Now);
}
