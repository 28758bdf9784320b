using System.Globalization;
using System.Text;
using System.Text.Json;
using MdFunctions.Endpoint;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Local;
using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.Ingest;
using Microsoft.Extensions.DependencyInjection;

namespace MdFunctions.Tests.Endpoint;

/// <summary>An app with an endpoint of its own, whose behaviour it chooses, and files that its loads read.</summary>
public abstract class BehaviourApp(Behaviour behaviour) : IAsyncLifetime
{
    private const string Csv = "SELECT * FROM read_csv('{files}/data.csv', MD_RUN = REMOTE)";

    public Behaviour Behaviour => behaviour;

    public LocalApp App { get; private set; } = null!;

    public FileServer Files { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Files = await FileServer.StartAsync();
        App = await LocalApp.StartAsync(
            new LocalOptions { Settings = Webhook.Settings },
            new Dictionary<string, string>
            {
                ["queries/values.sql"] = """
                    /*
                    parameters:
                      n: { type: integer, default: 2, minimum: 1, maximum: 100 }
                      day: { type: date }
                      names: { type: 'varchar[]', optional: true }
                    */
                    SELECT i AS id, 'name "' || i || '"' AS name, (i * 1.1)::DECIMAL(18,2) AS price, 9007199254740993::BIGINT AS big, i / 4 AS ratio, $day + i::INTEGER AS day,
                           TIMESTAMP '2024-02-29 23:59:59.5' AS moment, TIMESTAMPTZ '2024-01-01 00:00:00+00' AS instant, [i, NULL] AS list, {'a': [i]} AS pair,
                           $names AS names, i = 1 AS flag, 'a\xFF'::BLOB AS bytes, NULL AS nothing
                    FROM range(1, 101) t(i) WHERE i <= $n ORDER BY i
                    """,
                ["queries/slow.sql"] = "/* timeout: 500ms */ SELECT count(*) AS n FROM range(1000000) a(i), range(1000000) b(i) WHERE a.i * b.i % 7 = 3",
                ["queries/fails.sql"] = "SELECT * FROM my_db.main.no_such_table",
                ["queries/many.sql"] = "SELECT i, 'row ' || i AS t FROM range(50000) r(i)",
                ["loads/replaced.sql"] = $"/*\ntarget: my_db.main.replaced\nmode: replace\ncheck: SELECT count(*) > 0 FROM staged\n*/\n{Fill(Csv)}",
                ["loads/appended.sql"] = $"/*\ntarget: my_db.main.appended\nmode: append\ncreateAs: {{ id: 'DECIMAL(18,2)', name: VARCHAR }}\n*/\n{Fill(Csv)}",
                ["loads/merged.sql"] = $"/*\ntarget: my_db.main.merged\nmode: merge\nkeys: id\n*/\n{Fill(Csv)}",
                ["ingest/events.sql"] = """
                    /*
                    target: my_db.main.events
                    signature: { scheme: github, secret: Test }
                    id: $header_x_delivery
                    onError: skip
                    columns:
                      a: INTEGER NOT NULL
                      tags: VARCHAR[]
                    */
                    SELECT * FROM body
                    """,
            },
            behaviour);
    }

    public async Task DisposeAsync()
    {
        await App.DisposeAsync();
        await Files.DisposeAsync();
    }

    /// <summary>The rows of a statement over a connection as the app has it: columns joined by <c>|</c>.</summary>
    public async Task<string[]> SqlAsync(string sql)
    {
        await using var connection = await App.Host.Services.GetRequiredService<MotherDuckDataSources>().Write.OpenAsync(CancellationToken.None);
        return [.. (await connection.RowsAsync(sql, [], CancellationToken.None)).Select(row => string.Join('|', row.Select(value => value ?? "NULL")))];
    }

    private string Fill(string sql) => sql.Replace("{files}", Files.Url, StringComparison.Ordinal);
}

public sealed class DocumentedApp() : BehaviourApp(Behaviour.Documented);

public sealed class ObservedApp() : BehaviourApp(Behaviour.Observed);

