using System.Security.Cryptography;
using System.Text;
using MdFunctions.Engine;
using MdFunctions.Engine.Ingest;
using MdFunctions.Engine.Templates;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace MdFunctions.Tests.Ingest;

/// <summary>Each preset against what its sender has published, or, where it says so, another implementation.</summary>
public sealed class SenderTests
{
    // "Verifying requests from Slack", the example.
    private const string SlackBody = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        + "&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";

    // What Stripe's library for .NET is tested with.
    private const string StripeBody = """
        {
          "id": "evt_123",
          "object": "event",
          "account": "acct_123",
          "api_version": "2017-05-25",
          "created": 1533204620,
          "data": {
            "object": {
              "id": "ii_123",
              "object": "invoiceitem",
              "amount": 1000,
              "currency": "usd",
              "customer": "cus_123",
              "date": 1533204620,
              "description": "Test Invoice Item",
              "discountable": false,
              "invoice": "in_123",
              "livemode": false,
              "metadata": {},
              "period": {
                "start": 1533204620,
                "end": 1533204620
              },
              "plan": null,
              "proration": false,
              "quantity": null,
              "subscription": null
            }
          },
          "livemode": false,
          "pending_webhooks": 1,
          "request": {
            "id": "req_123",
            "idempotency_key": "idempotency-key-123"
          },
          "type": "invoiceitem.created"
        }

        """;
    private const string StripeHeader =
        "t=1533204620,v1=f0bdba6d4eacbd8ad8a3bbadd7248e633ec1477f7899c124c51b39405fa36613,v0=63f3a72374a733066c4be69ed7f8e5ac85c22c9f0a6a612ab9a025a9e4ee7eef";

    // "Security" in Twilio's documentation, the example.
    private const string TwilioForm = "To=%2B18005551212&CallSid=CA1234567890ABCDE&Digits=1234&From=%2B12349013030&Caller=%2B12349013030";
    private const string TwilioSignature = "0/KCTR6DLpKmkAf8muzZqo1nDgQ=";

    [Fact]
    public void Stripes_vector_is_valid()
    {
        Assert.Null(Stripe(StripeHeader));
        Assert.Null(Stripe(StripeHeader, late: 300));
        // Two secrets at the sender's side, in any order, with white space.
        var (v1, other) = (StripeHeader.Split(',')[1], $"v1={new string('0', 64)}");
        Assert.Null(Stripe($"t=1533204620, {other}, {v1}"));
        Assert.Null(Stripe($"{v1},{other},t=1533204620"));
    }

    [Theory]
    [InlineData("v1=f0bdba6d4eacbd8ad8a3bbadd7248e633ec1477f7899c124c51b39405fa36613", "timestamp")]
    [InlineData("t=1533204620,t=1533204620,v1=f0bdba6d4eacbd8ad8a3bbadd7248e633ec1477f7899c124c51b39405fa36613", "timestamp")]
    [InlineData("t=1533204621,v1=f0bdba6d4eacbd8ad8a3bbadd7248e633ec1477f7899c124c51b39405fa36613", "no-match")]
    [InlineData("t=1533204620,v0=f0bdba6d4eacbd8ad8a3bbadd7248e633ec1477f7899c124c51b39405fa36613", "signature-malformed")]
    [InlineData("t=1533204620,v1=f0bdba6d", "signature-malformed")]
    [InlineData("t=1533204620", "signature-malformed")]
    [InlineData("", "header-missing")]
    public void What_is_missing_or_wrong_with_Stripes_header_is_told_apart(string header, string check) => Assert.Equal(check, Stripe(header)?.Check);

    [Fact]
    public void A_timestamp_that_is_too_old_is_refused_with_by_how_much()
    {
        Assert.Equal("the timestamp is 312 s old, 12 s more than the 300 s that are allowed", Stripe(StripeHeader, late: 312)?.Detail);
        Assert.Equal("the timestamp is 400 s ahead, 100 s more than the 300 s that are allowed", Stripe(StripeHeader, late: -400)?.Detail);
        Assert.Null(SignedRequest.Refusal(new HmacSignature("stripe", "S", SignaturePresets.All["stripe"], TimeSpan.FromHours(1), null), new() { ["Stripe-Signature"] = StripeHeader },
            StripeBody, ["webhook_secret"], At(1533204620 + 3600)));
    }

    [Fact]
    public void Slacks_example_is_valid()
    {
        Assert.Null(Slack(SlackBody));
        Assert.Equal("no-match", Slack(SlackBody + "&")?.Check);
        Assert.Equal("timestamp", Slack(SlackBody, late: 301)?.Check);
        Assert.Equal("the header X-Slack-Request-Timestamp is missing, empty or there twice", SignedRequest.Refusal(
            Preset("slack"), new() { ["X-Slack-Signature"] = "v0=00" }, SlackBody, ["s"], default)?.Detail);
    }

