using System.Diagnostics;
using MdFunctions.Endpoint;

namespace MdFunctions.Benchmarks;

/// <summary>
/// The local endpoint: how long it takes to start, in this process and as the program that it is, and of the program what a query costs, how fast
/// rows come and what it keeps in memory.
/// </summary>
public static class EndpointBenchmark
{
    private const int Rows = 1_000_000;
    private const int Queries = 4000;
    private const int Connections = 8;

    private const string OneRow = "SELECT title, score FROM sample_data.hn.hacker_news WHERE id = 30000007";
    private const string OneRowBound = "SELECT title, score FROM sample_data.hn.hacker_news WHERE id = CAST(CAST($1 AS VARCHAR) AS BIGINT)";

    private const string Million = """
        SELECT i AS id, 'item number ' || i AS name, i * 1.25::DOUBLE AS value, (i % 100000)::DECIMAL(12,2) AS price,
               DATE '2020-01-01' + CAST(i % 2000 AS INTEGER) AS day, TIMESTAMP '2020-01-01' + to_seconds(i) AS moment
        FROM range(1000000) t(i)
        """;

    /// <summary>Measures, and prints.</summary>
    public static async Task RunAsync()
    {
        var (first, others) = await InProcessAsync();
        Figures.Print("first endpoint in a process, to its first answer", first, "ms");
        Figures.Print("another endpoint in the same process", others, "ms", goal: "<= 50");

        var starts = new List<double>();
        for (var i = 0; i < 5; i++)
        {
            var start = Stopwatch.StartNew();
            using var started = await EndpointProgram.StartAsync();
            Answer(started.Port);
            starts.Add(start.Elapsed.TotalMilliseconds);
        }
        Figures.Print("the program, to its first answer", starts.Median(), "ms");

        using var program = await EndpointProgram.StartAsync();
        using (var client = LeanClient.Connect(program.Port))
        {
            client.Prepare("one", OneRowBound);
            OneRows(program, "one row, simple query", () => client.Query(OneRow));
            OneRows(program, "one row, prepared with $1", () => client.Execute("one", "30000007"));
        }
        Figures.Print($"one-row queries over {Connections} connections", Together(program.Port), "/s");
        using (var client = LeanClient.Connect(program.Port))
            Millions(program, client);
        Figures.Print("memory of the program", program.Memory / 1e6, "MB");
    }

    private static async Task<(double First, double Other)> InProcessAsync()
    {
        var clock = Stopwatch.StartNew();
        await using var first = await LocalEndpoint.StartAsync();
        Answer(first.Port);
        var time = clock.Elapsed.TotalMilliseconds;
        var others = new List<double>();
        for (var i = 0; i < 5; i++)
        {
            clock.Restart();
            await using var another = await LocalEndpoint.StartAsync();
            others.Add(clock.Elapsed.TotalMilliseconds);
        }
        return (time, others.Median());
    }

    private static void Answer(int port)
    {
        using var client = LeanClient.Connect(port);
        Check(client.Query("SELECT 1"), 1);
    }

    private static void OneRows(EndpointProgram program, string name, Func<int> query)
    {
        for (var i = 0; i < Queries; i++)
            Check(query(), 1);
        var (processor, clock) = (program.Processor, Stopwatch.StartNew());
        for (var i = 0; i < Queries; i++)
            Check(query(), 1);
        Figures.Print(name, clock.Elapsed.TotalMicroseconds / Queries, "us");
        Figures.Print("  processor time of the program", (program.Processor - processor).TotalMicroseconds / Queries, "us");
    }

    private static double Together(int port)
    {
        var clients = Enumerable.Range(0, Connections).Select(_ => LeanClient.Connect(port)).ToList();
        Run(clients);
        var clock = Stopwatch.StartNew();
        Run(clients);
        var perSecond = Connections * Queries / clock.Elapsed.TotalSeconds;
        clients.ForEach(client => client.Dispose());
        return perSecond;
    }

    private static void Run(List<LeanClient> clients)
    {
        var threads = clients.ConvertAll(client => new Thread(() =>
        {
            for (var i = 0; i < Queries; i++)
                Check(client.Query(OneRow), 1);
        }));
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
    }

    private static void Millions(EndpointProgram program, LeanClient client)
    {
        Check(client.Query(Million), Rows);
        var (times, processor) = (new List<double>(), program.Processor);
        for (var i = 0; i < 7; i++)
        {
            var clock = Stopwatch.StartNew();
            Check(client.Query(Million), Rows);
            times.Add(clock.Elapsed.TotalMilliseconds);
        }
        Figures.Print($"{Rows:N0} rows x 6 columns", times.Median(), "ms");
        Figures.Print("  processor time of the program", (program.Processor - processor).TotalMilliseconds / times.Count, "ms");
    }

    private static void Check(int rows, int expected)
    {
        if (rows != expected)
            throw new InvalidOperationException($"{rows} rows arrived, and {expected} were expected.");
    }
}
