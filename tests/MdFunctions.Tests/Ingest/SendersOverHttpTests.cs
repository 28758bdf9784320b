using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MdFunctions.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace MdFunctions.Tests.Ingest;

/// <summary>What senders do besides sending signed JSON: they ask for the URL, send forms, put the id into the body, and get it wrong.</summary>
public sealed class SendersOverHttpTests
{
    private static readonly Dictionary<string, string?> Settings = new(Webhook.Settings) { ["Secrets:Verify"] = "verify-token" };

    [Fact]
    public async Task Slack_asks_for_its_URL_with_a_signed_challenge()
    {
        var (app, table) = await AppAsync("{ scheme: slack, secret: Test }", "handshake: slack");
        await using var _ = app;
        using var answer = await SlackAsync(app, """{"token":"t","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}""");
        Assert.Equal("3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P", await answer.Content.ReadAsStringAsync());
        Assert.Equal(("text/plain", "nosniff"), (answer.Content.Headers.ContentType?.MediaType, answer.Headers.GetValues("X-Content-Type-Options").Single()));
        using var refused = await SlackAsync(app, """{"challenge":"x","type":"url_verification"}""", "another secret");
        await refused.ProblemAsync(401);
        using var stored = await SlackAsync(app, """{"type":"event_callback","challenge":"x","a":"1"}"""); // An event that has such a field.
        await stored.StoredAsync();
        Assert.Equal("1", await Webhook.ScalarAsync($"SELECT string_agg(a) FROM {table}"));
    }