/// <summary>The app does the same on an endpoint that keeps to MotherDuck's pages as on one that does what was observed, on which all other tests run.</summary>
public abstract class BehaviourTests(BehaviourApp fixture)
{
    private readonly LocalApp _app = fixture.App;

    [Fact]
    public async Task The_endpoint_behaves_as_this_suite_says()
    {
        // A list as text is what the two tell apart, and what no client can change.
        Assert.Equal([fixture.Behaviour == Behaviour.Documented ? "{1,NULL}" : "[1, NULL]"], await fixture.SqlAsync("SELECT [1, NULL]"));
    }

    [Theory]
    [InlineData("json", """
        [{"id":1,"name":"name \"1\"","price":1.10,"big":9007199254740993,"ratio":0.25,"day":"2024-03-01","moment":"2024-02-29T23:59:59.5","instant":"2024-01-01T00:00:00+00:00","list":[1,null],"pair":{"a":[1]},"names":["x","it's"],"flag":true,"bytes":"Yf8=","nothing":null}]
        """)]
    [InlineData("ndjson", """
        {"id":1,"name":"name \"1\"","price":1.10,"big":9007199254740993,"ratio":0.25,"day":"2024-03-01","moment":"2024-02-29T23:59:59.5","instant":"2024-01-01T00:00:00+00:00","list":[1,null],"pair":{"a":[1]},"names":["x","it's"],"flag":true,"bytes":"Yf8=","nothing":null}

        """)]
    [InlineData("csv", """"
        id,name,price,big,ratio,day,moment,instant,list,pair,names,flag,bytes,nothing
        1,"name ""1""",1.10,9007199254740993,0.25,2024-03-01,2024-02-29T23:59:59.5,2024-01-01T00:00:00+00:00,"[1,null]","{""a"":[1]}","[""x"",""it's""]",true,Yf8=,

        """")]
    public async Task A_query_answers_in_each_format(string format, string expected)
    {
        var answer = await _app.Client.GetStringAsync($"/api/queries/values?n=1&day=2024-02-29&names=x&names=it's&format={format}");
        Assert.Equal(expected, answer.Replace("\r\n", "\n", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_query_answers_a_body_and_faults_and_the_catalog_tells_of_it()
    {
        using var posted = await _app.Client.PostAsync("/api/queries/values", new StringContent("""{"n": 3, "day": "2024-12-31"}""", Encoding.UTF8, "application/json"));
        var rows = JsonSerializer.Deserialize<JsonElement>(await posted.Content.ReadAsStringAsync());
        Assert.Equal((3, "2025-01-03", JsonValueKind.Null), (rows.GetArrayLength(), rows[2].GetProperty("day").GetString(), rows[2].GetProperty("names").ValueKind));
        using var faulty = await _app.Client.GetAsync("/api/queries/values?n=0&day=x");
        Assert.Equal(["day", "n"], (await faulty.ProblemAsync(400)).GetProperty("errors").EnumerateObject().Select(error => error.Name).Order());
        using var failing = await _app.Client.GetAsync("/api/queries/fails");
        Assert.DoesNotContain("SELECT", (await failing.ProblemAsync(502)).GetRawText(), StringComparison.Ordinal);
        Assert.Equal(["fails", "many", "slow", "values"], (await _app.GetJsonAsync("/api/queries")).EnumerateArray().Select(query => query.GetProperty("name").GetString()).Order());
        Assert.Equal(Enumerable.Range(0, 50_000), (await _app.GetJsonAsync("/api/queries/many")).EnumerateArray().Select(row => row.GetProperty("i").GetInt32()));
    }

    [Fact]
    public async Task A_query_past_its_time_is_cancelled_and_its_connection_serves_the_next()
    {
        for (var i = 0; i < 2; i++)
        {
            using var slow = await _app.Client.GetAsync("/api/queries/slow");
            await slow.ProblemAsync(504);
            Assert.Equal(2, (await _app.GetJsonAsync("/api/queries/values?day=2024-02-29")).GetArrayLength());
        }
        Assert.Contains(_app.Logs.All, line => line.Contains("cancel requested", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_load_of_each_mode_does_its_work_and_keeps_its_books()
    {
        fixture.Files.Put("data.csv", "id,name\n1,a\n2,b\n");
        foreach (var load in (string[])["replaced", "appended", "merged"])
            Assert.Equal(2, (await LoadAsync(load)).GetProperty("rows").GetInt32());
        fixture.Files.Put("data.csv", "name,id\nB,2\nc,3\nd,4\n");
        foreach (var load in (string[])["replaced", "appended", "merged"])
            Assert.Equal(3, (await LoadAsync(load)).GetProperty("rows").GetInt32());
        Assert.Equal(["2|B", "3|c", "4|d"], await fixture.SqlAsync("SELECT id, name FROM my_db.main.replaced ORDER BY ALL"));
        Assert.Equal(["1.00|a", "2.00|B", "2.00|b", "3.00|c", "4.00|d"], await fixture.SqlAsync("SELECT id, name FROM my_db.main.appended ORDER BY ALL"));
        Assert.Equal(["1|a", "2|B", "3|c", "4|d"], await fixture.SqlAsync("SELECT id, name FROM my_db.main.merged ORDER BY ALL"));

        // What fails leaves the tables as they were: a check, and a value in the middle of the file.
        fixture.Files.Put("data.csv", "id,name\n");
        await LoadAsync("replaced", 422);
        fixture.Files.Put("data.csv", "id,name\n7,x\n1.234,y\n");
        await LoadAsync("appended", 422);
        Assert.Equal(["3|5"], await fixture.SqlAsync("SELECT (SELECT count(*) FROM my_db.main.replaced), (SELECT count(*) FROM my_db.main.appended)"));
        Assert.Equal(
            ["appended|succeeded|2", "appended|succeeded|3", "appended|failed|NULL", "merged|succeeded|2", "merged|succeeded|3", "replaced|succeeded|2", "replaced|succeeded|3", "replaced|failed|NULL"],
            await fixture.SqlAsync("SELECT load, status, rows FROM my_db.md_functions.load_runs ORDER BY load, started_at"));
    }

    [Fact]
    public async Task A_delivery_is_stored_once_and_its_faults_apart()
    {
        const string body = """[{"a": 1, "tags": ["x", "it's"]}, {"a": "no"}, {"a": 3, "tags": null}]""";
        for (var sent = 0; sent < 2; sent++)
        {
            var answer = await _app.StoreAsync(body, "one");
            Assert.Equal((3, sent == 0 ? 2 : 0, sent == 1), (answer.GetProperty("received").GetInt32(), answer.GetProperty("inserted").GetInt32(), answer.GetProperty("duplicate").GetBoolean()));
        }
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => _app.StoreAsync($$"""{"a": {{(i % 4 + 10).ToString(CultureInfo.InvariantCulture)}}}""", $"key {i % 4}")));
        Assert.Equal(4, answers.Count(answer => answer.GetProperty("duplicate").GetBoolean()));
        Assert.Equal(["1|2", "3|NULL", "10|NULL", "11|NULL", "12|NULL", "13|NULL"], await fixture.SqlAsync("SELECT a, len(tags) FROM my_db.main.events ORDER BY a"));
        Assert.Equal(["1|a"], await fixture.SqlAsync("SELECT row_index, path FROM my_db.md_functions.ingest_rejects"));
        using var forged = Webhook.Request(Encoding.UTF8.GetBytes(body));
        forged.Headers.Remove("X-Hub-Signature-256");
        using var refused = await _app.Client.SendAsync(forged);
        await refused.ProblemAsync(401);
    }

    private async Task<JsonElement> LoadAsync(string load, int status = 200)
    {
        using var response = await _app.Client.PostAsync($"/api/loads/{load}", null);
        if (status != 200)
            return await response.ProblemAsync(status);
        var answer = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, answer);
        return JsonSerializer.Deserialize<JsonElement>(answer);
    }
}

public sealed class DocumentedBehaviourTests(DocumentedApp app) : BehaviourTests(app), IClassFixture<DocumentedApp>;

public sealed class ObservedBehaviourTests(ObservedApp app) : BehaviourTests(app), IClassFixture<ObservedApp>;
