using MdFunctions.Engine.MotherDuck;

namespace MdFunctions.Tests.Pressure;

/// <summary>Who gets a connection next, and who is turned away.</summary>
public sealed class TurnsTests
{
    private static readonly TimeSpan Patient = TimeSpan.FromSeconds(15);

    [Fact]
    public void One_caller_with_many_requests_waits_for_others_with_few()
    {
        var turns = new Turns(4, 100);
        var greedy = Enumerable.Range(0, 20).Select(_ => Enter(turns, "a")).ToList();
        Assert.Equal((4, 16), turns.State);
        var (b, c) = (Enter(turns, "b"), Enter(turns, "c"));
        var second = Enter(turns, "b");
        greedy[0].Dispose();
        Assert.True(b.HasCome);
        greedy[1].Dispose();
        Assert.True(c.HasCome);
        // One for each of them: the next is for whose last turn is the longest ago.
        greedy[2].Dispose();
        Assert.True(greedy[4].HasCome);
        greedy[3].Dispose();
        Assert.True(second.HasCome);
        c.Dispose();
        Assert.True(greedy[5].HasCome);
    }

    [Fact]
    public void Callers_take_turns_also_where_there_is_one_connection()
    {
        var turns = new Turns(1, 100);
        var a = Enumerable.Range(0, 10).Select(_ => Enter(turns, "a")).ToList();
        var (b1, b2, c) = (Enter(turns, "b"), Enter(turns, "b"), Enter(turns, "c"));
        var order = new List<Turn> { a[0], b1, c, a[1], b2, a[2], a[3] };
        foreach (var turn in order)
        {
            Assert.True(turn.HasCome);
            turn.Dispose();
        }
        Assert.True(a[4].HasCome);
    }

