using System.Text;
using MdFunctions.Engine.Queries;

namespace MdFunctions.Tests.Queries;

/// <summary>An answer is handed on in chunks of one size, however long it is and however fast its rows come.</summary>
public sealed class ResultSinkTests
{
    public static TheoryData<string> Formats => [.. ResultFormat.All.Select(format => format.Name)];

    [Theory, MemberData(nameof(Formats))]
    public async Task Chunks_do_not_grow_with_the_answer(string name)
    {
        Column[] columns = [new("id", "BIGINT", ColumnKind.Number), new("name", "VARCHAR", ColumnKind.Text)];
        using var sink = new RecordingSink();
        var writer = ResultFormat.All.Single(format => format.Name == name).Writer(sink, columns);

        // As RowPump does where the next row is always there already: it hands on what is full, and nothing else.
        writer.Start();
        for (var i = 0; i < 100_000; i++)
        {
            writer.StartRow();
            writer.Value(0, Encoding.UTF8.GetBytes($"{i}"));
            writer.Value(1, "some text that takes a little room"u8);
            writer.EndRow();
            if (!sink.IsFull)
                continue;
            writer.Flush();
            await sink.FlushAsync(CancellationToken.None);
        }
        writer.End();
        writer.Flush();
        await sink.CompleteAsync(truncated: false, CancellationToken.None);

        Assert.InRange(sink.Total, 4_000_000, long.MaxValue);
        Assert.InRange(sink.Largest, 1, 64 * 1024);
    }

    private sealed class RecordingSink : ResultSink
    {
        public int Largest { get; private set; }

        public long Total { get; private set; }

        protected override ValueTask WriteAsync(ReadOnlyMemory<byte> chunk, bool last, CancellationToken cancellationToken)
        {
            Largest = Math.Max(Largest, chunk.Length);
            Total += chunk.Length;
            return default;
        }
    }
}
