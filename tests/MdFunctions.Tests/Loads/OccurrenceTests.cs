using System.Net;
using MdFunctions.Engine;
using MdFunctions.Engine.Loads;
using MdFunctions.Engine.Templates;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace MdFunctions.Tests.Loads;

/// <summary>Which run is this: a timer's, one by hand, one with a key; none takes another's place.</summary>
public sealed class OccurrenceTests
{
    private static readonly DateTime Midnight = new(2026, 2, 1, 0, 0, 0, DateTimeKind.Utc);

    private readonly Clock _clock = new();

    [Theory]
    [InlineData(-130)]
    [InlineData(-3000)]
    [InlineData(0)]
    [InlineData(20_000)]
    public async Task A_timer_that_fires_early_or_late_is_the_timers_and_once(int milliseconds)
    {
        await using var app = await StartAsync();
        var schedule = Schedule(app);
        _clock.Now = new DateTimeOffset(Midnight).AddMilliseconds(milliseconds);
        await schedule.RunAsync("daily", Midnight, "first");
        await schedule.RunAsync("daily", Midnight, "again"); // A redelivery.
        await Schedule(app).RunAsync("daily", Midnight, "elsewhere");
        Assert.Equal(["2026-02-01"], await app.SqlAsync("FROM {db}.main.t"));
        Assert.Equal(["2026-02-01T00:00:00Z"], await app.SqlAsync("SELECT occurrence FROM {db}.md_functions.load_runs"));
    }

    [Fact]
    public async Task A_run_by_hand_is_none_of_the_timers()
    {
        await using var app = await StartAsync();
        var schedule = Schedule(app);
        _clock.Now = new DateTimeOffset(Midnight).AddHours(-3);
        await schedule.RunAsync("daily", Midnight, "by-hand");
        _clock.Now = new DateTimeOffset(Midnight);
        await schedule.RunAsync("daily", Midnight, "timer");
        Assert.Equal(["2026-01-31", "2026-02-01"], await app.SqlAsync("FROM {db}.main.t ORDER BY 1"));
        Assert.Equal(["2026-02-01T00:00:00Z", "by-hand"], await app.SqlAsync("SELECT occurrence FROM {db}.md_functions.load_runs ORDER BY 1"));
    }

    [Fact]
    public async Task A_run_by_hand_that_fails_is_not_the_hosts_to_retry_and_leaves_the_timers_retries_alone()
    {
        await using var app = await StartAsync(("broken", "/*\ntarget: {db}.main.broken\nmode: append\nschedule: daily\n*/\nSELECT * FROM read_csv('{files}/none.csv')"));
        var schedule = Schedule(app);
        _clock.Now = new DateTimeOffset(Midnight).AddHours(-3);
        await schedule.RunAsync("daily", Midnight, "by-hand-1");
        // Should the host retry it all the same, under a new id: nothing runs.
        await schedule.RunAsync("daily", Midnight, "by-hand-1-retry", retry: 1);
        Assert.Equal(["1"], await app.SqlAsync("SELECT count(*) FROM {db}.main.t"));

        _clock.Now = new DateTimeOffset(Midnight);
        await Assert.ThrowsAsync<InvalidOperationException>(() => schedule.RunAsync("daily", Midnight, "timer"));
        // While the timer's run waits for its retry, the host tells a run by hand the timer's occurrence.
        _clock.Now = new DateTimeOffset(Midnight).AddSeconds(20);
        await schedule.RunAsync("daily", Midnight, "by-hand-2");
        Assert.Equal(["3"], await app.SqlAsync("SELECT count(*) FROM {db}.main.t"));
        app.Files.Put("none.csv", "id\n1\n");
        await schedule.RunAsync("daily", Midnight, "timer", retry: 1);
        Assert.Equal(["3"], await app.SqlAsync("SELECT count(*) FROM {db}.main.t"));
        Assert.Equal(["2026-02-01T00:00:00Z|succeeded|2", "by-hand-1|failed|1", "by-hand-2|failed|1"],
            await app.SqlAsync("SELECT occurrence, status, attempts FROM {db}.md_functions.load_runs WHERE load = 'broken' ORDER BY 1"));
    }

    [Fact]
    public async Task An_hour_that_comes_twice_is_two_occurrences()
    {
        await using var app = await StartAsync(("it", "/*\ntarget: {db}.main.t\nmode: append\nschedule: hourly\n*/\nSELECT $run_time AS moment"));
        _clock.Zone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
        var schedule = Schedule(app);
        // 02:05 comes at 00:05 UTC and, when summer time has ended, at 01:05 UTC.
        foreach (var hour in (int[])[0, 1])
        {
            _clock.Now = new DateTimeOffset(2026, 10, 25, hour, 5, 0, TimeSpan.Zero).AddMilliseconds(-100);
            await schedule.RunAsync("hourly", new DateTime(2026, 10, 25, 2, 5, 0, DateTimeKind.Unspecified), $"id-{hour}");
        }
        Assert.Equal(["2026-10-25 00:05:00", "2026-10-25 01:05:00"], await app.SqlAsync("FROM {db}.main.t ORDER BY 1"));
    }

