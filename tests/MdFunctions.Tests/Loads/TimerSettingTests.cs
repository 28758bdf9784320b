using MdFunctions.Engine;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Loads;

/// <summary>A timer whose setting is missing or wrong stops the start, as the host would only leave it out.</summary>
public sealed class TimerSettingTests
{
    [Theory]
    [InlineData("30 2 * * *", "'30 2 * * *' has five fields, as cron has them, and lacks the seconds: '0 30 2 * * *' would be the same; expected a six-field NCRONTAB expression")]
    [InlineData("every day", "'every day' is not a schedule; expected a six-field NCRONTAB expression")]
    [InlineData("0 61 2 * * *", "'0 61 2 * * *' is not a schedule")]
    [InlineData("1.00:00:00", "'1.00:00:00' is not a schedule")]
    [InlineData("0 0 0 31 2 *", "'0 0 0 31 2 *' never comes")]
    [InlineData(" ", "is not set, and the timer 'daily' runs by it")]
    [InlineData("", "is not set, and the timer 'daily' runs by it")]
    public async Task What_is_wrong_is_named_with_the_form_that_is_expected(string daily, string fault)
    {
        var failure = await Assert.ThrowsAsync<StartupException>(() => LocalApp.StartAsync(
            new Dictionary<string, string> { ["loads/it.sql"] = "/*\ntarget: a.b.c\nmode: upsert\n*/\nSELECT 1 AS n" },
            new Dictionary<string, string?> { ["LOADS_DAILY_SCHEDULE"] = daily }));
        Assert.Contains(failure.Faults, line => line.StartsWith("Setting LOADS_DAILY_SCHEDULE: ", StringComparison.Ordinal) && line.Contains(fault, StringComparison.Ordinal)
            && line.Contains("{second} {minute} {hour} {day} {month} {day of the week}, such as '0 30 2 * * *'", StringComparison.Ordinal));
        // All faults together.
        Assert.Contains(failure.Faults, line => line.StartsWith("loads/it.sql:3: 'mode' is not one of", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Both_timers_are_named_at_once()
    {
        var failure = await Assert.ThrowsAsync<StartupException>(() => LocalApp.StartAsync(
            new Dictionary<string, string>(), new Dictionary<string, string?> { ["LOADS_DAILY_SCHEDULE"] = "* *", ["LOADS_HOURLY_SCHEDULE"] = "5 * * * *" }));
        Assert.Equal(2, failure.Faults.Count);
    }
}
