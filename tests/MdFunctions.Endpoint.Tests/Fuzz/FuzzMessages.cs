using MdFunctions.Endpoint.Tests.Infrastructure;

namespace MdFunctions.Endpoint.Tests.Fuzz;

/// <summary>Random messages, half of them mutated.</summary>
internal sealed class FuzzMessages(int seed)
{
    private static readonly string[] Statements =
    [
        "SELECT 1", "SELECT CAST($1 AS VARCHAR)", "SELECT i FROM range(3000) t(i)", "selct", "BEGIN TRANSACTION", "COMMIT", "ROLLBACK", "", ";",
        "SELECT 'open", "SELECT $1", "INSTALL httpfs", "SHOW TABLES", "CREATE TABLE IF NOT EXISTS f (a INT)", "INSERT INTO f VALUES ($1)",
        "SELECT [[1],[2,3]]", "SELECT 'x'::INT", "SELECT $1::DATE", "SELECT * FROM read_csv($1)", "PIVOT f ON a USING count(*)", "DROP TABLE IF EXISTS f",
        "SELECT repeat('x', 100000)", "SELECT CAST(CASE WHEN i = 2500 THEN 'x' ELSE '1' END AS INT) FROM range(3000) t(i)", "USE my_db", "$$", "/*",
        "((((((", "SELECT $99999", "SELECT ?, $1", "SET TimeZone = 'Europe/Berlin'", "EXPLAIN SELECT 1", "PREPARE p AS SELECT 1", "EXECUTE p",
        "DEALLOCATE p", "CREATE DATABASE IF NOT EXISTS fuzz", "DROP DATABASE IF EXISTS fuzz", "SELECT '\U0001f986'", "SELECT \u0001",
        "SELECT 1; SELECT 2", "BEGIN; SELECT 1; ROLLBACK; SELECT nope", "SELECT 1; BEGIN", "SELECT TIMESTAMPTZ '2024-01-01 00:00:00+00'",
    ];

    private readonly Random _random = new(seed);

    public (string Token, string? Options) Session()
        => (Pick("local", "local", "reader"), Pick(null, "--compatibility-mode=metabase", "--attach_mode=single"));

    public byte[][] Sequence() => [.. Enumerable.Range(0, 4 + _random.Next(14)).Select(_ => Message()).Select(message => Chance(0.5) ? Mutated(message) : message)];

    public byte[] FirstBytes()
    {
        var first = Pick<byte[]>(
            Frames.SslRequest, Frames.GssRequest, Frames.Startup(("user", "u")), Frames.Cancel(1, 2), Bytes(1 + _random.Next(40)), [0x16, 3, 1],
            Frames.Int32(_random.Next(20_000)), [.. Enumerable.Repeat(Frames.GssRequest, 5).SelectMany(frame => frame)]);
        return Chance(0.7) ? Mutated(first) : first;
    }

    public byte[][] Login()
    {
        var startup = Pick(
            Frames.Startup(("user", "u"), ("database", "md:")), Frames.Startup(), Frames.Startup(("user", "")),
            Frames.Startup(("database", new string('x', 5000))), Frames.Startup(("options", string.Concat(Enumerable.Repeat("--", 50)))));
        return [.. new[] { startup, Frames.Password(Pick("local", "x", "")) }.Select(message => Chance(0.6) ? Mutated(message) : message)];
    }

    private byte[] Message()
    {
        var name = Pick("", "", "a", "b", new string('x', 300));
        var portal = Pick("", "", "p", "q");
        return _random.Next(12) switch
        {
            0 or 1 => Frames.Query(Pick(Statements)),
            2 or 3 => Frames.Parse(name, Pick(Statements), [.. Enumerable.Range(0, _random.Next(4)).Select(_ => Pick(0, 23, 25, 17, 1700, 1007, 1186, -1, 999_999))]),
            4 or 5 => Frames.Bind(
                portal, name, [.. Enumerable.Range(0, _random.Next(4)).Select(_ => Pick<object?>(null, "x", "1", Bytes(_random.Next(40)), ""))],
                Pick<int[]>([], [0], [1], [1, 0], [7]), Pick<int[]>([], [0], [1], [1, 1, 1], [-1])),
            6 => Frames.Describe(Pick('S', 'P', 'P', 'Z'), name),
            7 => Frames.Execute(portal, Pick(0, 1, 100, -5, int.MaxValue)),
            8 => Frames.Close(Pick('S', 'P', '?'), name),
            9 => Frames.Sync,
            10 => Frames.Flush,
            _ => Frames.Frame(Pick("dcfFpXy\0\xffQPBDECHS".ToCharArray()), Bytes(_random.Next(60))),
        };
    }

    private byte[] Mutated(byte[] message)
    {
        var copy = message.ToArray();
        switch (_random.Next(6))
        {
            case 0:
                for (var i = _random.Next(4); i >= 0; i--)
                    copy[_random.Next(copy.Length)] = (byte)_random.Next(256);
                return copy;
            case 1:
                return copy[.._random.Next(copy.Length)];
            case 2:
                return [.. copy, .. Bytes(_random.Next(20))];
            case 3:
                // A wrong length.
                if (copy.Length >= 5)
                    Frames.Int32(Pick(0, 3, 4, 5, -1, int.MaxValue, 1_000_001, copy.Length * 2)).CopyTo(copy, 1);
                return copy;
            case 4:
                // The length is right and the fields inside are not.
                var half = (copy.Length - 5) / 2;
                return copy.Length > 5 ? [copy[0], .. Frames.Int32(4 + half), .. copy[5..(5 + half)]] : copy;
            default:
                return [.. Frames.CString("x"), .. Frames.Int16(_random.Next(65_536)), .. copy];
        }
    }

    private bool Chance(double chance) => _random.NextDouble() < chance;

    private T Pick<T>(params T[] values) => values[_random.Next(values.Length)];

    private byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        _random.NextBytes(bytes);
        return bytes;
    }
}