    [Theory]
    [InlineData("svix")]
    [InlineData("standard-webhooks")]
    public void Svixs_example_is_valid(string scheme)
    {
        HeaderDictionary headers = new() { ["svix-id"] = "msg_loFOjxBNrRLzqYUf", ["svix-timestamp"] = "1731705121", ["svix-signature"] = "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=" };
        Assert.Null(Check());
        headers["webhook-id"] = "msg_another"; // It would be taken for the delivery's id, and nobody signed it.
        Assert.Equal(scheme == "svix" ? null : "header-missing", Check()?.Check);

        Refusal? Check() => SignedRequest.Refusal(Preset(scheme), headers, """{"event_type":"ping","data":{"success":true}}""", ["whsec_plJ3nmyCDGBKInavdOK15jsl"], At(1731705121));
    }

    // Shopify publishes no vector; this one is of another program's tests.
    [Fact]
    public void A_vector_for_Shopify_is_valid() => Assert.Null(SignedRequest.Refusal(
        Preset("shopify"), new() { ["X-Shopify-Hmac-SHA256"] = "QNyObTlKbMx2qDlPF/ZOZcBqg5OgPg+2oky3zldc0Gw=" },
        """{"id":1234567890,"email":"customer@example.com","total_price":"123.45"}""", ["test-webhook-secret"], default));

    [Fact]
    public void Twilios_example_is_valid()
    {
        Assert.Null(Twilio(TwilioForm));
        Assert.Equal("no-match", Twilio(TwilioForm.Replace("1234&", "1235&", StringComparison.Ordinal))?.Check);
        Assert.Equal("no-match", Twilio(TwilioForm, query: "?foo=1&bar=3")?.Check);
        Assert.Equal("no-match", Twilio(TwilioForm, url: "https://other.com")?.Check);
        Assert.Equal("body-hash", Twilio("{}", contentType: "application/json")?.Check); // The signature alone does not cover it.
    }

    [Fact]
    public void Twilios_JSON_is_bound_by_the_hash_in_its_URL()
    {
        const string body = """{"property": "value", "boolean": true}"""; // The body and hash of Twilio's own tests.
        const string query = "?bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
        var signature = Convert.ToBase64String(HMACSHA1.HashData("12345"u8, Encoding.UTF8.GetBytes("https://mycompany.com/myapp.php" + query)));
        Assert.Null(Twilio(body, signature, query: query, contentType: "application/json"));
        Assert.Equal("body-hash", Twilio(body + " ", signature, query: query, contentType: "application/json")?.Check);
    }

    [Theory] // Senders without a preset, as they describe themselves.
    [InlineData("header: X-S, algorithm: sha512", "X-S", "sha512", "text", "{}")]
    [InlineData("header: X-S, algorithm: sha1, prefix: sha1=", "X-S", "sha1", "text", "{}")]
    [InlineData("header: X-S, encoding: base64, signed: 'POST{url}{body}{timestamp}', timestamp: header.X-T", "X-S", "sha256", "text", "POSThttps://app.example.com/hook?a=b{}1700000000000")]
    [InlineData("header: X-S, separator: ';', prefix: h1=, signed: '{timestamp}:{body}', timestamp: field.ts", "X-S", "sha256", "text", "1700000000:{}")]
    [InlineData("header: X-S, key: hex", "X-S", "sha256", "hex", "{}")]
    public void The_general_scheme_is_what_the_front_matter_says(string keys, string header, string algorithm, string key, string signed)
    {
        byte[] bytes = key == "hex" ? [1, 2, 254] : "key"u8.ToArray();
        var secret = key == "hex" ? "0102fe" : "key";
        var hash = algorithm switch
        {
            "sha512" => HMACSHA512.HashData(bytes, Encoding.UTF8.GetBytes(signed)),
            "sha1" => HMACSHA1.HashData(bytes, Encoding.UTF8.GetBytes(signed)),
            _ => HMACSHA256.HashData(bytes, Encoding.UTF8.GetBytes(signed)),
        };
        var text = keys.Contains("base64", StringComparison.Ordinal) ? Convert.ToBase64String(hash) : Convert.ToHexStringLower(hash);
        var value = keys.Contains("separator", StringComparison.Ordinal) ? $"ts=1700000000;h1={text}" : keys.Contains("prefix", StringComparison.Ordinal) ? $"sha1={text}" : text;
        var signature = Read($"{{ scheme: hmac, secret: S, {keys} }}");
        Assert.Null(Check(value, secret));
        Assert.Equal("no-match", Check(value, key == "hex" ? "0102ff" : "other")?.Check);

        Refusal? Check(string given, string secret) => SignedRequest.Refusal(
            signature, new() { [header] = given, ["X-T"] = "1700000000000" }, "{}", [secret], At(1700000000), path: "/hook", query: "?a=b");
    }

