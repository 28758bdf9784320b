using MdFunctions.Engine;
using MdFunctions.Engine.MotherDuck;
using Microsoft.Extensions.Configuration;

namespace MdFunctions.Tests.MotherDuck;

public sealed class OptionsTests
{
    [Theory]
    [InlineData("MotherDuck:SslMode", "Prefer", "Setting MotherDuck:SslMode: expected VerifyFull or Require, not 'Prefer'")]
    [InlineData("MotherDuck:SslMode", "disable", "not 'disable': MotherDuck takes no connection without TLS")]
    [InlineData("MotherDuck:SslMode", "verify-ca", "not 'verify-ca'")]
    [InlineData("MotherDuck:Region", "aws-us-east-1", "Setting MotherDuck:Region: expected a region such as us-east-1, not 'aws-us-east-1'")]
    [InlineData("MotherDuck:Host", "https://pg.us-east-1-aws.motherduck.com", "Setting MotherDuck:Host: expected a host name")]
    [InlineData("MotherDuck:Port", "0", "Setting MotherDuck:Port: expected a whole number from 1 to 65535, not '0'")]
    [InlineData("MotherDuck:AttachMode", "all", "Setting MotherDuck:AttachMode: expected one of single, workspace, not 'all'")]
    [InlineData("MotherDuck:MaxPoolSize", "1000", "Setting MotherDuck:MaxPoolSize: expected a whole number from 1 to 100")]
    [InlineData("MotherDuck:MaxWritePoolSize", "many", "Setting MotherDuck:MaxWritePoolSize")]
    [InlineData("MotherDuck:ConnectTimeout", "15", "Setting MotherDuck:ConnectTimeout: expected a duration from 1s to 5m")]
    [InlineData("MotherDuck:MaxWritePoolSize", "1", "Setting MotherDuck:MaxWritePoolSize: expected a whole number from 2 to 100")]
    [InlineData("MotherDuck:ConnectionLifetime", "8d", "Setting MotherDuck:ConnectionLifetime")]
    [InlineData("MotherDuck:ConnectionIdleLifetime", "-1s", "Setting MotherDuck:ConnectionIdleLifetime")]
    [InlineData("MotherDuck:TcpKeepAliveTime", "1ms", "Setting MotherDuck:TcpKeepAliveTime")]
    [InlineData("MotherDuck:TcpKeepAliveInterval", "1h", "Setting MotherDuck:TcpKeepAliveInterval")]
    [InlineData("MotherDuck:TokenRefreshInterval", "2d", "Setting MotherDuck:TokenRefreshInterval")]
    [InlineData("MotherDuck:TokenRetryInterval", "0s", "Setting MotherDuck:TokenRetryInterval")]
    [InlineData("MotherDuck:WarmUp", "no", "Setting MotherDuck:WarmUp: expected one of true, false, not 'no'")]
    [InlineData("MotherDuck:SessionName", "my app", "Setting MotherDuck:SessionName")]
    [InlineData("MotherDuck:RootCertificate", "/no/such/file.pem", "Setting MotherDuck:RootCertificate: '/no/such/file.pem' cannot be read")]
    [InlineData("KEY_VAULT_URI", "http://vault.vault.azure.net", "Setting KEY_VAULT_URI: expected the address of a Key Vault, https://NAME.vault.azure.net")]
    [InlineData("KEY_VAULT_URI", "my-vault", "Setting KEY_VAULT_URI")]
    [InlineData("MotherDuck:TokenSecret", "a_b", "Setting MotherDuck:TokenSecret: expected the name of a Key Vault secret")]
    [InlineData("MOTHERDUCK_TOKEN", "", "Setting MOTHERDUCK_TOKEN: not set; expected a MotherDuck access token, or KEY_VAULT_URI")]
    [InlineData("MOTHERDUCK_TOKEN", "two words", "Setting MOTHERDUCK_TOKEN: it holds white space")]
    public void A_wrong_setting_is_named_with_what_was_expected(string name, string value, string expected)
    {
        var (_, faults) = Read((name, value));
        Assert.Contains(expected, Assert.Single(faults), StringComparison.Ordinal);
    }