    [Fact]
    public async Task A_key_that_looks_like_tonight_leaves_tonight_alone()
    {
        await using var app = await StartAsync();
        var run = await app.RunAsync("it", key: "2026-02-01T00:00:00Z");
        Assert.Equal("key 2026-02-01T00:00:00Z", run.GetProperty("occurrence").GetString());
        _clock.Now = new DateTimeOffset(Midnight);
        await Schedule(app).RunAsync("daily", Midnight, "timer");
        Assert.Equal(["2"], await app.SqlAsync("SELECT count(*) FROM {db}.main.t"));
        await app.RunAsync("it", key: "2026-02-01T00:00:00Z");
        Assert.Equal(["2"], await app.SqlAsync("SELECT count(*) FROM {db}.main.t"));
    }

    [Fact]
    public async Task A_key_with_other_parameters_is_refused()
    {
        await using var app = await StartAsync(("it", "/*\ntarget: {db}.main.t\nmode: append\nparameters: { n: { type: integer, default: 1 } }\n*/\nSELECT $n AS n, $run_date AS d"));
        await SendAsync(app, "", "k", HttpStatusCode.OK);
        await SendAsync(app, "?n=1", "k", HttpStatusCode.OK);
        foreach (var other in (string[])["?n=2", "?run_time=2026-01-01"])
        {
            var problem = await SendAsync(app, other, "k", HttpStatusCode.UnprocessableEntity);
            Assert.Contains("other parameters", problem);
        }
        await SendAsync(app, "?n=2", "k2", HttpStatusCode.OK);
        Assert.Equal(["1", "2"], await app.SqlAsync("SELECT n FROM {db}.main.t ORDER BY n"));
        Assert.Equal(["k|succeeded|1", "k2|succeeded|1"], await app.SqlAsync("SELECT occurrence, status, attempts FROM {db}.md_functions.load_runs ORDER BY 1"));
    }

    [Theory]
    [InlineData("01/02/2026", null)]
    [InlineData("10:30", null)]
    [InlineData("Jan 5", null)]
    [InlineData("2026-1-5", null)]
    [InlineData("20260105", null)]
    [InlineData("2026-02-30", null)]
    [InlineData("2026-01-05T25:00:00Z", null)]
    [InlineData("2026-01-05T10:30:00 01:00", null)]
    [InlineData("", null)]
    [InlineData("2026-01-05", "2026-01-05 00:00:00")]
    [InlineData("2026-01-05T10:30", "2026-01-05 10:30:00")]
    [InlineData("2026-01-05T10:30:00.5Z", "2026-01-05 10:30:00.5")]
    [InlineData("2026-01-05T00:30:00%2B01:00", "2026-01-04 23:30:00")]
    public async Task Run_time_is_ISO_8601_only(string text, string? expected)
    {
        await using var app = await StartAsync(("it", "/*\ntarget: {db}.main.t\nmode: append\n*/\nSELECT $run_time AS moment"));
        var answer = await SendAsync(app, $"?run_time={text}", null, expected is null ? HttpStatusCode.BadRequest : HttpStatusCode.OK);
        if (expected is null)
            Assert.Contains("'run_time' is not one ISO 8601 time", answer);
        else
            Assert.Equal([expected], await app.SqlAsync("FROM {db}.main.t"));
    }

    private static async Task<string> SendAsync(LoadApp app, string query, string? key, HttpStatusCode status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"api/loads/it{query}");
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        using var response = await app.Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == status, text);
        return text;
    }

    private static Task<LoadApp> StartAsync(params (string Name, string Load)[] more)
    {
        var loads = new Dictionary<string, string> { ["it"] = "/*\ntarget: {db}.main.t\nmode: append\nschedule: daily\n*/\nSELECT $run_date AS day" };
        foreach (var (name, load) in more)
            loads[name] = load;
        return LoadApp.StartAsync(loads);
    }

    private LoadSchedule Schedule(LoadApp app)
    {
        var services = app.App.Host.Services;
        return new(services.GetRequiredService<LoadRunner>(), services.GetRequiredService<TemplateCatalog>(), services.GetRequiredService<TimerSchedules>(),
            services.GetRequiredService<LoadOptions>(), _clock, NullLogger<LoadSchedule>.Instance);
    }

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public TimeZoneInfo Zone { get; set; } = TimeZoneInfo.Utc;

        public override TimeZoneInfo LocalTimeZone => Zone;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
