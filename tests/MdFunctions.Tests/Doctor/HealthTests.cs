using MdFunctions.Endpoint;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Doctor;

/// <summary>The deep health check names the doctor where MotherDuck answers in a way that the app does not know, and only there.</summary>
public sealed class HealthTests
{
    public static TheoryData<string, Forgery> Unknown => new()
    {
        { "a value in another form", new Forgery("AS flag") { Sql = "SELECT CAST($1 AS VARCHAR), 42, 'yes', DATE '2026-02-28', CAST(NULL AS VARCHAR)" } },
        { "other text", new Forgery("AS flag") { Value = "Z?rich" } },
        { "another number of columns", new Forgery("AS flag") { Sql = "SELECT CAST($1 AS VARCHAR)" } },
        { "a refusal", new Forgery("AS flag") { Sql = "SELECT mdfunctions_no_such_function(CAST($1 AS VARCHAR))" } },
        { "a refusal in words of its own", new Forgery("AS flag") { Sql = "SELECT mdfunctions_no_such_function(CAST($1 AS VARCHAR))", Message = "not today", State = "0A000" } },
    };

    [Theory]
    [MemberData(nameof(Unknown))]
    public async Task An_answer_that_is_not_known_names_the_doctor(string what, Forgery forgery)
    {
        await using var app = await StartAsync(forgery);
        using var response = await app.App.Client.GetAsync("api/health?deep=true");
        var problem = await response.ProblemAsync(503);
        Assert.True(problem.GetProperty("detail").GetString()!.Contains("doctor --motherduck", StringComparison.Ordinal), $"{what}: {problem}");
    }

    [Fact]
    public async Task One_that_does_not_come_does_not()
    {
        await using var app = await StartAsync(new Forgery("AS flag") { Breaks = true });
        using var response = await app.App.Client.GetAsync("api/health?deep=true");
        Assert.DoesNotContain("doctor", (await response.ProblemAsync(503)).GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Behaviour.Documented)]
    [InlineData(Behaviour.Observed)]
    public async Task Both_behaviours_are_known(Behaviour behaviour)
    {
        await using var app = await StartAsync(null, behaviour);
        Assert.Equal("ok", (await app.App.GetJsonAsync("api/health?deep=true")).GetProperty("status").GetString());
    }

    private static Task<ForgedApp> StartAsync(Forgery? forgery, Behaviour behaviour = Behaviour.Observed) => ForgedApp.StartAsync(forgery, new Dictionary<string, string>(), behaviour);
}
