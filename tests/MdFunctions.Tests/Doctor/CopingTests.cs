using System.Text;
using System.Text.Json;
using MdFunctions.Endpoint;
using MdFunctions.Local.Doctor;
using MdFunctions.Tests.Ingest;

namespace MdFunctions.Tests.Doctor;

/// <summary>
/// The app on an endpoint that does the one thing, and on one that does the other: wherever a probe knows several answers, work that meets them gives the same.
/// </summary>
public sealed class CopingTests
{
    private const string Values = """[{"flag":true,"nan":"NaN","least":"-Infinity","ides":"-000043-03-15","flat":["1","a b",null],"deep":[["a"]],"part":{"a":1},"day":"2026-02-28"}]""";

    // Each answer that a probe knows: where the app meets it, and the work that does.
    private static readonly (string Probe, string Answer, Behaviour Behaviour, Forgery? Forgery, string Work)[] Cases =
    [
        ("booleans", "t | f", Behaviour.Observed, null, "values"),
        ("booleans", "true | false", Behaviour.Observed, new Forgery("AS flag") { Value = "true", Except = "DESCRIBE" }, "values"),
        ("not-finite", "NaN | Infinity | -Infinity", Behaviour.Observed, null, "not finite"),
        ("not-finite", "nan | inf | -inf", Behaviour.Observed, new Forgery("AS least") { Value = "-inf", Except = "DESCRIBE" }, "not finite"),
        ("far-dates", "0044-03-15 BC", Behaviour.Observed, null, "far date"),
        ("far-dates", "0044-03-15 (BC)", Behaviour.Observed, new Forgery("AS ides") { Value = "0044-03-15 (BC)", Except = "DESCRIBE" }, "far date"),
        ("lists-as-text", "[1, a b, NULL] | {'a': 1}", Behaviour.Observed, null, "values"),
        ("lists-as-text", "{1,\"a b\",NULL} | {'a': 1}", Behaviour.Documented, null, "values"),
        ("list-oids", "1009 | 17000", Behaviour.Observed, null, "values"),
        ("list-oids", "1009 | 1009", Behaviour.Documented, null, "values"),
        ("folded-null", "INTEGER", Behaviour.Observed, null, "values"),
        ("folded-null", "VARCHAR[]", Behaviour.Observed, null, "values"), // No statement that is described has a NULL in it.
        ("ddl-result", "a result set", Behaviour.Observed, null, "loads"),
        ("ddl-result", "no result set", Behaviour.Documented, null, "loads"),
        ("insert-count", "3 as a row", Behaviour.Observed, null, "loads"),
        ("insert-count", "3 in the tag", Behaviour.Documented, null, "loads"),
        ("merge-count", "2 as a row", Behaviour.Observed, null, "loads"),
        ("merge-count", "2 in the tag", Behaviour.Documented, null, "loads"),
        ("ctas-count", "4 as a row", Behaviour.Observed, null, "loads"),
        ("ctas-count", "4 in the tag", Behaviour.Documented, new Forgery("range(3)") { Tag = "INSERT 0 3" }, "loads"),
        ("ctas-count", "nothing", Behaviour.Documented, null, "loads"),
        ("missing-file", "HTTP Error", Behaviour.Observed, null, "missing file"),
        ("missing-file", "IO Error", Behaviour.Observed, new Forgery("no-such-file.csv") { Message = "IO Error: No files found" }, "missing file"),
        ("missing-server", "IO Error", Behaviour.Observed, null, "missing server"),
        ("missing-server", "HTTP Error", Behaviour.Observed, new Forgery("no-such-host") { Message = "HTTP Error: no answer" }, "missing server"),
        ("dependency", "Dependency Error", Behaviour.Observed, new Forgery("42 AS plain") { Sql = "SELECT error('x')", Message = "Dependency Error: in use" }, "refused plain"),
        ("dependency", "Catalog Error", Behaviour.Observed, new Forgery("42 AS plain") { Sql = "SELECT error('x')", Message = "Catalog Error: in use" }, "refused plain"),
        ("sqlstate", "XX000", Behaviour.Observed, null, "missing table"),
        ("sqlstate", "42P01", Behaviour.Observed, new Forgery("no_such_table") { State = "42P01" }, "missing table"),
        ("ready-status", "idle always", Behaviour.Observed, null, "loads"),
        ("ready-status", "the truth", Behaviour.Documented, null, "loads"),
        ("key-conflict", "known as a conflict", Behaviour.Observed, Taken("TransactionContext Error: Failed to commit: duplicate key"), "delivery whose key is taken"),
        ("key-conflict", "known as a duplicate", Behaviour.Observed, Taken("Constraint Error: Duplicate key \"id: a\" violates primary key constraint"), "delivery whose key is taken"),
        ("cancel", "57014, and the session goes on", Behaviour.Observed, null, "slow"),
        ("cancel", "INTERRUPT Error, and the session goes on", Behaviour.Observed, new Forgery("hash(i)") { State = "XX000", Message = "INTERRUPT Error: Interrupted!" }, "slow"),
        ("cancel-rows", "57014, and the session goes on", Behaviour.Observed, null, "hang up"),
        ("cancel-rows", "INTERRUPT Error, and the session goes on", Behaviour.Observed, new Forgery("repeat('x', 100)") { State = "XX000", Message = "INTERRUPT Error: Interrupted!" }, "hang up"),
    ];

