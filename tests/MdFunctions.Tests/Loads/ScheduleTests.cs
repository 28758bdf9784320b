using System.Globalization;
using System.Net.Http.Json;
using MdFunctions.Engine.Loads;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.MotherDuck;
using Microsoft.Extensions.DependencyInjection;

namespace MdFunctions.Tests.Loads;

/// <summary>Timers: order, retries, and what happens when they fire more than once.</summary>
public sealed class ScheduleTests
{
    private static readonly DateTimeOffset Night = new(2026, 1, 31, 2, 30, 0, TimeSpan.Zero);

    [Fact]
    public async Task Loads_run_behind_those_they_come_after_and_are_skipped_behind_a_failure_until_a_retry()
    {
        await using var app = await LoadApp.StartAsync(new Dictionary<string, string>
        {
            ["a_report"] = "/*\ntarget: {db}.main.report\nmode: replace\nschedule: daily\nafter: [stage, z_rates]\n*/\nSELECT count(*) AS orders FROM {db}.main.stage, {db}.main.rates",
            ["b_of_report"] = "/*\ntarget: {db}.main.b\nmode: replace\nschedule: daily\nafter: a_report\n*/\nSELECT * FROM {db}.main.report",
            ["stage"] = "/*\ntarget: {db}.main.stage\nmode: append\nschedule: daily\n*/\nSELECT $run_date AS day",
            ["z_rates"] = "/*\ntarget: {db}.main.rates\nmode: replace\nschedule: daily\n*/\nSELECT * FROM read_csv('{files}/rates.csv')",
            ["hourly"] = "/*\ntarget: {db}.main.hourly\nmode: replace\nschedule: hourly\n*/\nSELECT 1 AS n",
        });
        var schedule = app.App.Host.Services.GetRequiredService<LoadSchedule>();
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => schedule.RunAsync("daily", "night", Night));
        Assert.Equal("3 of the 4 daily loads did not succeed: z_rates, a_report, b_of_report. The log and load_runs say why.", failure.Message);
        Assert.Equal(
            ["a_report|skipped|it comes after 'z_rates', which did not succeed", "b_of_report|skipped|it comes after 'a_report', which did not succeed", "stage|succeeded|NULL"],
            await app.SqlAsync("SELECT load, status, error FROM {db}.md_functions.load_runs WHERE load <> 'z_rates' ORDER BY load"));