    [Fact]
    public void What_cannot_wait_is_turned_away_where_no_turn_is_free()
    {
        var turns = new Turns(1, 100);
        using (var only = new Turn { CanWait = false })
        {
            Assert.True(turns.TryEnter(only, Patient));
            Assert.False(turns.Refuses("", "", Patient)); // Others could wait.
            Assert.False(turns.TryEnter(new Turn { CanWait = false }, Patient));
        }
        Assert.Equal((0, 0), turns.State);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Who_was_turned_away_hears_of_a_queue_that_has_become_short(int limit)
    {
        var turns = new Turns(1, limit);
        var heard = 0;
        turns.HasRoom += () => heard++;
        var all = Enumerable.Range(0, limit + 1).Select(_ => Enter(turns, "a")).ToList();
        for (var i = 0; i < all.Count; i++)
        {
            Assert.True(turns.State == (1, limit - i) && heard == 0);
            all[i].Dispose();
            if (limit - i > 1) // Of three, two wait still.
                continue;
            Assert.True(heard > 0);
            heard = 0;
        }
        Assert.False(turns.Refuses("a", "", Patient));
    }

    [Fact]
    public void Those_who_are_turned_away_are_told_to_come_one_after_the_other()
    {
        var turns = new Turns(1, 3);
        var all = Enumerable.Range(0, 4).Select(_ => Enter(turns, "a")).ToList();
        all[0].Dispose();
        Thread.Sleep(20);
        all[1].Dispose(); // Now it is known how long a turn takes.
        var waits = Enumerable.Range(0, 60_000).Select(_ => turns.ComeAgain("a")).ToList();
        Assert.True(waits[0] < waits[100] && waits[100] < waits[1000]);
        Assert.Equal(TimeSpan.FromMinutes(1), waits[^1]); // At most.
        // Another caller does not stand behind them.
        Assert.True(turns.ComeAgain("b") < waits[100]);
        // However many callers there are, little is kept of them.
        for (var i = 0; i < 5000; i++)
            Assert.InRange(turns.ComeAgain($"{i}"), TimeSpan.Zero, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void A_full_queue_drops_the_last_of_who_has_most_in_it()
    {
        var turns = new Turns(1, 3);
        Enter(turns, "a");
        var waiting = Enumerable.Range(0, 3).Select(_ => Enter(turns, "a")).ToList();
        Assert.False(turns.TryEnter(new Turn("a"), Patient));
        Assert.True(turns.Refuses("a", "", Patient));
        Assert.False(turns.Refuses("b", "", Patient));
        Enter(turns, "b");
        Assert.True(waiting[2].Ready.Task is { IsCompletedSuccessfully: true, Result: false });
        Assert.Equal((1, 3), turns.State);
    }

    [Fact]
    public void What_waits_for_readers_leaves_a_turn_to_what_does_not()
    {
        var turns = new Turns(4, 2);
        var rows = Enumerable.Range(0, 4).Select(_ => Enter(turns, "a", "rows")).ToList();
        foreach (var turn in rows)
            turns.Block(turn);
        var more = Enter(turns, "b", "rows");
        var one = Enter(turns, "a", "one");
        rows[0].Dispose();
        Assert.True(one.HasCome);
        one.Dispose();
        Assert.False(more.HasCome);
        // Who cannot have the next turn makes room in a full queue for who can.
        var other = Enter(turns, "c", "one");
        Assert.True(other.HasCome);
        Enter(turns, "c", "one");
        Enter(turns, "c", "one");
        Assert.True(more.Ready.Task is { IsCompletedSuccessfully: true, Result: false });
    }

    [Fact]
    public void A_slow_reader_must_leave_only_while_others_wait()
    {
        var turns = new Turns(2, 10);
        var (slow, quick) = (Enter(turns, "a", "rows"), Enter(turns, "a", "one"));
        turns.Block(slow);
        Assert.False(turns.MustLeave(slow, slow: true));
        var waiting = Enter(turns, "b", "other");
        Assert.False(turns.MustLeave(slow, slow: false));
        Assert.True(turns.MustLeave(slow, slow: true));
        turns.Block(slow);
        turns.Block(quick);
        Assert.True(turns.MustLeave(slow, slow: false)); // Nothing moves at all.
        Assert.False(turns.MustLeave(quick, slow: false));
        slow.Dispose();
        Assert.True(waiting.HasCome);
    }

    [Fact]
    public void Whoever_gives_up_holds_nothing()
    {
        var turns = new Turns(1, 10);
        var first = Enter(turns, "a");
        var (second, third) = (Enter(turns, "a"), Enter(turns, "a"));
        turns.GiveUp(third);
        first.Dispose();
        turns.GiveUp(second); // Its turn came at the same moment.
        first.Dispose();
        Assert.Equal((0, 0), turns.State);
    }

    [Fact]
    public void Who_cannot_be_served_in_time_does_not_wait_at_all()
    {
        var turns = new Turns(1, 10);
        var all = Enumerable.Range(0, 5).Select(_ => Enter(turns, "a")).ToList();
        Assert.False(turns.Refuses("a", "", TimeSpan.Zero)); // Nobody knows yet how long a turn takes.
        all[0].Dispose();
        Thread.Sleep(20);
        all[1].Dispose();
        Assert.True(turns.Refuses("a", "", TimeSpan.Zero));
        Assert.False(turns.TryEnter(new Turn("a"), TimeSpan.Zero));
        Assert.False(turns.Refuses("a", "", TimeSpan.FromHours(1)));
        foreach (var turn in all)
            turn.Dispose();
        Assert.False(turns.Refuses("a", "", TimeSpan.Zero)); // Nobody is ahead.
    }

    [Fact]
    public async Task Every_turn_comes()
    {
        var turns = new Turns(3, int.MaxValue);
        await Task.WhenAll(Enumerable.Range(0, 32).Select(caller => Task.Run(async () =>
        {
            for (var i = 0; i < 2000; i++)
            {
                using var turn = Enter(turns, caller % 2 == 0 ? "a" : "b");
                if (!turn.HasCome)
                    Assert.True(await turn.Ready.Task.WaitAsync(TimeSpan.FromMinutes(1)));
                Assert.InRange(turns.State.Held, 1, 3);
            }
        })));
        Assert.Equal((0, 0), turns.State);
    }

    private static Turn Enter(Turns turns, string caller, string work = "")
    {
        var turn = new Turn(caller, work);
        Assert.True(turns.TryEnter(turn, Patient));
        return turn;
    }
}
