using System.IO.Compression;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Ingest;

/// <summary>A sender of webhooks, and what tests of ingests share.</summary>
public static class Webhook
{
    public const string Secret = "It's a Secret to Everybody";

    /// <summary>The setting that holds the secret named <c>Test</c>.</summary>
    public static Dictionary<string, string?> Settings => new() { ["Secrets:Test"] = Secret };

    /// <summary>A schema that no other test uses, on the endpoint that all share.</summary>
    public static string NewSchema() => $"ingest_{Guid.NewGuid():N}";

    /// <summary>An app with one ingest, <c>events</c>, that fills <c>SCHEMA.events</c> and is signed as GitHub does.</summary>
    public static async Task<(LocalApp App, string Table)> AppAsync(
        string columns, string select = "SELECT * FROM body", string more = "", Dictionary<string, string?>? settings = null)
    {
        var table = $"my_db.{NewSchema()}.events";
        var file = $"/*\ntarget: {table}\nsignature: {{ scheme: github, secret: Test }}\n{more}\ncolumns:\n{string.Concat(columns.Split('\n').Select(line => $"  {line}\n"))}*/\n{select}\n";
        settings ??= [];
        foreach (var (name, value) in Settings)
            settings.TryAdd(name, value);
        return (await LocalApp.StartAsync(new Dictionary<string, string> { ["ingest/events.sql"] = file }, settings), table);
    }

    /// <summary>A delivery of a body, signed as GitHub does.</summary>
    public static HttpRequestMessage Request(byte[] body, string? id = null, string contentType = "application/json", string path = "/api/ingest/events")
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        request.Headers.Add("X-Hub-Signature-256", $"sha256={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), body))}");
        if (id is not null)
            request.Headers.Add("X-Delivery", id);
        return request;
    }

    public static Task<HttpResponseMessage> SendAsync(this LocalApp app, string body, string? id = null, string contentType = "application/json") =>
        app.Client.SendAsync(Request(Encoding.UTF8.GetBytes(body), id, contentType));

    /// <summary>Sends a body that must be stored.</summary>
    public static async Task<JsonElement> StoreAsync(this LocalApp app, string body, string? id = null, string contentType = "application/json")
    {
        using var response = await app.SendAsync(body, id, contentType);
        return await response.StoredAsync();
    }

    /// <summary>Reads the answer to a delivery that must be stored.</summary>
    public static async Task<JsonElement> StoredAsync(this HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == 200, $"{(int)response.StatusCode}: {text}");
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    /// <summary>Asks the endpoint, past the app.</summary>
    public static async Task<List<string?[]>> RowsAsync(string sql)
    {
        await using var connection = await SharedEndpoint.ConnectAsync();
        return await connection.RowsAsync(sql, [], CancellationToken.None);
    }

    /// <summary>The only row of a result, its values with a <c>|</c> between them.</summary>
    public static async Task<string> RowAsync(string sql) => string.Join('|', Assert.Single(await RowsAsync(sql)));

    public static async Task<string?> ScalarAsync(string sql) => (await RowsAsync(sql))[0][0];

    public static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal))
            gzip.Write(bytes);
        return packed.ToArray();
    }
}
