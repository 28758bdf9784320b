using System.Runtime.CompilerServices;
using MdFunctions.Engine.MotherDuck;

namespace MdFunctions.Tests.Pressure;

/// <summary>What a burst leaves in memory is collected once nobody calls.</summary>
[Collection("Alone")]
public sealed class BurstMemoryTests
{
    [Fact]
    public void What_a_burst_leaves_goes_when_nobody_calls()
    {
        var clock = new Clock();
        var idle = false;
        using var memory = new BurstMemory(() => idle, clock);
        var left = Leave();
        Assert.Equal(0, clock.Timers);

        memory.Note();
        memory.Note();
        Assert.Equal(1, clock.Timers);
        clock.Tick(TimeSpan.FromMinutes(1)); // Somebody is served still.
        Assert.True(left.IsAlive);
        Assert.Equal(1, clock.Timers);

        idle = true;
        memory.Note();
        clock.Tick(TimeSpan.FromSeconds(29)); // It may go on.
        Assert.True(left.IsAlive);
        clock.Tick(TimeSpan.FromSeconds(1));
        Assert.False(left.IsAlive);
        Assert.Equal(0, clock.Timers);

        memory.Note(); // The next burst.
        Assert.Equal(1, clock.Timers);
    }

    // Old enough that only a full collection takes it.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Leave()
    {
        var garbage = new byte[1000];
        for (var i = 0; i < 3; i++)
            GC.Collect();
        Assert.Equal(2, GC.GetGeneration(garbage));
        return new(garbage);
    }

    private sealed class Clock : TimeProvider
    {
        private readonly List<Timer> _timers = [];
        private long _seconds;

        public int Timers => _timers.Count;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => _seconds;

        public void Tick(TimeSpan later)
        {
            _seconds += (long)later.TotalSeconds;
            foreach (var timer in _timers.ToList())
                timer.Callback();
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new Timer(_timers, () => callback(state));
            _timers.Add(timer);
            return timer;
        }

        private sealed class Timer(List<Timer> all, Action callback) : ITimer
        {
            public Action Callback => callback;

            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose() => all.Remove(this);

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