    // What the app never sends, so that whatever is answered to it does not matter: a test below looks at all that it does send.
    private static readonly string[] NotSent = ["without-tls", "bare-cast", "untyped-result", "named-statement", "kept-plan", "binary", "batch", "pg-catalog", "reset", "other-zone"];

    private static readonly Dictionary<string, string> Files = new()
    {
        ["queries/values.sql"] = """
            /*
            parameters:
              day: { type: date, default: 2026-02-28 }
            */
            SELECT true AS flag, 'nan'::DOUBLE AS nan, '-inf'::DOUBLE AS least, '0044-03-15 (BC)'::DATE AS ides, ['1', 'a b', NULL] AS flat, [['a']] AS deep, {'a': 1} AS part, $day AS day
            """,
        ["queries/not_finite.sql"] = "SELECT '-inf'::DOUBLE AS least",
        ["queries/far_date.sql"] = "SELECT '0044-03-15 (BC)'::DATE AS ides",
        ["queries/plain.sql"] = "SELECT 42 AS plain",
        ["queries/missing_table.sql"] = "SELECT * FROM my_db.main.no_such_table",
        ["queries/slow.sql"] = "/*\ntimeout: 1s\n*/\nSELECT count(*) AS n FROM range(100000000000) t(i) WHERE hash(i) % 7 = 3",
        ["queries/long.sql"] = "SELECT i, repeat('x', 100) AS x FROM range(3000000) t(i)",
        ["loads/made.sql"] = "/*\ntarget: my_db.{schema}.made\nmode: replace\ncheck: SELECT count(*) = 3 FROM staged\n*/\nSELECT i AS n FROM range(3) t(i)",
        ["loads/added.sql"] = "/*\ntarget: my_db.{schema}.made\nmode: append\n*/\nSELECT i AS n FROM range(3) t(i)",
        ["loads/merged.sql"] = "/*\ntarget: my_db.{schema}.made\nmode: merge\nkeys: n\n*/\nSELECT i AS n FROM range(2, 4) t(i)",
        ["loads/refused.sql"] = "/*\ntarget: my_db.{schema}.made\nmode: append\ncheck: SELECT false\n*/\nSELECT 99 AS n",
        ["loads/missing_file.sql"] = "/*\ntarget: my_db.{schema}.never\nmode: replace\n*/\nSELECT * FROM read_csv('{csv}no-such-file.csv')",
        ["loads/missing_server.sql"] = "/*\ntarget: my_db.{schema}.never\nmode: replace\n*/\nSELECT * FROM read_csv('https://mdfunctions-no-such-host.invalid/a.csv')",
        ["ingest/events.sql"] = "/*\ntarget: my_db.{schema}.events\nsignature: { scheme: github, secret: Test }\nid: $header_x_delivery\ncolumns: { a: INTEGER }\n*/\nSELECT * FROM body",
    };

    public static TheoryData<string> Answers => [.. Cases.Select(one => $"{one.Probe}: {one.Answer}")];

    [Fact]
    public void Each_answer_that_a_probe_knows_is_met()
    {
        var known = AllProbes.Groups.SelectMany(group => group.Probes).Where(probe => probe.Known.Count > 1 && !NotSent.Contains(probe.Name))
            .SelectMany(probe => probe.Known.Select(answer => $"{probe.Name}: {answer}"));
        Assert.Equal(known.Order(), Cases.Select(one => $"{one.Probe}: {one.Answer}").Order());
    }

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task The_app_copes(string answer)
    {
        var (_, _, behaviour, forgery, work) = Cases.Single(one => $"{one.Probe}: {one.Answer}" == answer);
        await using var app = await StartAsync(forgery, behaviour);
        await WorkAsync(app.App.Client, work);
    }

    [Fact]
    public async Task The_app_sends_only_what_is_known()
    {
        await using var app = await StartAsync(null, Behaviour.Observed);
        foreach (var work in (string[])["values", "loads", "missing file", "slow"])
            await WorkAsync(app.App.Client, work);
        using var stored = await SendAsync(app.App.Client);
        Assert.True(stored.IsSuccessStatusCode);

        var executed = new Dictionary<object, int>(); // Connections send side by side.
        foreach (var (connection, type, body) in app.Proxy.Sent)
        {
            switch (type)
            {
                case 'P':
                    Assert.Equal(0, body[0]); // No name.
                    var sql = Encoding.UTF8.GetString(body, 1, Array.IndexOf(body, (byte)0, 1) - 1);
                    Assert.DoesNotMatch(@"(?i)\bpg_|\bDISCARD\b|\bTimeZone\b|ISOLATION LEVEL|^\s*SET\b|\$[0-9]+::", sql);
                    Assert.DoesNotMatch(@"(?<!CAST\()\$[0-9]+\b", sql); // Each parameter under a cast.
                    break;
                case 'B':
                    Assert.Equal(0, body[0]);
                    Assert.Equal(0, body[1]);
                    AssertText(body);
                    break;
                case 'E':
                    executed[connection] = executed.GetValueOrDefault(connection) + 1;
                    break;
                case 'S':
                    Assert.True(executed.GetValueOrDefault(connection) <= 1, "several statements before one Sync");
                    executed[connection] = 0;
                    break;
                default:
                    Assert.True(type is 'D' or 'C' or 'X', $"a message of type {type}");
                    break;
            }
        }
        Assert.Contains(app.Proxy.Sent, message => message.Type == 'B');
    }

