using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MdFunctions.Engine.Ingest;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Benchmarks;

/// <summary>
/// How long a signature's check takes for a right signature and for wrong ones, in turns: whether time tells how much of a guess is right. Three more series of the right one,
/// each with a text of its own as the wrong ones have, tell how far two series are apart that differ in nothing: the floor.
/// </summary>
public static class SignatureBenchmark
{
    private const int Rounds = 20_000;

    /// <summary>Measures and prints.</summary>
    public static Task RunAsync()
    {
        var secret = "It's a Secret to Everybody"u8.ToArray();
        var body = Encoding.UTF8.GetBytes($$"""{"zen":"{{new string('x', 4000)}}"}""");
        var right = Convert.ToHexStringLower(HMACSHA256.HashData(secret, body));
        var kinds = new (string What, string Hex)[]
        {
            ("right", right),
            ("wrong in the first digit", (right[0] == '0' ? "1" : "0") + right[1..]),
            ("wrong in the last digit", right[..^1] + (right[^1] == '0' ? "1" : "0")),
            ("wrong everywhere", string.Concat(right.Select(c => c == '0' ? 'f' : '0'))),
            ("right again", new string(right)),
            ("right again", new string(right)),
            ("right again", new string(right)),
        };
        var signature = new HmacSignature("github", "S", SignaturePresets.All["github"], HmacKeys.Tolerance, null);
        var times = kinds.Select(_ => new List<double>(Rounds)).ToArray();
        var order = Enumerable.Range(0, kinds.Length).ToArray();
        for (var round = -2000; round < Rounds; round++)
        {
            Random.Shared.Shuffle(order);
            foreach (var kind in order)
            {
                var elapsed = Time(signature, kinds[kind].Hex, body, secret);
                if (round >= 0)
                    times[kind].Add(elapsed);
            }
        }
        Console.WriteLine($"{"signature",-26} {"p10",8} {"p25",8} {"median",8} {"p75",8} {"p90",8}  microseconds; largest distance from 'right' between the distributions (Kolmogorov-Smirnov)");
        foreach (var list in times)
            list.Sort();
        var distances = times.Select(list => Distance(times[0], list)).ToList();
        for (var kind = 0; kind < kinds.Length; kind++)
        {
            var list = times[kind];
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{kinds[kind].What,-26} {list[Rounds / 10],8:0.00} {list[Rounds / 4],8:0.00} {list[Rounds / 2],8:0.00} {list[Rounds * 3 / 4],8:0.00} {list[Rounds * 9 / 10],8:0.00}  {distances[kind]:0.0000}"));
        }
        var floor = distances.Where((_, kind) => kinds[kind].What == "right again").Max();
        var wrong = distances.Where((_, kind) => kinds[kind].What.StartsWith("wrong", StringComparison.Ordinal)).Max();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"The floor, right against right: {floor:0.0000}; wrong against right: {wrong:0.0000}. Of one distribution and independent, {1.36 * Math.Sqrt(2.0 / Rounds):0.0000} is exceeded once in twenty."));
        return Task.CompletedTask;
    }

    private static double Time(HmacSignature signature, string hex, byte[] body, byte[] secret)
    {
        var request = new DefaultHttpContext().Request;
        request.Headers["X-Hub-Signature-256"] = "sha256=" + hex;
        var start = Stopwatch.GetTimestamp();
        using var check = signature.Begin(request, [secret], default, out _)!;
        check.Append(body);
        check.Finish(body);
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds;
    }

    private static double Distance(List<double> one, List<double> other)
    {
        double distance = 0;
        for (int i = 0, j = 0; i < one.Count && j < other.Count;)
        {
            var value = Math.Min(one[i], other[j]);
            while (i < one.Count && one[i] <= value)
                i++;
            while (j < other.Count && other[j] <= value)
                j++;
            distance = Math.Max(distance, Math.Abs((double)i / one.Count - (double)j / other.Count));
        }
        return distance;
    }
}
