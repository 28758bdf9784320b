using System.Collections.Concurrent;
using System.Globalization;
using MdFunctions.Endpoint.Native;
using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Values;

/// <summary>Time zones as DuckDB's ICU has them: what it casts to VARCHAR and what we write must be the same.</summary>
internal sealed class TimeZones(Func<Connection> connect) : IDisposable
{
    private readonly ConcurrentDictionary<string, TimeZoneOffsets> _known = new(StringComparer.OrdinalIgnoreCase);
    private readonly Lock _gate = new();
    private Connection? _connection;

    public TimeZoneOffsets Find(string name) => _known.GetOrAdd(name, name => new TimeZoneOffsets(name, this));

    /// <summary>Asks on a connection of our own: a session's may be in the middle of its rows.</summary>
    internal List<string?[]> Ask(string sql)
    {
        lock (_gate)
        {
            _connection ??= connect();
            return _connection.Rows(sql);
        }
    }

    public void Dispose() => _connection?.Dispose();
}

/// <summary>A time zone's offsets from UTC.</summary>
internal sealed class TimeZoneOffsets(string name, TimeZones zones)
{
    private const long Second = 1_000_000;
    private const long Hour = 3600 * Second;
    private const long Block = 366 * 24 * Hour;
    private const long First = -9_223_372_022_400_000_000; // DuckDB's first timestamp

    private readonly ConcurrentDictionary<long, (long From, int Offset)[]> _blocks = new();
    private readonly bool _isUtc = name.ToUpperInvariant() is "UTC" or "GMT" or "UCT" or "ZULU" or "ETC/UTC" or "ETC/GMT" or "ETC/UCT" or "ETC/ZULU";

    /// <summary>Seconds to add to UTC at this moment, in microseconds since 1970.</summary>
    public int At(long micros)
    {
        if (_isUtc || DateTimes.IsInfinite(micros))
            return 0;
        var block = Math.DivRem(micros, Block, out var rest) - (rest < 0 ? 1 : 0);
        var changes = _blocks.GetOrAdd(block, Read);
        var i = changes.Length - 1;
        while (i > 0 && changes[i].From > micros)
            i--;
        return changes[i].Offset;
    }

    // Where the offset changes within some year: first by the hour, then, within an hour that has a change, by the second.
    private (long From, int Offset)[] Read(long block)
    {
        var start = (long)Int128.Max((Int128)block * Block, First);
        var end = (long)Int128.Min((Int128)start + Block, long.MaxValue - 1);
        var exact = new List<(long From, int Offset)>();
        foreach (var (from, offset) in Changes(start, end, Hour))
            exact.Add(exact.Count == 0 ? (from, offset) : Changes(from - Hour, from + Second, Second)[^1]);
        return [.. exact];
    }

    private List<(long From, int Offset)> Changes(long from, long to, long step)
    {
        var rows = zones.Ask($"""
            SELECT CAST(moment AS VARCHAR), CAST(shift AS VARCHAR)
            FROM (
              SELECT moment, (epoch_us(timezone({SqlText.Literal(name)}, make_timestamptz(moment))) - moment) // {Second} AS shift
              FROM range({from}, {to}, {step}) AS moments(moment))
            QUALIFY shift IS DISTINCT FROM lag(shift) OVER (ORDER BY moment)
            ORDER BY moment
            """);
        return rows.ConvertAll(row => (Whole(row[0]), (int)Whole(row[1])));
    }

    private static long Whole(string? text) => long.Parse(text!, CultureInfo.InvariantCulture);
}