    // The formats of parameters and results: none said, or 0.
    private static void AssertText(byte[] bind)
    {
        var at = 2;
        Assert.All(Formats(), format => Assert.Equal(0, format));
        for (var values = Int16(); values > 0; values--)
        {
            var length = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(bind.AsSpan(at));
            at += 4 + Math.Max(0, length);
        }
        Assert.All(Formats(), format => Assert.Equal(0, format));

        int[] Formats()
        {
            var formats = new int[Int16()];
            for (var i = 0; i < formats.Length; i++)
                formats[i] = Int16();
            return formats;
        }

        int Int16()
        {
            at += 2;
            return System.Buffers.Binary.BinaryPrimitives.ReadInt16BigEndian(bind.AsSpan(at - 2));
        }
    }

    private static async Task WorkAsync(HttpClient app, string work)
    {
        switch (work)
        {
            case "values":
                Assert.Equal(Values, await app.GetStringAsync("api/queries/values"));
                break;
            case "not finite":
                Assert.Equal("""[{"least":"-Infinity"}]""", await app.GetStringAsync("api/queries/not_finite"));
                break;
            case "far date":
                Assert.Equal("""[{"ides":"-000043-03-15"}]""", await app.GetStringAsync("api/queries/far_date"));
                break;
            case "loads":
                foreach (var (load, rows) in ((string, int)[])[("made", 3), ("made", 3), ("merged", 2)])
                    Assert.Equal(rows, await LoadAsync(app, load));
                Assert.Equal(422, await StatusAsync(app.PostAsync("api/loads/refused", null)));
                Assert.Equal(3, await LoadAsync(app, "added"));
                break;
            case "missing file":
                Assert.Equal(502, await StatusAsync(app.PostAsync("api/loads/missing_file", null)));
                break;
            case "missing server":
                Assert.Equal(502, await StatusAsync(app.PostAsync("api/loads/missing_server", null)));
                break;
            case "missing table":
                Assert.Equal(502, await StatusAsync(app.GetAsync("api/queries/missing_table")));
                break;
            case "refused plain":
                Assert.Equal(502, await StatusAsync(app.GetAsync("api/queries/plain")));
                break;
            case "delivery whose key is taken":
                using (var answer = await SendAsync(app))
                    Assert.Equal((503, true), ((int)answer.StatusCode, answer.Headers.RetryAfter is not null)); // The sender comes again.
                break;
            case "slow":
                Assert.Equal(504, await StatusAsync(app.GetAsync("api/queries/slow")));
                break;
            case "hang up":
                using (var answer = await app.GetAsync("api/queries/long", HttpCompletionOption.ResponseHeadersRead))
                    answer.EnsureSuccessStatusCode();
                break;
        }
        Assert.Equal(200, await StatusAsync(app.GetAsync(work == "refused plain" ? "api/queries/values" : "api/queries/plain")));
    }

    private static Forgery Taken(string message) => new("ON CONFLICT DO NOTHING") { Sql = "SELECT error(CAST($1 AS VARCHAR) || CAST($2 AS VARCHAR))", Message = message };

    private static Task<HttpResponseMessage> SendAsync(HttpClient app) => app.SendAsync(Webhook.Request("""{"a": 1}"""u8.ToArray(), "delivery"));

    private static async Task<int> StatusAsync(Task<HttpResponseMessage> request)
    {
        using var response = await request;
        return (int)response.StatusCode;
    }

    private static async Task<int> LoadAsync(HttpClient app, string load)
    {
        using var response = await app.PostAsync($"api/loads/{load}", null);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonSerializer.Deserialize<JsonElement>(text).GetProperty("rows").GetInt32();
    }

    private static async Task<ForgedApp> StartAsync(Forgery? forgery, Behaviour behaviour)
    {
        var (schema, csv) = ($"coping_{Guid.NewGuid():N}", new Uri((await DoctorEndpoint.PatientAsync()).Csv, ".").AbsoluteUri);
        return await ForgedApp.StartAsync(
            forgery, Files.ToDictionary(file => file.Key, file => file.Value.Replace("{schema}", schema, StringComparison.Ordinal).Replace("{csv}", csv, StringComparison.Ordinal)), behaviour);
    }
}
