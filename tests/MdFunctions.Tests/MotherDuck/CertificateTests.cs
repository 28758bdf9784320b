using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.MotherDuck;

public sealed class CertificateTests
{
    [Theory]
    [InlineData("valid", "VerifyFull", null)]
    [InlineData("expired", "VerifyFull", "of localhost expired on ")]
    [InlineData("wrong-host", "VerifyFull", "the certificate is for wrong-host.invalid and not for localhost")]
    [InlineData("unknown-ca", "VerifyFull", "is signed by an authority that is not trusted, ")]
    [InlineData("expired", "Require", null)]
    [InlineData("unknown-ca", "Require", null)]
    public async Task A_bad_certificate_is_refused_and_the_log_says_what_is_wrong(string certificate, string mode, string? expected)
    {
        var token = Connections.NewToken();
        await using var endpoint = await OwnEndpoint.StartAsync(token, "--certificate", certificate);
        var settings = new Dictionary<string, string?> { ["MOTHERDUCK_TOKEN"] = token, ["MotherDuck:SslMode"] = mode, ["MotherDuck:WarmUp"] = "false" };
        if (mode == "Require")
            settings["MotherDuck:RootCertificate"] = "";
        await using var app = await Connections.AppAsync(endpoint, settings: settings);
        using var response = await app.Client.GetAsync("api/queries/answer");
        if (expected is null)
        {
            Assert.Equal("""[{"n":42}]""", await response.Content.ReadAsStringAsync());
            return;
        }
        var problem = await response.ProblemAsync(503);
        Assert.Contains("no TLS connection", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains(app.Logs.All, line => line.Contains($"TLS failed: ", StringComparison.Ordinal) && line.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_system_s_authorities_are_those_that_count_without_a_file()
    {
        var token = Connections.NewToken();
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        await using var app = await Connections.AppAsync(
            endpoint, settings: new Dictionary<string, string?> { ["MOTHERDUCK_TOKEN"] = token, ["MotherDuck:RootCertificate"] = "", ["MotherDuck:WarmUp"] = "false" });
        using var response = await app.Client.GetAsync("api/queries/answer");
        await response.ProblemAsync(503);
        Assert.Contains(app.Logs.All, line => line.Contains("MotherDuck:RootCertificate may name a PEM file of it", StringComparison.Ordinal));
    }
}
