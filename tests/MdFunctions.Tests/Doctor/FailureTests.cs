using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using MdFunctions.Endpoint;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Local.Doctor;
using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.MotherDuck;

namespace MdFunctions.Tests.Doctor;

/// <summary>An endpoint that cannot be asked: one sentence, exit code 2, and no token in it or in the report.</summary>
public sealed class FailureTests
{
    [Fact]
    public async Task No_network_is_said_in_a_sentence()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        taken.Stop();
        await FailsAsync(options => options with { Port = port }, "MotherDuck cannot be reached: ");
    }

    [Fact]
    public Task A_host_that_has_no_address_is_said_in_a_sentence() =>
        FailsAsync(options => options with { Host = "pg.mdfunctions.invalid" }, "MotherDuck cannot be reached: ");

    [Fact]
    public async Task A_host_that_does_not_answer_is_said_in_a_sentence()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await FailsAsync(options => options with { Port = ((IPEndPoint)silent.LocalEndpoint).Port, ConnectTimeout = TimeSpan.FromSeconds(1) }, "MotherDuck cannot be reached: No connection to localhost in time");
    }

    [Fact]
    public Task A_certificate_that_is_not_trusted_is_said_in_a_sentence() =>
        FailsAsync(options => options with { RootCertificates = null }, "MotherDuck cannot be reached: TLS failed: the certificate of localhost is signed by an authority that is not trusted");

    [Fact]
    public Task A_wrong_token_is_said_in_a_sentence() =>
        FailsAsync(With(Connections.NewToken()), "MotherDuck refused the token of MOTHERDUCK_TOKEN: it was revoked, or is not a MotherDuck access token.");

    [Fact]
    public Task A_token_of_another_region_is_said_in_a_sentence() =>
        FailsAsync(With(Connections.Jwt(new { sub = Guid.NewGuid(), mdRegion = "aws-eu-central-1", tokenType = "read_write" })),
            "MotherDuck refused the token of MOTHERDUCK_TOKEN: it is a token for region aws-eu-central-1, but localhost serves aws-us-east-1: set MotherDuck:Region to eu-central-1.");

    [Fact]
    public Task An_expired_token_is_said_in_a_sentence() =>
        FailsAsync(With(Connections.Jwt(new { sub = Guid.NewGuid(), exp = 1_700_000_000, tokenType = "read_write" })),
            "MotherDuck refused the token of MOTHERDUCK_TOKEN: it expired on 2023-11-14 22:13:20Z.");

    [Fact]
    public Task A_token_that_cannot_write_is_said_in_a_sentence() =>
        FailsAsync(With(Connections.Jwt(new { sub = Guid.NewGuid(), tokenType = "read_scaling" })),
            "Loads and ingests need a read-write token; the token of MOTHERDUCK_TOKEN is a read-scaling token.");

    [Fact]
    public async Task A_session_that_may_not_write_is_said_in_a_sentence()
    {
        var options = await DoctorEndpoint.OfAsync(Behaviour.Observed);
        await FailsAsync(_ => options with { Token = options.ReadToken }, "MotherDuck refused what the doctor begins with: ");
    }

    [Fact]
    public async Task An_endpoint_that_goes_away_ends_it()
    {
        var options = await DoctorEndpoint.OfAsync(Behaviour.Observed);
        var proxy = new SilentProxy(options.Port);
        var asked = 0;
        var probe = AllProbes.Groups[1].Probes[0];
        var dies = probe with
        {
            AskAsync = async (patient, stop) =>
            {
                asked++;
                proxy.ResetConnections();
                await proxy.DisposeAsync();
                return await probe.AskAsync(patient, stop);
            },
        };
        var output = new StringWriter();
        var diagnosis = await new DoctorCommand(new DoctorOptions(), null, output).AskAsync(
            "local", options with { Port = proxy.Port, ConnectTimeout = TimeSpan.FromSeconds(2) }, await DoctorEndpoint.PatientAsync(), [new("Group", [dies, dies, dies])], CancellationToken.None);
        Assert.Equal((1, 2), (asked, diagnosis.ExitCode));
        Assert.Contains("MotherDuck cannot be reached: ", output.ToString(), StringComparison.Ordinal);
        Assert.Contains($"Drop it by hand: DROP SCHEMA mdfunctions_doctor_", output.ToString(), StringComparison.Ordinal);
    }

    private static Func<MotherDuckOptions, MotherDuckOptions> With(string token) => options => options with { Token = token, Region = "us-east-1" };

    private static async Task FailsAsync(Func<MotherDuckOptions, MotherDuckOptions> change, string sentence)
    {
        var options = change(await DoctorEndpoint.OfAsync(Behaviour.Observed));
        TokenWatch.Watch(options.Token!);
        var output = new StringWriter();
        var diagnosis = await new DoctorCommand(new DoctorOptions(), null, output).AskAsync("local", options, await DoctorEndpoint.PatientAsync(), AllProbes.Groups, CancellationToken.None);

        var said = output.ToString().TrimEnd();
        Assert.StartsWith(sentence, said, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', said);
        Assert.Equal(2, diagnosis.ExitCode);
        Assert.False(TokenWatch.IsIn(said), said);

        var report = Diagnosis.Report([diagnosis], DateTimeOffset.UnixEpoch);
        Assert.False(TokenWatch.IsIn(report), report);
        Assert.DoesNotContain(options.Host, report, StringComparison.Ordinal);
        Assert.Equal(2, JsonSerializer.Deserialize<JsonElement>(report).GetProperty("endpoints")[0].GetProperty("exitCode").GetInt32());
    }
}
