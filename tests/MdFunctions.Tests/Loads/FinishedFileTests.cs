using System.Net;
using System.Text;
using System.Text.Json;

namespace MdFunctions.Tests.Loads;

/// <summary>Which storage events are of a finished file, and whose it is.</summary>
public sealed class FinishedFileTests
{
    private const string Landing = "/*\ntarget: {db}.main.t\nmode: append\nevents: {files}/landing/\n*/\nSELECT * FROM read_csv($url)";

    [Fact]
    public async Task A_file_that_is_made_empty_and_then_written_loads_once()
    {
        await using var app = await StartAsync(Landing);
        app.Files.Put("landing/a.csv", "id,name\n1,a\n2,b\n");
        app.Files.Put("landing/b.csv", "id,name\n3,c\n");
        foreach (var (type, api, name, etag, length) in (IEnumerable<(string, string, string, string, int)>)
        [
            ("BlobCreated", "SftpCreate", "a.csv", "0x1", 0), ("BlobCreated", "PutBlob", "b.csv", "0x3", 0), ("BlobCreated", "CreateFile", "b.csv", "0x4", 5),
            ("BlobCreated", "PutBlob", "_SUCCESS", "0x5", 0), ("BlobCreated", "PutBlob", "_committed_123", "0x6", 90), ("BlobCreated", "PutBlob", "sub/", "0x7", 3),
        ])
            Assert.Equal("""{"loaded":0,"unmatched":0,"malformed":0,"refused":0,"postponed":0,"ignored":1}""", await PostAsync(app, Event(app, type, api, name, etag, length)));
        Assert.Equal(["0"], await app.SqlAsync("SELECT count(*) FROM duckdb_tables() WHERE database_name = '{db}'"));
        for (var delivery = 0; delivery < 2; delivery++)
        {
            Assert.Contains("\"loaded\":1", await PostAsync(app, Event(app, "BlobCreated", "SftpCommit", "a.csv", "0x2", 16)));
            Assert.Contains("\"loaded\":1", await PostAsync(app, Event(app, "BlobCreated", "PutBlockList", "b.csv", "0x4", 12)));
        }
        Assert.Equal(["1|a", "2|b", "3|c"], await app.SqlAsync("FROM {db}.main.t ORDER BY id"));
    }

    [Fact]
    public async Task A_file_without_rows_makes_no_table_and_is_no_failure()
    {
        await using var app = await StartAsync(Landing);
        app.Files.Put("landing/empty.csv", "");
        app.Files.Put("landing/header.csv", "id,name\n");
        app.Files.Put("landing/a.csv", "id,name\n1,a\n");
        // A size that is not told, or told wrongly.
        Assert.Contains("\"loaded\":1", await PostAsync(app, Event(app, "BlobCreated", "PutBlob", "empty.csv", "0x1", null)));
        Assert.Contains("\"loaded\":1", await PostAsync(app, Event(app, "BlobCreated", "PutBlob", "header.csv", "0x1", 8)));
        Assert.Contains("\"loaded\":1", await PostAsync(app, Event(app, "BlobCreated", "PutBlob", "a.csv", "0x1", 12)));
        Assert.Contains("\"loaded\":1", await PostAsync(app, Event(app, "BlobCreated", "PutBlob", "empty.csv", "0x2", null)));
        Assert.Equal(["1|a"], await app.SqlAsync("FROM {db}.main.t"));
    }

    [Theory]
    [InlineData("{files}/landing/ *.csv")]
    [InlineData("['{files}/landing/', '*.csv']")]
    [InlineData("{files}/landing/a*.csv")]
    public async Task A_rename_into_place_is_a_new_file(string events)
    {
        await using var app = await StartAsync(Landing.Replace("{files}/landing/", events, StringComparison.Ordinal));
        app.Files.Put("landing/a.csv", "id\n1\n");
        Assert.Contains("\"unmatched\":1", await PostAsync(app, Event(app, "BlobCreated", "FlushWithClose", "a.csv.tmp", "0x1", 5)));
        // As "Azure Blob Storage as an Event Grid source" shows it: no ETag, no length.
        var renamed = $$"""
            [{"id":"e","topic":"/subscriptions/x","subject":"/blobServices/default/containers/landing/blobs/a.csv","eventType":"Microsoft.Storage.BlobRenamed",
              "eventTime":"2026-11-24T12:00:00Z","data":{"api":"RenameFile","requestId":"r","sourceUrl":"{{app.Files.Url}}/landing/a.csv.tmp",
              "destinationUrl":"{{app.Files.Url}}/landing/a.csv","sequencer":"0001","storageDiagnostics":{"batchId":"b"} },"dataVersion":"1","metadataVersion":"1"}]
            """;
        for (var delivery = 0; delivery < 2; delivery++)
            Assert.Contains("\"loaded\":1", await PostAsync(app, renamed));
        Assert.Equal(["1"], await app.SqlAsync("FROM {db}.main.t"));
    }