    [Fact]
    public void All_faults_are_told_together_and_none_repeats_a_token()
    {
        var (_, faults) = Read(
            ("MotherDuck:Region", ""), ("MotherDuck:SslMode", "allow"), ("MOTHERDUCK_TOKEN", "a secret with blanks"), ("MotherDuck:ReadTokenSecret", "eyJhbGciOiJIUzI1NiJ9.e30.x"));
        Assert.Equal(4, faults.Count);
        Assert.DoesNotContain(faults, fault => fault.Contains("blanks", StringComparison.Ordinal) || fault.Contains("eyJ", StringComparison.Ordinal));
    }

    [Fact]
    public void A_root_certificate_is_of_no_use_without_a_check()
    {
        var file = Path.GetTempFileName();
        try
        {
            Assert.Contains("holds none", Assert.Single(Read(("MotherDuck:RootCertificate", file)).Faults), StringComparison.Ordinal);
            Assert.Equal(2, Read(("MotherDuck:RootCertificate", file), ("MotherDuck:SslMode", "Require")).Faults.Count);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_region_gives_the_host_and_the_region_of_its_tokens()
    {
        var (options, faults) = Read(("MotherDuck:Region", "eu-central-1"));
        Assert.Empty(faults);
        Assert.Equal(("pg.eu-central-1-aws.motherduck.com", "aws-eu-central-1"), (options.Host, options.TokenRegion));
        Assert.Null(Read(("MotherDuck:Host", "localhost"), ("MotherDuck:Region", "")).Options.TokenRegion);
        // A host of another name, such as a private one, does not tell; the region's setting does.
        Assert.Equal("aws-us-east-1", Read(("MotherDuck:Host", "localhost"), ("MotherDuck:Region", "us-east-1")).Options.TokenRegion);
        Assert.Equal("aws-eu-central-1", Read(("MotherDuck:Host", "pg.eu-central-1-aws.motherduck.com"), ("MotherDuck:Region", "us-east-1")).Options.TokenRegion);
    }

    [Fact]
    public void Everything_reaches_the_connection_string_but_the_token()
    {
        var (options, _) = Read(
            ("MotherDuck:Database", "my_db"), ("MotherDuck:AttachMode", "single"), ("MotherDuck:SessionName", "app-1"), ("MotherDuck:ConnectionIdleLifetime", "2m"),
            ("MotherDuck:ConnectionLifetime", "10m"), ("MotherDuck:TcpKeepAliveTime", "30s"), ("MotherDuck:TcpKeepAliveInterval", "5s"), ("MotherDuck:ConnectTimeout", "7s"));
        var text = options.ToConnectionString();
        foreach (var part in (string[])["Host=pg.us-east-1-aws.motherduck.com", "Database=my_db", "Options=\"--session_name=app-1 --attach_mode=single\"", "Maximum Pool Size=1",
            "Connection Idle Lifetime=120", "Connection Lifetime=600", "TCP Keepalive Time=30", "TCP Keepalive Interval=5", "Timeout=7", "Command Timeout=0", "SSL Mode=Require", "Minimum Pool Size=0"])
            Assert.Contains(part, text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("a-token-of-this-test", text, StringComparison.Ordinal);
        Assert.DoesNotContain("a-token-of-this-test", options.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "", "mdfunctions")]
    [InlineData("my-app", "0123456789abcdef0123456789abcdef", "my-app-456789abcdef")]
    public void Each_instance_keeps_a_session_name_of_its_own(string site, string instance, string expected) =>
        Assert.Equal(expected, Read(("WEBSITE_SITE_NAME", site), ("WEBSITE_INSTANCE_ID", instance)).Options.SessionName);

    private static (MotherDuckOptions Options, IReadOnlyList<string> Faults) Read(params (string Name, string Value)[] changes)
    {
        var values = new Dictionary<string, string?> { ["MotherDuck:Region"] = "us-east-1", ["MOTHERDUCK_TOKEN"] = "a-token-of-this-test" };
        foreach (var (name, value) in changes)
            values[name] = value;
        var settings = new Settings(new ConfigurationBuilder().AddInMemoryCollection(values).Build());
        return (MotherDuckOptions.Read(settings), settings.Faults);
    }
}