        app.Files.Put("rates.csv", "rate\n1\n2\n");
        await schedule.RunAsync("daily", "night", Night);
        Assert.Equal(["2"], await app.SqlAsync("FROM {db}.main.b"));
        Assert.Equal(["2026-01-31"], await app.SqlAsync("FROM {db}.main.stage"));
        // What had succeeded did not run again.
        Assert.Equal(["a_report|succeeded|2", "b_of_report|succeeded|2", "stage|succeeded|1", "z_rates|succeeded|2"],
            await app.SqlAsync("SELECT load, status, attempts FROM {db}.md_functions.load_runs ORDER BY load"));
    }

    [Fact]
    public async Task A_run_by_hand_is_an_occurrence_of_its_own()
    {
        await using var app = await LoadApp.StartAsync(new Dictionary<string, string> { ["it"] = "/*\ntarget: {db}.main.t\nmode: append\nschedule: daily\n*/\nSELECT 1 AS n" });
        using var response = await app.Client.PostAsync("admin/functions/LoadsDaily", JsonContent.Create(new { }));
        Assert.Equal(System.Net.HttpStatusCode.Accepted, response.StatusCode);
        await Connections.EventuallyAsync(() => app.App.Logs.All.Any(line => line.Contains("Executed 'Functions.LoadsDaily' (Succeeded", StringComparison.Ordinal)), "the timer's function");
        Assert.True(Guid.TryParse(Assert.Single(await app.SqlAsync("SELECT occurrence FROM {db}.md_functions.load_runs")), out _));
    }

    [Fact]
    public async Task Two_apps_whose_timers_fire_in_the_same_second_load_once()
    {
        await using var observer = await LoadApp.StartAsync(new Dictionary<string, string>());
        var files = new Dictionary<string, string>
        {
            ["loads/appended.sql"] = $"/*\ntarget: {observer.Database}.main.appended\nmode: append\nschedule: hourly\n*/\nSELECT $run_time AS moment, sum(a.range * b.range) AS s FROM range(3000) a, range(30000) b",
            ["loads/merged.sql"] = $"/*\ntarget: {observer.Database}.main.merged\nmode: merge\nkeys: id\nschedule: hourly\n*/\nSELECT range AS id FROM range(1000)",
        };
        var settings = await SharedEndpoint.SettingsAsync();
        var due = DateTime.Now.AddSeconds(20); // By then both have started.
        // Occurrences that are less than a minute apart have no status, and so no name that two apps share.
        settings["LOADS_HOURLY_SCHEDULE"] = string.Create(CultureInfo.InvariantCulture, $"{due.Second} {due.Minute} * * * *");
        settings["LOADS_DAILY_SCHEDULE"] = "0 0 0 1 1 *";
        var starting = new[] { AppProcess.StartAsync(files, settings), AppProcess.StartAsync(files, settings) };
        await using var one = await starting[0];
        await using var two = await starting[1];
        foreach (var app in (AppProcess[])[one, two])
            await Connections.EventuallyAsync(() => app.Lines.Any(line => line.Contains("Executed 'Functions.LoadsHourly' (Succeeded", StringComparison.Ordinal)), "the occurrence in both apps", 40);
        await one.KillAsync();
        await two.KillAsync();
        Assert.Equal(["1|1"], await observer.SqlAsync("SELECT count(*), count(DISTINCT moment) FROM {db}.main.appended"));
        Assert.Equal(["1000"], await observer.SqlAsync("SELECT count(*) FROM {db}.main.merged"));
        Assert.Equal(["2|1"], await observer.SqlAsync("SELECT count(*), max(attempts) FROM {db}.md_functions.load_runs WHERE status = 'succeeded'"));
    }

    [Fact]
    public async Task What_was_missed_while_the_host_was_down_is_made_up_for_once()
    {
        var data = Directory.CreateTempSubdirectory("mdfunctions-tests-").FullName;
        var files = new Dictionary<string, string> { ["loads/it.sql"] = "/*\ntarget: my_db.main.t\nmode: append\nschedule: hourly\n*/\nSELECT $run_time AS moment" };
        var hourAgo = DateTime.Now.AddHours(-1);
        var missed = hourAgo.AddTicks(-(hourAgo.Ticks % TimeSpan.TicksPerSecond));
        // What the host had written down when it stopped, for a schedule that comes a day later again.
        await File.WriteAllTextAsync(Path.Combine(data, "timers.json"), System.Text.Json.JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["LoadsHourly"] = new { Last = missed.AddDays(-1), Next = missed, LastUpdated = missed.AddDays(-1) },
        }));
        var schedule = string.Create(CultureInfo.InvariantCulture, $"{missed.Second} {missed.Minute} {missed.Hour} * * *");
        try
        {
            for (var start = 0; start < 2; start++)
            {
                await using var app = await LocalApp.StartAsync(new MdFunctions.Local.LocalOptions { Data = data, Settings = new Dictionary<string, string?> { ["LOADS_HOURLY_SCHEDULE"] = schedule } }, files);
                var pool = app.Host.Services.GetRequiredService<MotherDuckDataSources>().Write;
                if (start == 0)
                    await Connections.EventuallyAsync(() => app.Logs.All.Any(line => line.Contains("Executed 'Functions.LoadsHourly' (Succeeded", StringComparison.Ordinal)), "the missed occurrence");
                await using var connection = await pool.OpenAsync(CancellationToken.None);
                Assert.Equal(missed.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
                    Assert.Single(await connection.RowsAsync("SELECT occurrence FROM my_db.md_functions.load_runs", [], CancellationToken.None))[0]);
            }
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }
}
