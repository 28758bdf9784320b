using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using MdFunctions.Tests.Infrastructure;
using Xunit.Abstractions;

namespace MdFunctions.Tests.Loads;

/// <summary>What Azure Event Grid sends, in both of its schemas, and what it is answered.</summary>
public sealed class StorageEventTests(ITestOutputHelper output)
{
    private const string Append = "/*\ntarget: {db}.main.t\nmode: append\nevents: {files}/raw/in/\ncreateAs: { id: BIGINT }\n*/\nSELECT id, $url AS url FROM read_csv($url, MD_RUN = REMOTE)";

    [Fact]
    public async Task Both_validation_handshakes_are_answered()
    {
        await using var app = await StartAsync();
        // As in "Endpoint validation with Event Grid schema".
        using var request = Content("""
            [{ "id": "2d1781af-3a4c-4d7c-bd0c-e34b19da4e66", "topic": "/subscriptions/x", "subject": "", "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
               "data": { "validationCode": "512d38b6-c7b8-40c8-89fe-f46f9e9622b6", "validationUrl": "https://rp-eastus2.eventgrid.azure.net/x" },
               "eventTime": "2022-10-25T22:12:19.4556811Z", "metadataVersion": "1", "dataVersion": "1" }]
            """);
        request.Headers.Add("aeg-event-type", "SubscriptionValidation");
        using var answer = await app.Client.PostAsync("api/events/storage", request);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("""{"validationResponse":"512d38b6-c7b8-40c8-89fe-f46f9e9622b6"}""", await answer.Content.ReadAsStringAsync());

        using var options = new HttpRequestMessage(HttpMethod.Options, "api/events/storage");
        options.Headers.Add("WebHook-Request-Origin", "eventgrid.azure.net");
        using var permitted = await app.Client.SendAsync(options);
        Assert.Equal(HttpStatusCode.OK, permitted.StatusCode);
        Assert.Equal(["eventgrid.azure.net"], permitted.Headers.GetValues("WebHook-Allowed-Origin"));
        Assert.Equal(["*"], permitted.Headers.GetValues("WebHook-Allowed-Rate"));

        using var unasked = new HttpRequestMessage(HttpMethod.Options, "api/events/storage");
        using var refused = await app.Client.SendAsync(unasked);
        await refused.ProblemAsync(400);
        using var wrong = await app.Client.GetAsync("api/events/storage");
        await wrong.ProblemAsync(405);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_event_loads_its_blob_once(bool cloud)
    {
        await using var app = await StartAsync();
        app.Files.Put("raw/in/a.csv", "id\n1\n2\n");
        for (var delivery = 0; delivery < 2; delivery++)
            Assert.Equal("""{"loaded":1,"unmatched":0,"malformed":0,"refused":0,"postponed":0,"ignored":0}""", await PostAsync(app, 200, cloud ? Cloud(app, "raw/in/a.csv") : $"[{Grid(app, "raw/in/a.csv")}]"));
        Assert.Equal([$"1|{app.Files.Url}/raw/in/a.csv", $"2|{app.Files.Url}/raw/in/a.csv"], await app.SqlAsync("FROM {db}.main.t ORDER BY id"));
        Assert.Equal([$"it|{app.Files.Url}/raw/in/a.csv 0x8D4BCC2E4835CD0|event|{app.Files.Url}/raw/in/a.csv|succeeded|2|524288"],
            await app.SqlAsync("SELECT load, occurrence, trigger, source, status, rows, bytes FROM {db}.md_functions.load_runs"));
        // Another version of the blob is another occurrence.
        Assert.Contains("\"loaded\":1", await PostAsync(app, 200, $"[{Grid(app, "raw/in/a.csv", "0x2")}]"));
        Assert.Equal(["4"], await app.SqlAsync("SELECT count(*) FROM {db}.main.t"));
    }

    [Fact]
    public async Task What_no_load_wants_is_acknowledged_and_counted()
    {
        await using var app = await StartAsync();
        var deleted = Grid(app, "raw/in/a.csv").Replace("BlobCreated", "BlobDeleted", StringComparison.Ordinal);
        var empty = Grid(app, "raw/in/a.csv").Replace("PutBlockList", "CreateFile", StringComparison.Ordinal);
        Assert.Equal("""{"loaded":0,"unmatched":2,"malformed":0,"refused":0,"postponed":0,"ignored":1}""", await PostAsync(app, 200, $"[{Grid(app, "raw/out/a.csv")},{deleted},{empty}]"));
        Assert.Equal("""{"loaded":0,"unmatched":0,"malformed":0,"refused":0,"postponed":0,"ignored":0}""", await PostAsync(app, 200, "[]"));
    }

    [Fact]
    public async Task Only_what_a_retry_can_cure_is_sent_again()
    {
        await using var app = await StartAsync();
        app.Files.Put("raw/in/good.csv", "id\n1\n");
        app.Files.Put("raw/in/bad.csv", "id\nx\n");
        // The file cannot be read just now: the whole batch comes again, and loads what is left.
        await PostAsync(app, 503, $"[{Grid(app, "raw/in/good.csv")},{Grid(app, "raw/in/late.csv")}]");
        Assert.Equal(["1"], await app.SqlAsync("SELECT id FROM {db}.main.t"));
        app.Files.Put("raw/in/late.csv", "id\n2\n");
        Assert.Contains("\"loaded\":2", await PostAsync(app, 200, $"[{Grid(app, "raw/in/good.csv")},{Grid(app, "raw/in/late.csv")}]"));
        Assert.Equal(["1", "2"], await app.SqlAsync("SELECT id FROM {db}.main.t ORDER BY id"));
        // A file that does not fit will not fit later either.
        var refused = await PostAsync(app, 400, $"[{Grid(app, "raw/in/bad.csv")},{Grid(app, "raw/in/good.csv")}]");
        Assert.Contains("1 loaded, 0 unmatched, 0 malformed, 1 refused", refused);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("7")]
    [InlineData("[7]")]
    [InlineData("""{"eventType":"Microsoft.Storage.BlobCreated"}""")]
    [InlineData("""{"specversion":"0.3","type":"Microsoft.Storage.BlobCreated","data":{"url":"https://a/b/c","eTag":"1"}}""")]
    [InlineData("""{"specversion":"1.0","type":"Microsoft.Storage.BlobCreated","data":{"url":"https://a/b/c"}}""")]
    [InlineData("""{"specversion":"1.0","type":"Microsoft.Storage.BlobCreated","data":{"url":"https://a/b/*","eTag":"1"}}""")]
    [InlineData("""{"specversion":"1.0","type":"Microsoft.Storage.BlobCreated","data":{"url":7,"eTag":"1"}}""")]
    public async Task What_is_malformed_is_refused_for_good(string body)
    {
        await using var app = await StartAsync();
        await PostAsync(app, 400, body);
    }

    [Fact]
    public async Task What_is_too_large_is_refused_for_good()
    {
        await using var app = await StartAsync();
        await PostAsync(app, 413, "[\"" + new string('x', 2 * 1024 * 1024) + "\"]");
    }

    [Fact]
    public async Task An_event_waits_for_its_load_to_be_free_and_comes_again_if_it_is_not()
    {
        await using var app = await LoadApp.StartAsync(
            new Dictionary<string, string>
            {
                ["it"] = "/*\ntarget: {db}.main.t\nmode: merge\nkeys: id\nevents: {files}/raw/\n*/\nSELECT id, (SELECT sum(a.range * b.range) FROM range(id) a, range(20000) b) AS s FROM read_csv($url)",
            },
            new Dictionary<string, string?> { ["Loads:EventWait"] = "500ms" });
        app.Files.Put("raw/slow.csv", "id\n20000\n");
        app.Files.Put("raw/quick.csv", "id\n1\n");
        var slow = PostAsync(app, 200, Cloud(app, "raw/slow.csv"));
        while (!slow.IsCompleted && (await app.App.GetJsonAsync("api/loads"))[0].GetProperty("running").ValueKind == JsonValueKind.Null)
            await Task.Delay(20);
        await PostAsync(app, 503, Cloud(app, "raw/quick.csv"));
        await slow;
        await PostAsync(app, 200, Cloud(app, "raw/quick.csv"));
        Assert.Equal(["1", "20000"], await app.SqlAsync("SELECT id FROM {db}.main.t ORDER BY id"));
    }

    [Fact]
    public async Task By_hand_the_url_is_held_against_the_prefix()
    {
        await using var app = await StartAsync();
        app.Files.Put("raw/in/a.csv", "id\n1\n");
        foreach (var wrong in (string[])["", "?url=", $"?url={app.Files.Url}/raw/out/a.csv", $"?url={app.Files.Url}/raw/in/*", "?url=http://127.0.0.1:1/raw/in/a.csv"])
        {
            using var response = await app.Client.PostAsync($"api/loads/it{wrong}", null);
            Assert.Contains("url", (await response.ProblemAsync(400)).GetProperty("errors").EnumerateObject().Select(error => error.Name));
        }
        using var right = await app.Client.PostAsync($"api/loads/it?url={app.Files.Url}/raw/in/a.csv", null);
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
    }

    [Fact]
    public async Task A_thousand_events_delivered_twice_out_of_order_and_16_at_a_time_load_each_blob_once()
    {
        const int blobs = 1000;
        await using var app = await LoadApp.StartAsync(new Dictionary<string, string> { ["it"] = Append }, new Dictionary<string, string?> { ["Loads:Concurrency"] = "3" });
        for (var i = 0; i < blobs; i++)
            app.Files.Put($"raw/in/{i}.csv", $"id\n{i}\n{i + blobs}\n");
        var deliveries = Enumerable.Range(0, blobs).Concat(Enumerable.Range(0, blobs)).ToArray();
        new Random(5).Shuffle(deliveries);
        var time = Stopwatch.StartNew();
        var again = 0;
        await Parallel.ForEachAsync(deliveries, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
        {
            for (var attempt = 0; ; attempt++)
            {
                var body = i % 2 == 0 ? $"[{Grid(app, $"raw/in/{i}.csv")}]" : Cloud(app, $"raw/in/{i}.csv");
                using var response = await app.Client.PostAsync("api/events/storage", Content(body), CancellationToken.None);
                if (response.StatusCode == HttpStatusCode.OK)
                    return;
                // As Event Grid does: again later, for what is not a refusal for good.
                Assert.True(response.StatusCode == HttpStatusCode.ServiceUnavailable && attempt < 5, await response.Content.ReadAsStringAsync(CancellationToken.None));
                Interlocked.Increment(ref again);
                await Task.Delay(500, CancellationToken.None);
            }
        });
        output.WriteLine($"{deliveries.Length} deliveries in {time.Elapsed.TotalSeconds:0.0} s, {again} of them again");
        Assert.Equal([$"{2 * blobs}|{2 * blobs}|0|{(2 * blobs) - 1}"], await app.SqlAsync("SELECT count(*), count(DISTINCT id), min(id), max(id) FROM {db}.main.t"));
        Assert.Equal([$"succeeded|{blobs}|{blobs * 2}"], await app.SqlAsync("SELECT status, count(*), sum(rows)::BIGINT FROM {db}.md_functions.load_runs GROUP BY status"));
    }

    private static Task<LoadApp> StartAsync() => LoadApp.StartAsync(new Dictionary<string, string> { ["it"] = Append });

    private static async Task<string> PostAsync(LoadApp app, int status, string body)
    {
        using var response = await app.Client.PostAsync("api/events/storage", Content(body));
        if (status != 200)
            return (await response.ProblemAsync(status)).GetProperty("detail").GetString()!;
        Assert.True(response.StatusCode == HttpStatusCode.OK, await response.Content.ReadAsStringAsync());
        return await response.Content.ReadAsStringAsync();
    }

    private static StringContent Content(string json) => new(json, Encoding.UTF8, "application/json");

    // The examples of "Azure Blob Storage as an Event Grid source", with our own blob.
    private static string Grid(LoadApp app, string path, string etag = "0x8D4BCC2E4835CD0") => $$"""
        { "topic": "/subscriptions/x/resourceGroups/Storage/providers/Microsoft.Storage/storageAccounts/a", "subject": "/blobServices/default/containers/raw/blobs/x",
          "eventType": "Microsoft.Storage.BlobCreated", "eventTime": "2017-06-26T18:41:00.9584103Z", "id": "831e1650-001e-001b-66ab-eeb76e069631",
          "data": {{Data(app, path, etag)}}, "dataVersion": "", "metadataVersion": "1" }
        """;

    private static string Cloud(LoadApp app, string path) => $$"""
        { "source": "/subscriptions/x/resourceGroups/Storage/providers/Microsoft.Storage/storageAccounts/a", "subject": "/blobServices/default/containers/raw/blobs/x",
          "type": "Microsoft.Storage.BlobCreated", "time": "2017-06-26T18:41:00.9584103Z", "id": "831e1650-001e-001b-66ab-eeb76e069631",
          "data": {{Data(app, path, "0x8D4BCC2E4835CD0")}}, "specversion": "1.0" }
        """;

    private static string Data(LoadApp app, string path, string etag) => $$"""
        { "api": "PutBlockList", "clientRequestId": "6d79dbfb-0e37-4fc4-981f-442c9ca65760", "requestId": "831e1650-001e-001b-66ab-eeb76e000000",
          "eTag": "{{etag}}", "contentType": "text/plain", "contentLength": 524288, "blobType": "BlockBlob", "url": "{{app.Files.Url}}/{{path}}",
          "sequencer": "00000000000004420000000000028963", "storageDiagnostics": { "batchId": "b68529f3-68cd-4744-baa4-3c0498ec19f0" } }
        """;
}
