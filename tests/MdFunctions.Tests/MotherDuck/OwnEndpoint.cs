using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using MdFunctions.Local;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.MotherDuck;

/// <summary>An endpoint of one test's own: its tokens change, and it is killed and started again on the same port.</summary>
public sealed class OwnEndpoint : IAsyncDisposable
{
    private readonly string _tokenFile = Path.GetTempFileName();
    private readonly string[] _arguments;
    private EndpointProcess? _process;

    private OwnEndpoint(string[] arguments) => _arguments = arguments;

    public int Port { get; private set; }

    public string CaFile { get; private set; } = "";

    /// <summary>Starts an endpoint that takes a token, or none yet.</summary>
    public static async Task<OwnEndpoint> StartAsync(string? token = null, params string[] arguments)
    {
        var endpoint = new OwnEndpoint(arguments);
        endpoint.Accept(token is null ? [] : [token]);
        await endpoint.StartAsync();
        return endpoint;
    }

    /// <summary>From now on these tokens log in and no others; sessions go on.</summary>
    public void Accept(params string[] tokens)
    {
        // Read anew at each login: a reader must never see half a list.
        var next = _tokenFile + ".next";
        File.WriteAllLines(next, tokens);
        File.Move(next, _tokenFile, overwrite: true);
    }

    /// <summary>Starts it, on the port it had before.</summary>
    public async Task StartAsync()
    {
        // The token in the environment stays for good; nobody knows it.
        _process = await EndpointProcess.StartAsync(Guid.NewGuid().ToString(), Port, ["--token-file", _tokenFile, .. _arguments]);
        (Port, CaFile) = (_process.Port, _process.CaFile);
    }

    /// <summary>Kills it, as a crash would.</summary>
    public async Task KillAsync()
    {
        await _process!.KillAsync();
        await _process.DisposeAsync();
    }

    /// <summary>The settings of an app that uses it.</summary>
    /// <param name="port">Another port in front of it.</param>
    public Dictionary<string, string?> Settings(int? port = null) => new(StringComparer.OrdinalIgnoreCase)
    {
        ["MotherDuck:Host"] = "localhost",
        ["MotherDuck:Port"] = (port ?? Port).ToString(CultureInfo.InvariantCulture),
        ["MotherDuck:RootCertificate"] = CaFile,
        ["MotherDuck:SessionName"] = $"test-{Port}",
        ["WEATHER_CSV_URL"] = "http://localhost:9/no-such-server.csv",
    };

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await _process.DisposeAsync();
        File.Delete(_tokenFile);
    }
}

/// <summary>Apps and load for the tests of connections.</summary>
public static class Connections
{
    public static readonly IReadOnlyDictionary<string, string> Files = new Dictionary<string, string>
    {
        ["queries/answer.sql"] = "/*\nsummary: An answer\ntimeout: 10s\n*/\nSELECT 42 AS n",
        ["queries/quick.sql"] = "/*\nsummary: The same, in less time\ntimeout: 2s\n*/\nSELECT 42 AS n",
        ["loads/numbers.sql"] = "/*\nsummary: Some numbers\ntarget: my_db.main.numbers\nmode: replace\n*/\nSELECT * FROM range(10)",
    };

    /// <summary>A token as MotherDuck makes them, with a signature that nobody checks.</summary>
    public static string Jwt(object claims) =>
        $"{Encode(new { alg = "HS256", typ = "JWT" })}.{Encode(claims)}.{Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16))}";

    /// <summary>Settings with which connections and the token are replaced all the time.</summary>
    public static IReadOnlyDictionary<string, string?> NewEachSecond { get; } = new Dictionary<string, string?>
    {
        ["MotherDuck:ConnectionLifetime"] = "1s",
        ["MotherDuck:TokenRefreshInterval"] = "1s",
        ["MotherDuck:TokenRetryInterval"] = "1s",
    };

    /// <summary>A token without an end.</summary>
    public static string NewToken() => Jwt(new { sub = Guid.NewGuid().ToString(), tokenType = "read_write" });

    public static Task<LocalApp> AppAsync(
        OwnEndpoint endpoint, KeyVaultServer? vault = null, IReadOnlyDictionary<string, string?>? settings = null, int? port = null)
    {
        var all = endpoint.Settings(port);
        foreach (var (key, value) in (vault?.Settings() ?? []).Concat(settings ?? new Dictionary<string, string?>()))
            all[key] = value;
        return LocalApp.StartAsync(new LocalOptions { MotherDuck = true, Settings = all, Services = vault?.Services }, Files);
    }

    /// <summary>Keeps clients asking until a task is done.</summary>
    /// <returns>Each request: when it started, how long it took, and its status, or why it had none.</returns>
    public static async Task<List<Asked>> AskAsync(LocalApp app, int clients, Func<Task> meanwhile, string path = "api/queries/answer")
    {
        var asked = new List<Asked>();
        var done = false;
        var running = Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            while (!Volatile.Read(ref done))
            {
                var start = Stopwatch.GetTimestamp();
                string answer;
                try
                {
                    using var response = await app.Client.GetAsync(path);
                    answer = $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}";
                }
                catch (HttpRequestException e)
                {
                    answer = e.Message;
                }
                var request = new Asked(start, Stopwatch.GetElapsedTime(start), answer);
                lock (asked)
                    asked.Add(request);
                if (!request.Ok)
                    await Task.Delay(20); // Those who are refused leave the machine some time to get better.
            }
        })).ToList();
        try
        {
            await meanwhile();
        }
        finally
        {
            Volatile.Write(ref done, true);
            await Task.WhenAll(running);
        }
        return asked;
    }

    /// <summary>How many sockets of this machine are connected to a port.</summary>
    public static int SocketsTo(int port) => System.Net.NetworkInformation.IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpConnections()
        .Count(connection => connection.RemoteEndPoint.Port == port && connection.State == System.Net.NetworkInformation.TcpState.Established);

    public static async Task EventuallyAsync(Func<bool> condition, string what, double seconds = 10)
    {
        for (var start = Stopwatch.GetTimestamp(); !condition();)
        {
            Assert.True(Stopwatch.GetElapsedTime(start).TotalSeconds < seconds, $"not within {seconds} s: {what}");
            await Task.Delay(20);
        }
    }

    private static string Encode(object part) => System.Buffers.Text.Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(part));
}

/// <summary>A request of <see cref="Connections.AskAsync"/>.</summary>
public sealed record Asked(long Start, TimeSpan Took, string Answer)
{
    public long End => Start + (long)(Took.TotalSeconds * Stopwatch.Frequency);

    public bool Ok => Answer == """200 [{"n":42}]""";
}