    [Theory]
    [InlineData("""{"value":[{"clientState":"s","id":1},{"id":2,"clientState":"s"}]}""", null)]
    [InlineData("""{"value":[{"clientState":"s"},{"clientState":"other"}]}""", "no-match")]
    [InlineData("""{"value":[{"clientState":"s"},{}]}""", "field-missing")]
    [InlineData("""{"value":[{"clientState":"s","clientState":"s"}]}""", "field-missing")]
    [InlineData("""{"value":[]}""", "field-missing")]
    [InlineData("""{"value":[{"clientState":"s"}]""", "field-missing")]
    [InlineData("", "field-missing")]
    public void Microsoft_Graphs_notifications_carry_the_secret_each(string body, string? check) =>
        Assert.Equal(check, SignedRequest.Refusal(Read("{ scheme: graph, secret: S }"), [], body, ["s", "old"], default)?.Check);

    [Fact]
    public void Of_10000_mutated_signatures_none_is_valid()
    {
        var random = new Random(20261125);
        var schemes = new (Func<string, Refusal?> Check, string Header, bool IsHex)[]
        {
            (header => Stripe(header), StripeHeader.Split(",v0")[0], true),
            (header => SignedRequest.Refusal(Preset("slack"), new() { ["X-Slack-Signature"] = header, ["X-Slack-Request-Timestamp"] = "1531420618" }, SlackBody, ["8f742231b10e8888abcd99yyyzzz85a5"], At(1531420618)),
                "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503", true),
            (header => Twilio(TwilioForm, header), TwilioSignature, false),
            (header => SignedRequest.Refusal(Preset("svix"), new() { ["svix-id"] = "msg_loFOjxBNrRLzqYUf", ["svix-timestamp"] = "1731705121", ["svix-signature"] = header },
                """{"event_type":"ping","data":{"success":true}}""", ["whsec_plJ3nmyCDGBKInavdOK15jsl"], At(1731705121)), "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=", false),
        };
        Assert.All(schemes, scheme => Assert.Null(scheme.Check(scheme.Header)));
        for (var n = 0; n < 10_000; n++)
        {
            var (check, header, isHex) = schemes[n % schemes.Length];
            var mutated = Mutate(header, random);
            // Upper case stands for the same hexadecimal digits, and white space around Stripe's parts for nothing.
            if (mutated == header || (isHex && Canonical(mutated) == Canonical(header)))
                continue;
            Assert.True(check(mutated) is not null, $"{mutated} was taken for {header}");
        }

        static string Canonical(string header) => header.ToLowerInvariant().Replace(" ", "", StringComparison.Ordinal);
    }

    private static string Mutate(string header, Random random)
    {
        const string alphabet = "0123456789abcdefABCDEFghXYZ+/=,. -_";
        var text = new StringBuilder(header);
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var at = random.Next(text.Length);
            switch (random.Next(4))
            {
                case 0: text[at] = alphabet[random.Next(alphabet.Length)]; break;
                case 1: text.Remove(at, 1); break;
                case 2: text.Insert(at, alphabet[random.Next(alphabet.Length)]); break;
                default: (text[at], text[^1]) = (text[^1], text[at]); break;
            }
        }
        return text.ToString();
    }

    private static Refusal? Stripe(string header, int late = 0) =>
        SignedRequest.Refusal(Preset("stripe"), new() { ["Stripe-Signature"] = header }, StripeBody, ["webhook_secret"], At(1533204620 + late));

    private static Refusal? Slack(string body, int late = 0) => SignedRequest.Refusal(
        Preset("slack"), new() { ["X-Slack-Signature"] = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503", ["X-Slack-Request-Timestamp"] = "1531420618" },
        body, ["8f742231b10e8888abcd99yyyzzz85a5"], At(1531420618 + late), "application/x-www-form-urlencoded");

    private static Refusal? Twilio(string body, string signature = TwilioSignature, string url = "https://mycompany.com", string query = "?foo=1&bar=2", string contentType = "application/x-www-form-urlencoded") =>
        SignedRequest.Refusal(Preset("twilio", url), new() { ["X-Twilio-Signature"] = signature }, body, ["12345"], default, contentType, "/myapp.php", query);

    private static HmacSignature Preset(string name, string? url = null) => new(name, "S", SignaturePresets.All[name], HmacKeys.Tolerance, url);

    private static Signature Read(string signature)
    {
        var file = SqlFile.Parse("ingest/x.sql", "x", $"/*\ntarget: my_db.main.t\nsignature: {signature}\ncolumns: {{ a: INTEGER }}\n*/\nSELECT * FROM body");
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("PublicUrl", "https://app.example.com/")]).Build();
        var ingest = IngestTemplate.Read(file, new Settings(configuration));
        Assert.Empty(file.Faults);
        return ingest.Signature;
    }

    private static DateTimeOffset At(long seconds) => DateTimeOffset.FromUnixTimeSeconds(seconds);
}