    [Fact]
    public async Task Meta_asks_by_GET_with_a_token_of_its_own()
    {
        var (app, _) = await AppAsync("{ scheme: meta, secret: Test }", "handshake: { scheme: meta, secret: Verify }");
        await using var _ = app;
        const string path = "/api/ingest/events?hub.mode=subscribe&hub.challenge=1158201444";
        Assert.Equal("1158201444", await app.Client.GetStringAsync($"{path}&hub.verify_token=verify-token"));
        foreach (var wrong in (string[])["", "&hub.verify_token=another", "&hub.verify_token=verify-token&hub.verify_token=verify-token"])
            await (await app.Client.GetAsync(path + wrong)).ProblemAsync(401);
        using var none = await app.Client.GetAsync("/api/ingest/events");
        await none.ProblemAsync(405);
        Assert.Equal(["GET", "POST"], none.Content.Headers.Allow);
        Assert.Contains(app.Logs.All, line => line.Contains("(handshake): query.hub.verify_token is not the secret Verify", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Microsoft_Graph_asks_by_POST_and_signs_with_a_field()
    {
        var (app, table) = await AppAsync("{ scheme: graph, secret: Verify }", "handshake: graph", "value: STRUCT(clientState VARCHAR, resource VARCHAR)[]", "SELECT unnest(value).resource AS resource FROM body");
        await using var _ = app;
        using var empty = new StringContent("", Encoding.UTF8, "text/plain");
        using var answer = await app.Client.PostAsync("/api/ingest/events?validationToken=Validation%3A+Testing+%3Cb%3E", empty);
        Assert.Equal("Validation: Testing <b>", await answer.Content.ReadAsStringAsync());
        Assert.Equal((200, "text/plain"), ((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        foreach (var (state, status) in ((string, int)[])[("verify-token", 200), ("guess", 401)])
        {
            using var body = new StringContent($$"""{"value":[{"clientState":"verify-token","resource":"a"},{"clientState":"{{state}}","resource":"b"}]}""", Encoding.UTF8, "application/json");
            using var response = await app.Client.PostAsync("/api/ingest/events", body);
            Assert.Equal(status, (int)response.StatusCode);
        }
        Assert.Equal("a,b", await Webhook.ScalarAsync($"SELECT string_agg(resource, ',' ORDER BY resource) FROM {table}"));
    }

    [Fact]
    public async Task GitHubs_form_is_the_JSON_in_its_field()
    {
        var (app, table) = await Webhook.AppAsync("zen: VARCHAR\nn: BIGINT");
        await using var _ = app;
        const string json = """{"zen":"50% + ü & \"x\" = y","n":9007199254740993}""";
        await app.StoreAsync($"payload={Uri.EscapeDataString(json).Replace("%20", "+", StringComparison.Ordinal)}", contentType: "application/x-www-form-urlencoded");
        await app.StoreAsync(json);
        Assert.Equal(["50% + ü & \"x\" = y|9007199254740993", "50% + ü & \"x\" = y|9007199254740993"], (await Webhook.RowsAsync($"FROM {table}")).Select(row => string.Join('|', row)));
        foreach (var wrong in (string[])["", "a=1", "payload={}&payload={}", "payload=%FF", "payload=%7B"])
            await (await app.SendAsync(wrong, contentType: "application/x-www-form-urlencoded")).ProblemAsync(400);
        await (await app.SendAsync(string.Join('&', Enumerable.Range(0, 1001)), contentType: "application/x-www-form-urlencoded")).ProblemAsync(413);
    }

    [Fact]
    public async Task The_fields_of_a_form_are_columns()
    {
        var (app, table) = await AppAsync("{ scheme: header, secret: Verify, header: X-Token }", "id: body.MessageSid",
            "MessageSid: VARCHAR\nBody: VARCHAR\nNumMedia: INTEGER\nPrice: 'DECIMAL(10,4)'\nMediaUrl: VARCHAR[]");
        await using var _ = app;
        var id = Guid.NewGuid().ToString("N");
        foreach (var (form, status) in ((string, int)[])[
            ($"MessageSid={id}&Body=a%26b+%2B+%C3%BC&NumMedia=2&Price=&MediaUrl=x&MediaUrl=y&Other=1", 200), ($"MessageSid={id}", 200),
            ($"MessageSid={id}2&Body=&NumMedia=two", 422), ($"MessageSid={id}2&Body=1&Body=2", 422), ("Body=1", 400), ($"MessageSid={id}3&Body=&NumMedia=0", 200)])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/ingest/events") { Content = new StringContent(form, Encoding.UTF8, "application/x-www-form-urlencoded") };
            request.Headers.Add("X-Token", "verify-token");
            using var response = await app.Client.SendAsync(request);
            Assert.True((int)response.StatusCode == status, $"{form}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
        }
        Assert.Equal(["a&b + ü|2||[x, y]", "|0||"], (await Webhook.RowsAsync($"SELECT Body, NumMedia, Price, MediaUrl::VARCHAR FROM {table} ORDER BY MessageSid")).Select(row => string.Join('|', row)));
    }

    [Fact]
    public async Task An_id_in_the_body_stores_a_delivery_once_packed_or_not()
    {
        var (app, table) = await Webhook.AppAsync("n: INTEGER", more: "id: body.event.id\ncontentType: text/plain");
        await using var _ = app;
        var id = Guid.NewGuid().ToString("N");
        var body = $$"""{"event":{"other":{"id":"no"},"id":"{{id}}"},"n":1}""";
        Assert.False((await app.StoreAsync(body)).GetProperty("duplicate").GetBoolean());
        Assert.True((await app.StoreAsync(body, contentType: "text/plain; charset=UTF-8")).GetProperty("duplicate").GetBoolean());
        using var packed = await app.Client.SendAsync(HostileBodyTests.Gzipped(Webhook.Gzip(Encoding.UTF8.GetBytes(body))));
        Assert.True((await packed.StoredAsync()).GetProperty("duplicate").GetBoolean());
        Assert.False((await app.StoreAsync($$"""{"event":{"id":{{Random.Shared.NextInt64(1L << 50)}}},"n":2}""")).GetProperty("duplicate").GetBoolean());
        foreach (var wrong in (string[])["{}", """{"event":1}""", """{"event":{"id":""}}""", """{"event":{"id":"a","id":"b"}}""", """[{"event":{"id":"a"}},{"event":{"id":"b"}}]""", """{"event":{"id":{}}}"""])
            Assert.Contains("no 'event.id'", (await (await app.SendAsync(wrong)).ProblemAsync(400)).GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal("1,2", await Webhook.ScalarAsync($"SELECT string_agg(n, ',' ORDER BY n) FROM {table}"));
    }

    [Fact]
    public async Task A_refused_delivery_leaves_a_log_line_and_a_tag_without_a_value()
    {
        var (app, _) = await AppAsync("{ scheme: stripe, secret: Test, tolerance: 1m }");
        await using var running = app;
        var scope = app.Host.Services.GetRequiredService<IMeterFactory>();
        var checks = new ConcurrentQueue<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Scope == scope && instrument.Name == "mdfunctions.run.duration")
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((_, _, tags, _) => checks.Enqueue(string.Join(' ', tags.ToArray().Where(tag => tag.Key is "name" or "outcome" or "check").Select(tag => tag.Value))));
        listener.Start();
        var old = DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 1000;
        foreach (var header in (string?[])[null, "v1=abc", $"t={old},v1={new string('a', 64)}", $"t={old + 1000},v1={new string('a', 64)}"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/ingest/events") { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
            request.Headers.Add("X-Private", "a-value-of-the-request");
            if (header is not null)
                request.Headers.TryAddWithoutValidation("Stripe-Signature", header);
            using var response = await app.Client.SendAsync(request);
            Assert.False((await response.ProblemAsync(401)).TryGetProperty("detail", out _));
        }
        Assert.Equal(["header-missing", "signature-malformed", "timestamp", "no-match"], checks.Select(check => check.Split(' ')[^1] is "caller" ? check.Split(' ')[^2] : check.Split(' ')[^1]));
        var lines = app.Logs.All.Where(line => line.Contains("refused a delivery", StringComparison.Ordinal)).ToList();
        Assert.Equal(4, lines.Count);
        Assert.All(lines, line => Assert.Contains("X-Private", line, StringComparison.Ordinal));
        Assert.Contains("the header Stripe-Signature is missing", lines[0], StringComparison.Ordinal);
        Assert.Matches("the timestamp is 100[0-9] s old, 94[0-9] s more than the 60 s that are allowed", lines[2]);
        Assert.Contains("(no-match): the secret does not match; headers present: Content-Length, Content-Type, ", lines[3], StringComparison.Ordinal);
        Assert.All(app.Logs.All, line => Assert.True(!line.Contains("a-value-of-the-request", StringComparison.Ordinal) && !line.Contains("aaaaaaaa", StringComparison.Ordinal) && !line.Contains(Webhook.Secret, StringComparison.Ordinal), line));
    }

    [Fact]
    public async Task Ids_older_than_keepDeliveries_are_deleted_and_no_others()
    {
        var name = $"keep_{Guid.NewGuid():N}";
        var table = $"my_db.{Webhook.NewSchema()}.events";
        await using var app = await LocalApp.StartAsync(
            new Dictionary<string, string> { [$"ingest/{name}.sql"] = $"/*\ntarget: {table}\nsignature: {{ scheme: github, secret: Test }}\nid: $header_x_delivery\nkeepDeliveries: 7d\ncolumns: {{ a: INTEGER }}\n*/\nSELECT * FROM body" }, Webhook.Settings);
        await Webhook.RowsAsync("CREATE SCHEMA IF NOT EXISTS my_db.md_functions");
        await Webhook.RowsAsync("CREATE TABLE IF NOT EXISTS my_db.md_functions.ingest_deliveries (ingest VARCHAR, id VARCHAR, received_at TIMESTAMPTZ, PRIMARY KEY (ingest, id))");
        await Webhook.RowsAsync($"INSERT INTO my_db.md_functions.ingest_deliveries VALUES ('{name}', 'old', now() - INTERVAL '8 days'), ('{name}', 'new', now() - INTERVAL '6 days'), ('{name}_other', 'old', now() - INTERVAL '8 days')");
        (await (await app.Client.SendAsync(Webhook.Request("{}"u8.ToArray(), "now", path: $"/api/ingest/{name}"))).StoredAsync()).GetProperty("duplicate");
        for (var tries = 0; await IdsAsync() != $"{name} new,{name} now,{name}_other old"; tries++)
        {
            Assert.True(tries < 300, await IdsAsync());
            await Task.Delay(100);
        }

        Task<string?> IdsAsync() => Webhook.ScalarAsync($"SELECT string_agg(ingest || ' ' || id, ',' ORDER BY ingest, id) FROM my_db.md_functions.ingest_deliveries WHERE ingest LIKE '{name}%'");
    }

    private static async Task<(LocalApp App, string Table)> AppAsync(string signature, string more = "", string columns = "a: VARCHAR", string select = "SELECT * FROM body")
    {
        var table = $"my_db.{Webhook.NewSchema()}.events";
        var file = $"/*\ntarget: {table}\nsignature: {signature}\n{more}\ncolumns:\n{string.Concat(columns.Split('\n').Select(line => $"  {line}\n"))}*/\n{select}\n";
        return (await LocalApp.StartAsync(new Dictionary<string, string> { ["ingest/events.sql"] = file }, Settings), table);
    }

    private static Task<HttpResponseMessage> SlackAsync(LocalApp app, string body, string secret = Webhook.Secret)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/ingest/events") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("X-Slack-Request-Timestamp", now);
        request.Headers.Add("X-Slack-Signature", $"v0={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"v0:{now}:{body}")))}");
        return app.Client.SendAsync(request);
    }
}