    [Theory]
    [InlineData("report #1.csv", null)]
    [InlineData("report%20%231.csv", null)]
    [InlineData("report%20#1.csv", null)]
    [InlineData("report #1.csv", "report #1.csv")]
    public async Task A_name_is_one_blob_however_it_is_spelt(string spelt, string? subject)
    {
        await using var app = await StartAsync(Landing);
        app.Files.Put("landing/report #1.csv", "id\n1\n");
        for (var delivery = 0; delivery < 2; delivery++)
            Assert.Contains("\"loaded\":1", await PostAsync(app, Event(app, "BlobCreated", "PutBlob", spelt, "0x1", 12, subject)));
        Assert.Equal([$"1|{app.Files.Url}/landing/report%20%231.csv 0x1"], await app.SqlAsync("SELECT id, (SELECT occurrence FROM {db}.md_functions.load_runs) FROM {db}.main.t"));
    }

    [Theory]
    [InlineData("100%.csv", null, "landing/100%.csv")]
    [InlineData("100%25.csv", null, "landing/100%.csv")]
    [InlineData("100%25.csv", "100%25.csv", "landing/100%25.csv")]
    [InlineData("why?.csv", null, "landing/why?.csv")]
    [InlineData("größe.csv", null, "landing/größe.csv")]
    public async Task Names_may_hold_signs(string url, string? subject, string file)
    {
        await using var app = await StartAsync(Landing);
        app.Files.Put(file, "id\n1\n");
        Assert.Contains("\"loaded\":1", await PostAsync(app, Event(app, "BlobCreated", "PutBlob", url, "0x1", 12, subject)));
        Assert.Equal(["1"], await app.SqlAsync("FROM {db}.main.t"));
    }

    [Fact]
    public async Task A_dead_letter_batch_is_taken_as_it_was_stored()
    {
        await using var app = await StartAsync(Landing);
        app.Files.Put("landing/a.csv", "id\n1\n");
        app.Files.Put("landing/b.csv", "id\n2\n");
        string Dead(string name) => $$"""
            {"id":"{{name}}","eventTime":"2026-11-24T12:00:00Z","eventType":"Microsoft.Storage.BlobCreated","dataVersion":"","metadataVersion":"1",
             "topic":"/subscriptions/x","subject":"/blobServices/default/containers/landing/blobs/{{name}}","deadLetterReason":"MaxDeliveryAttemptsExceeded",
             "deliveryAttempts":30,"lastDeliveryOutcome":"Unavailable","publishTime":"2026-11-24T12:00:01Z","lastDeliveryAttemptTime":"2026-11-25T12:00:01Z",
             "data":{"api":"PutBlob","eTag":"0x1","contentType":"text/csv","contentLength":5,"blobType":"BlockBlob","url":"{{app.Files.Url}}/landing/{{name}}","sequencer":"1"} }
            """;
        // curl --data-binary says nothing of JSON, and an editor may put a byte order mark before it.
        using var body = new StringContent($"\uFEFF[{Dead("a.csv")},{Dead("b.csv")},{Dead("a.csv")}]", Encoding.UTF8, "application/x-www-form-urlencoded");
        using var response = await app.Client.PostAsync("api/events/storage", body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(["1", "2"], await app.SqlAsync("FROM {db}.main.t ORDER BY id"));
    }

    [Fact]
    public async Task A_dfs_address_is_the_loads_own()
    {
        await using var app = await StartAsync("/*\ntarget: {db}.main.t\nmode: append\nevents: https://acct.blob.core.windows.net/lake/\ntimeout: 500ms\n*/\nSELECT $url AS url");
        var body = Event(app, "BlobCreated", "FlushWithClose", "a.csv", "0x1", 16).Replace($"{app.Files.Url}/landing/", "https://acct.dfs.core.windows.net/lake/", StringComparison.Ordinal);
        Assert.Contains("\"loaded\":1", await PostAsync(app, body));
        Assert.Contains("\"loaded\":1", await PostAsync(app, body.Replace(".dfs.", ".blob.", StringComparison.Ordinal)));
        Assert.Contains("\"loaded\":1", await PostAsync(app, body.Replace("BlobCreated", "BlobRenamed", StringComparison.Ordinal)));
        Assert.Equal(["https://acct.blob.core.windows.net/lake/a.csv"], await app.SqlAsync("FROM {db}.main.t"));
    }

    private static Task<LoadApp> StartAsync(string load) => LoadApp.StartAsync(new Dictionary<string, string> { ["it"] = load });

    private static async Task<string> PostAsync(LoadApp app, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await app.Client.PostAsync("api/events/storage", content);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        return text;
    }

    private static string Event(LoadApp app, string type, string api, string name, string etag, int? length, string? subject = null) => $$"""
        [{"id":"e","topic":"/subscriptions/s","subject":{{JsonSerializer.Serialize($"/blobServices/default/containers/landing/blobs/{subject ?? "b"}")}},"eventType":"Microsoft.Storage.{{type}}",
          "eventTime":"2026-11-24T12:00:00.1234567Z","data":{"api":"{{api}}","requestId":"r","eTag":"{{etag}}","contentType":"text/csv",{{(length is null ? "" : $"\"contentLength\":{length},")}}
          "blobType":"BlockBlob","url":{{JsonSerializer.Serialize($"{app.Files.Url}/landing/{name}")}},"sequencer":"1","storageDiagnostics":{"batchId":"b"} },"dataVersion":"","metadataVersion":"1"}]
        """;
}
