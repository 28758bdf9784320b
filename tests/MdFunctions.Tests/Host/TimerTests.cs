using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using Google.Protobuf.WellKnownTypes;
using MdFunctions.Local.Host.Rpc;
using MdFunctions.Local.Host.Timers;
using MdFunctions.Tests.MotherDuck;

namespace MdFunctions.Tests.Host;

/// <summary>Timers of the local host do what those of the Functions host were seen to do.</summary>
public sealed class TimerTests
{
    private const string Yearly = "0 0 0 1 1 *";

    [Fact]
    public async Task A_run_by_hand_has_a_new_id_at_each_retry_and_is_told_the_occurrence_to_come()
    {
        var worker = new ScriptedWorker("%SCHEDULE%") { Succeeds = number => Task.FromResult(number == 2) };
        await using var host = await worker.HostAsync(new() { ["SCHEDULE"] = Yearly });
        Assert.Equal(HttpStatusCode.Accepted, await PostAsync(host.BaseAddress));
        await Connections.EventuallyAsync(() => worker.Calls.Count == 3, "the retries");
        await Task.Delay(300);
        var calls = worker.Calls.ToArray();
        Assert.Equal(3, calls.Length); // The third succeeded.
        Assert.Equal(3, calls.Select(call => call.InvocationId).Distinct().Count());
        Assert.Equal([0, 1, 2], calls.Select(call => call.RetryContext?.RetryCount ?? 0));
        Assert.Equal(["failure 0", "failure 1"], calls.Skip(1).Select(call => call.RetryContext.Exception.Message));
        Assert.All(calls, call => Assert.True(Next(call) > DateTime.Now));
    }

    [Fact]
    public async Task A_run_of_the_timer_keeps_its_id_and_its_occurrence_and_a_run_by_hand_meanwhile_is_told_the_same()
    {
        var due = DateTime.Now.AddSeconds(3);
        var byHand = new TaskCompletionSource();
        var worker = new ScriptedWorker("%SCHEDULE%");
        worker.Succeeds = async number =>
        {
            if (number == 1)
                await byHand.Task;
            return number > 1;
        };
        await using var host = await worker.HostAsync(new() { ["SCHEDULE"] = string.Create(CultureInfo.InvariantCulture, $"{due.Second} {due.Minute} * * * *") });
        await Connections.EventuallyAsync(() => worker.Calls.Count == 2, "the first retry", 20);
        await PostAsync(host.BaseAddress);
        await Connections.EventuallyAsync(() => worker.Calls.Count == 3, "the run by hand");
        byHand.SetResult();
        await Connections.EventuallyAsync(() => worker.Calls.Count == 4, "the second retry");
        var calls = worker.Calls.ToArray();
        Assert.Equal([calls[0].InvocationId], new[] { calls[1], calls[3] }.Select(call => call.InvocationId).Distinct());
        Assert.NotEqual(calls[0].InvocationId, calls[2].InvocationId);
        var occurrence = new DateTime(due.Ticks - (due.Ticks % TimeSpan.TicksPerSecond), DateTimeKind.Local);
        Assert.All(calls, call => Assert.Equal(occurrence, Next(call)));
        Assert.False(ScriptedWorker.Timer(calls[0]).GetProperty("IsPastDue").GetBoolean());
    }

    [Fact]
    public async Task Retries_end_at_their_number()
    {
        var worker = new ScriptedWorker(Yearly) { Succeeds = _ => Task.FromResult(false) };
        await using var host = await worker.HostAsync([]);
        await PostAsync(host.BaseAddress);
        await Connections.EventuallyAsync(() => worker.Calls.Count == 4, "all retries");
        await Task.Delay(300);
        Assert.Equal(4, worker.Calls.Count);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("every day")]
    [InlineData("0 0 25 * * *")]
    public async Task A_schedule_that_is_not_there_or_not_one_disables_the_timer_without_a_word(string? schedule)
    {
        var worker = new ScriptedWorker("%SCHEDULE%");
        await using var host = await worker.HostAsync(schedule is null ? [] : new() { ["SCHEDULE"] = schedule });
        Assert.Equal(HttpStatusCode.Accepted, await PostAsync(host.BaseAddress));
        await Task.Delay(300);
        Assert.Empty(worker.Calls);
    }

    [Theory]
    [InlineData("*/10 * * * * *", false)]
    [InlineData("00:00:30", false)]
    [InlineData("0 * * * * *", true)]
    [InlineData("*/5 * * * *", true)]
    [InlineData("01:00:00", true)]
    public async Task Schedules_under_a_minute_have_no_status(string schedule, bool hasStatus)
    {
        var worker = new ScriptedWorker(schedule);
        await using var host = await worker.HostAsync([]);
        await PostAsync(host.BaseAddress);
        await Connections.EventuallyAsync(() => !worker.Calls.IsEmpty, "the run by hand");
        Assert.Equal(hasStatus, ScriptedWorker.Timer(worker.Calls.First()).GetProperty("ScheduleStatus").ValueKind == System.Text.Json.JsonValueKind.Object);
    }

    [Fact]
    public void Exponential_delays_have_the_hosts_jitter_and_end_at_the_maximum()
    {
        for (var round = 0; round < 100; round++)
        {
            var delays = new RetryDelays(new RpcRetryOptions
            {
                RetryStrategy = RpcRetryOptions.Types.RetryStrategy.ExponentialBackoff,
                MinimumInterval = Duration.FromTimeSpan(TimeSpan.FromSeconds(30)),
                MaximumInterval = Duration.FromTimeSpan(TimeSpan.FromSeconds(180)),
            });
            Assert.Equal(30, delays.Next().TotalSeconds);
            Assert.InRange(delays.Next().TotalSeconds, 54, 66);
            Assert.InRange(delays.Next().TotalSeconds, 78, 102);
            Assert.InRange(delays.Next().TotalSeconds, 126, 174);
            Assert.Equal(180, delays.Next().TotalSeconds);
            Assert.Equal(180, delays.Next().TotalSeconds);
        }
    }

    private static DateTime Next(InvocationRequest call) => ScriptedWorker.Timer(call).GetProperty("ScheduleStatus").GetProperty("Next").GetDateTime();

    private static async Task<HttpStatusCode> PostAsync(Uri host)
    {
        using var client = new HttpClient();
        using var response = await client.PostAsync(new Uri(host, "admin/functions/Tick"), JsonContent.Create(new { }));
        return response.StatusCode;
    }
}
