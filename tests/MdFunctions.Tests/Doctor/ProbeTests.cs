using MdFunctions.Endpoint;
using MdFunctions.Local.Doctor;

namespace MdFunctions.Tests.Doctor;

/// <summary>Each probe on the local endpoint: what it says in both behaviours, and that it notices when its fact does not hold.</summary>
public sealed class ProbeTests
{
    // What has several known answers: that of a documented endpoint, and that of an observed one. All other probes have one answer on both.
    private static readonly Dictionary<string, (string Documented, string Observed)> Answers = new()
    {
        ["without-tls"] = ("refused", "refused"),
        ["bare-cast"] = ("2026-02-28", "refused"),
        ["untyped-result"] = ("a text", "refused"),
        ["named-statement"] = ("the right value", "the right value"),
        ["kept-plan"] = ("the right value", "the right value"),
        ["binary"] = ("the right value", "the right value"),
        ["batch"] = ("the right value", "the right value"),
        ["folded-null"] = ("INTEGER", "INTEGER"),
        ["booleans"] = ("t | f", "t | f"),
        ["not-finite"] = ("NaN | Infinity | -Infinity", "NaN | Infinity | -Infinity"),
        ["far-dates"] = ("0044-03-15 BC", "0044-03-15 BC"),
        ["lists-as-text"] = ("{1,\"a b\",NULL} | {'a': 1}", "[1, a b, NULL] | {'a': 1}"),
        ["list-oids"] = ("1009 | 1009", "1009 | 17000"),
        ["ddl-result"] = ("no result set", "a result set"),
        ["insert-count"] = ("3 in the tag", "3 as a row"),
        ["merge-count"] = ("2 in the tag", "2 as a row"),
        ["ctas-count"] = ("nothing", "4 as a row"), // Npgsql takes the count of SELECT's tag for none.
        ["dependency"] = ("Dependency Error", "Dependency Error"),
        ["missing-file"] = ("HTTP Error", "HTTP Error"),
        ["missing-server"] = ("IO Error", "IO Error"),
        ["sqlstate"] = ("XX000", "XX000"),
        ["ready-status"] = ("the truth", "idle always"),
        ["key-conflict"] = ("known as a conflict", "known as a conflict"),
        ["cancel"] = ("57014, and the session goes on", "57014, and the session goes on"),
        ["cancel-rows"] = ("57014, and the session goes on", "57014, and the session goes on"),
        ["pg-catalog"] = ("rows", "refused"),
        ["reset"] = ("taken", "refused"),
        ["other-zone"] = ("taken", "refused"),
    };

    private static IEnumerable<Probe> Probes => AllProbes.Groups.SelectMany(group => group.Probes);

    public static TheoryData<string> Names => [.. Probes.Select(probe => probe.Name)];

    [Fact]
    public void Every_probe_has_a_name_of_its_own_and_something_that_breaks_it()
    {
        Assert.True(Probes.Count() >= 60, $"{Probes.Count()} probes");
        Assert.Equal(Probes.Count(), Probes.DistinctBy(probe => probe.Name).Count());
        Assert.Equal(Forgeries.All.Keys.Order(), Probes.Select(probe => probe.Name).Order());
        Assert.Equal(Answers.Keys.Order(), Probes.Where(probe => probe.Known.Count > 1).Select(probe => probe.Name).Order());
    }

    [Theory]
    [InlineData(Behaviour.Documented)]
    [InlineData(Behaviour.Observed)]
    public async Task An_endpoint_is_as_it_is_known_probe_by_probe(Behaviour behaviour)
    {
        var output = new StringWriter();
        var diagnosis = await new DoctorCommand(new DoctorOptions(), null, output).AskAsync(
            "local", await DoctorEndpoint.OfAsync(behaviour), await DoctorEndpoint.PatientAsync(), AllProbes.Groups, CancellationToken.None);
        Assert.Equal(Probes.Select(Expected), diagnosis.Findings.Select(finding => $"{finding.Probe.Name}: {finding.Outcome}: {finding.Seen}"));
        Assert.Equal(0, diagnosis.ExitCode);
        Assert.EndsWith("The endpoint is as the app knows it.", output.ToString().TrimEnd(), StringComparison.Ordinal);

        string Expected(Probe probe) =>
            $"{probe.Name}: Held: {(Answers.TryGetValue(probe.Name, out var answers) ? behaviour == Behaviour.Documented ? answers.Documented : answers.Observed : probe.Known[0])}";
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_probe_notices_when_its_fact_does_not_hold(string name)
    {
        var probe = Probes.Single(probe => probe.Name == name);
        var held = await AskAsync(probe, null, Behaviour.Observed);
        Assert.True(held.Findings is [{ Outcome: Outcome.Held }], $"through a network that changes nothing: {held.Findings.SingleOrDefault()?.Seen} {held.Stopped}");

        var broken = await AskAsync(probe, Forgeries.All[name], Behaviour.Observed);
        Assert.True(broken.Findings is [{ Outcome: Outcome.Differs }], $"not noticed: {broken.Findings.SingleOrDefault()?.Seen} {broken.Stopped}");
        Assert.Null(broken.Stopped);
        Assert.Equal(probe.Severity == Severity.Fails ? 2 : 1, broken.ExitCode);
        Assert.Contains($"{name} differs", broken.Summary(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("insert-count")]
    [InlineData("merge-count")]
    [InlineData("claim")]
    public async Task A_wrong_count_is_noticed_in_a_tag_too(string name)
    {
        var probe = Probes.Single(probe => probe.Name == name);
        Assert.True((await AskAsync(probe, Forgeries.All[name], Behaviour.Documented)).Findings is [{ Outcome: Outcome.Differs }]);
    }

    private static async Task<Diagnosis> AskAsync(Probe probe, Forgery? forgery, Behaviour behaviour)
    {
        var motherDuck = await DoctorEndpoint.OfAsync(behaviour);
        await using var proxy = new ForgingProxy(motherDuck.Port, forgery);
        motherDuck = motherDuck with { Port = proxy.Port, RootCertificates = proxy.Roots, SessionName = $"forged-{proxy.Port}" };
        return await new DoctorCommand(new DoctorOptions(), null, TextWriter.Null).AskAsync(
            "forged", motherDuck, await DoctorEndpoint.PatientAsync(), [new("One", [probe])], CancellationToken.None);
    }
}
