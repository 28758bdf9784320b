using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Access;

/// <summary>What people try who may not, or not that way. Each attempt has its answer, and none a row that is not the caller's.</summary>
public sealed class AttemptTests(AccessApp app) : IClassFixture<AccessApp>
{
    private sealed record Attempt(int Status, Func<TokenServer, string?> Token, string Path = "api/queries/mine", string Method = "GET", string? Json = null, Action<HttpRequestMessage, TokenServer>? Change = null);

    private static readonly long Now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    private static readonly Dictionary<string, Attempt> Attempts = new()
    {
        // The token.
        ["a token that holds"] = new(200, s => s.Token()),
        ["no token"] = new(401, _ => null),
        ["an empty token"] = Header("Bearer "),
        ["only the scheme"] = Header("Bearer"),
        ["another scheme"] = Header("Basic YTpi"),
        ["no scheme"] = new(401, _ => null, Change: (r, s) => r.Headers.TryAddWithoutValidation("Authorization", s.Token())),
        ["the scheme in small letters"] = new(200, _ => null, Change: (r, s) => r.Headers.TryAddWithoutValidation("Authorization", $"bearer {s.Token()}")),
        ["expired"] = new(401, s => s.Token(("exp", Now - 600), ("nbf", Now - 1200), ("iat", Now - 1200))),
        ["not yet"] = new(401, s => s.Token(("nbf", Now + 600), ("exp", Now + 1200))),
        ["without an end"] = new(401, s => s.Token(("exp", null))),
        ["an end that is text"] = new(401, s => s.Token(("exp", "never"))),
        ["another audience"] = new(401, s => s.Token(("aud", "api://other"))),
        ["several audiences, none ours"] = new(401, s => s.Token(("aud", new[] { "api://other", "x" }))),
        ["several audiences, one ours"] = new(200, s => s.Token(("aud", new[] { "api://other", TokenServer.Audience }))),
        ["no audience"] = new(401, s => s.Token(("aud", null))),
        ["our audience with more behind it"] = new(401, s => s.Token(("aud", TokenServer.Audience + "/x"))),
        ["another issuer"] = new(401, s => s.Token(("iss", "https://evil.example"))),
        ["no issuer"] = new(401, s => s.Token(("iss", null))),
        ["the issuer with a slash behind it"] = new(401, s => s.Token(("iss", s.Issuer + "/"))),
        ["algorithm none, no signature"] = new(401, s => s.Parts(h => h["alg"] = "none") + "."),
        ["algorithm NONE, with a signature"] = new(401, s => s.Token(h => h["alg"] = "NONE")),
        ["no algorithm"] = new(401, s => s.Token(h => h.Remove("alg"))),
        ["HS256 with the public key"] = new(401, s => Hs256(s, s.PublicKey)),
        ["HS256 with an empty key"] = new(401, s => Hs256(s, "")),
        ["RS384 in the header only"] = new(401, s => s.Token(h => h["alg"] = "RS384")),
        ["a key id that nobody knows"] = new(401, s => s.Token(h => h["kid"] = "other")),
        ["a key id that is a path"] = new(401, s => s.Token(h => h["kid"] = "../../dev/null")),
        ["no key id, signed by another key"] = new(401, s => Foreign(s, h => h.Remove("kid"))),
        ["the right key id, signed by another key"] = new(401, s => Foreign(s, null)),
        ["a key that the token brings"] = new(401, s => Foreign(s, h => h["jwk"] = new System.Text.Json.Nodes.JsonObject { ["kty"] = "RSA", ["n"] = "AQAB", ["e"] = "AQAB" })),
        ["a key address that the token brings"] = new(401, s => Foreign(s, h => h["jku"] = "http://127.0.0.1:9/keys")),
        ["truncated signature"] = new(401, s => s.Token()[..^20]),
        ["no signature"] = new(401, s => s.Parts(null) + "."),
        ["two parts"] = new(401, s => s.Parts(null)),
        ["four parts"] = new(401, s => s.Token() + ".x"),
        ["an encrypted token's five parts"] = new(401, s => s.Token() + ".x.x"),
        ["replaced claims"] = new(401, s => Replaced(s)),
        ["the signature of another token"] = new(401, s => $"{s.Parts(null, ("tid", "b"))}.{s.Token().Split('.')[2]}"),
        ["not base64"] = new(401, s => s.Token().Replace('.', '!')),
        ["oversized"] = new(401, s => s.Token(("padding", new string('x', 20_000)))),
        ["a claim twice"] = new(401, s => s.Token(payload => payload[..^1] + ",\"tid\":\"b\"}")),
        ["an ID token"] = new(401, s => s.Token(("nonce", "n"))),
        ["nobody's"] = new(401, s => s.Token(("sub", null))),
        ["two headers"] = new(401, s => s.Token(), Change: (r, s) => r.Headers.TryAddWithoutValidation("Authorization", $"Bearer {s.Token(("tid", "b"))}")),
        ["two tokens in a header"] = new(401, _ => null, Change: (r, s) => r.Headers.TryAddWithoutValidation("Authorization", $"Bearer {s.Token()}, Bearer {s.Token(("tid", "b"))}")),
        ["in the query string"] = new(401, _ => null, Change: (r, s) => r.RequestUri = new($"api/queries/mine?access_token={s.Token()}", UriKind.Relative)),
        ["in the body"] = new(401, _ => null, Method: "POST", Json: """{"access_token":"x"}"""),
        ["in a cookie"] = new(401, _ => null, Change: (r, s) => r.Headers.TryAddWithoutValidation("Cookie", $"access_token={s.Token()}")),
        ["in another header"] = new(401, _ => null, Change: (r, s) => r.Headers.TryAddWithoutValidation("X-MS-TOKEN-AAD-ACCESS-TOKEN", s.Token())),
        ["what the platform would say of the caller"] = new(401, _ => null, Change: (r, _) => Principal(r)),
        ["a function key instead"] = new(401, _ => null, Change: (r, _) => r.Headers.TryAddWithoutValidation("x-functions-key", "key")),
        // The rule.
        ["the right role"] = new(200, s => s.Token(), "api/queries/readers"),
        ["the wrong role"] = new(403, s => s.Token(), "api/queries/admins"),
        ["no roles"] = new(403, s => s.Token(("roles", null)), "api/queries/readers"),
        ["the role in capitals"] = new(403, s => s.Token(("roles", new[] { "READER" })), "api/queries/readers"),
        ["a role that holds the name"] = new(403, s => s.Token(("roles", "reader,admin")), "api/queries/admins"),
        ["a role of the platform's header"] = new(403, s => s.Token(), "api/queries/admins", Change: (r, _) => Principal(r)),
        ["the role as a scope"] = new(403, s => s.Token(("scp", "admin")), "api/queries/admins"),
        ["the wrong scope"] = new(403, s => s.Token(), "api/queries/writers"),
        ["the right scope among others"] = new(200, s => s.Token(("scp", "data.read data.write")), "api/queries/writers"),
        ["a load of others"] = new(403, s => s.Token(), "api/loads/theirs", "POST"),
        ["the runs of a load of others"] = new(403, s => s.Token(), "api/loads/theirs/runs"),
        ["the runs of all tenants"] = new(403, s => s.Token(), "api/loads/tenants/runs"),
        ["a method first"] = new(403, s => s.Token(), "api/queries/admins", "DELETE"),
        // The tenant.
        ["a tenant in the query string"] = new(400, s => s.Token(), "api/queries/mine?tenant=b"),
        ["one's own tenant in the query string"] = new(400, s => s.Token(), "api/queries/mine?tenant=a"),
        ["two tenants in the query string"] = new(400, s => s.Token(), "api/queries/mine?tenant=a&tenant=b"),
        ["the tenant in capitals"] = new(400, s => s.Token(), "api/queries/mine?TENANT=b"),
        ["a tenant in the body"] = new(400, s => s.Token(), Method: "POST", Json: """{"tenant":"b"}"""),
        ["no tenant in the body"] = new(400, s => s.Token(), Method: "POST", Json: """{"tenant":null}"""),
        ["a tenant in a header"] = new(200, s => s.Token(), Change: (r, _) => r.Headers.TryAddWithoutValidation("tenant", "b")),
        ["a tenant for a load"] = new(400, s => s.Token(), "api/loads/tenants?tenant=b", "POST"),
        ["no tenant in the token"] = new(403, s => s.Token(("tid", null))),
        ["two tenants in the token"] = new(403, s => s.Token(("tid", new[] { "a", "b" }))),
        ["a tenant that is a number"] = new(403, s => s.Token(("tid", 1))),
        ["a tenant with SQL in it"] = new(200, s => s.Token(("tid", "' OR true --"))),
        ["a claim that does not fit its type"] = new(403, s => s.Token(("groups", new[] { "x" })), "api/queries/groups"),
        // Other ways in.
        ["HEAD without a token"] = new(401, _ => null, Method: "HEAD"),
        ["HEAD"] = new(200, s => s.Token(), Method: "HEAD"),
        ["a preflight of another site"] = new(401, _ => null, Method: "OPTIONS", Change: (r, _) => Preflight(r, "https://evil.example")),
        ["a preflight of a site that may"] = new(204, _ => null, Method: "OPTIONS", Change: (r, _) => Preflight(r, "https://www.example.com")),
        ["the catalog"] = new(401, _ => null, "api/queries"),
        ["the loads"] = new(401, _ => null, "api/loads"),
        ["a load"] = new(401, _ => null, "api/loads/tenants", "POST"),
        ["the OpenAPI document"] = new(401, _ => null, "api/openapi.json"),
        ["MCP"] = new(401, _ => null, "api/mcp", "POST", """{"jsonrpc":"2.0","id":1,"method":"tools/list"}"""),
        ["a query that does not exist"] = new(401, _ => null, "api/queries/nope"),
        ["events with a token that does not hold"] = new(401, s => s.Token(("exp", Now - 600)), "api/events/storage", "POST", "[]"),
        ["events of a load that the token may not run"] = new(400, s => s.Token(), "api/events/storage", "POST", Blob),
        // Open as they were.
        ["health"] = new(200, _ => null, "api/health"),
        ["the page"] = new(200, _ => null, "api/docs"),
        ["a webhook without its secret"] = new(401, s => s.Token(), "api/ingest/hook", "POST", """{"n":1}"""),
        ["a webhook"] = new(200, _ => null, "api/ingest/hook", "POST", """{"n":1}""", (r, _) => r.Headers.TryAddWithoutValidation("X-Secret", "a-secret-of-the-hook")),
    };

    internal const string Blob = """[{"id":"1","source":"/s","specversion":"1.0","type":"Microsoft.Storage.BlobCreated","subject":"/blobServices/default/containers/in/blobs/x.csv","time":"2026-01-01T00:00:00Z","data":{"api":"PutBlob","eTag":"0x1","contentLength":3,"url":"https://account.blob.core.windows.net/in/x.csv"}}]""";

    public static TheoryData<string> Names() => [.. Attempts.Keys];

    [Fact]
    public void There_are_sixty_attempts_at_least() => Assert.InRange(Attempts.Count, 60, 200);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Each_attempt_has_its_answer(string name)
    {
        var attempt = Attempts[name];
        using var response = await app.SendAsync(attempt.Method, attempt.Path, attempt.Token(app.Issuer), attempt.Json, request => attempt.Change?.Invoke(request, app.Issuer));
        var body = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == attempt.Status, $"{name}: expected {attempt.Status}, got {(int)response.StatusCode}: {body}");
        Assert.DoesNotContain("\"tenant\":\"b\"", body, StringComparison.Ordinal);
        Assert.DoesNotContain("\"tenant\":\"c\"", body, StringComparison.Ordinal);
        if (attempt.Status is 401 && !attempt.Path.Contains("ingest", StringComparison.Ordinal))
            Assert.Equal("Bearer", response.Headers.WwwAuthenticate.First().Scheme);
        if (attempt.Status is 400 or 401 or 403 && attempt.Method != "HEAD")
            await response.ProblemAsync(attempt.Status);
        if (attempt is { Status: 200, Path: "api/queries/mine", Method: "GET" })
            Assert.Equal(name.Contains("SQL", StringComparison.Ordinal) ? "[]" : """[{"tenant":"a","n":1},{"tenant":"a","n":2}]""", body);
    }

    [Fact]
    public async Task No_attempt_leaves_a_token_in_the_log()
    {
        foreach (var token in (string[])[app.Issuer.Token(), app.Issuer.Token(("aud", "other")), Replaced(app.Issuer), app.Issuer.Token(("exp", 1)), app.Issuer.Token(h => h["kid"] = "unknown")])
        {
            using var response = await app.SendAsync("GET", "api/queries/open", token);
            Assert.DoesNotContain(app.App.Logs.All, line => token.Split('.').Any(part => part.Length > 40 && line.Contains(part, StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task A_refusal_says_what_is_missing()
    {
        using var role = await app.SendAsync("GET", "api/queries/admins", app.Issuer.Token());
        Assert.Equal("To run query admins a token needs one of the roles admin.", (await role.ProblemAsync(403)).GetProperty("detail").GetString());
        using var scope = await app.SendAsync("GET", "api/queries/writers", app.Issuer.Token());
        Assert.Equal("error=\"insufficient_scope\", scope=\"data.write\"", scope.Headers.WwwAuthenticate.Single().Parameter);
        using var claim = await app.SendAsync("GET", "api/queries/mine", app.Issuer.Token(("tid", null)));
        Assert.Contains("no claim 'tid'", (await claim.ProblemAsync(403)).GetProperty("detail").GetString(), StringComparison.Ordinal);
        using var given = await app.SendAsync("GET", "api/queries/mine?tenant=b", app.Issuer.Token());
        Assert.Equal("'tenant' comes from the caller's token, and is not given.", (await given.ProblemAsync(400)).GetProperty("detail").GetString());
    }

    private static Attempt Header(string header) => new(401, _ => null, Change: (request, _) => request.Headers.TryAddWithoutValidation("Authorization", header));

    private static string Hs256(TokenServer server, string secret)
    {
        var parts = server.Parts(h => h["alg"] = "HS256");
        return $"{parts}.{System.Buffers.Text.Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.ASCII.GetBytes(parts)))}";
    }

    private static string Foreign(TokenServer server, Action<System.Text.Json.Nodes.JsonObject>? header)
    {
        using var key = RSA.Create(2048);
        var parts = server.Parts(header);
        return $"{parts}.{System.Buffers.Text.Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(parts), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
    }

    private static string Replaced(TokenServer server)
    {
        var parts = server.Token().Split('.');
        var claims = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(System.Buffers.Text.Base64Url.DecodeFromChars(parts[1]))!;
        claims["tid"] = JsonSerializer.SerializeToElement("b");
        return $"{parts[0]}.{TokenServer.Encode(claims)}.{parts[2]}";
    }

    private static void Principal(HttpRequestMessage request)
    {
        var principal = new { auth_typ = "aad", claims = new[] { new { typ = "roles", val = "admin" }, new { typ = "tid", val = "b" } }, name_typ = "name", role_typ = "roles" };
        request.Headers.TryAddWithoutValidation("X-MS-CLIENT-PRINCIPAL", Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(principal)));
        request.Headers.TryAddWithoutValidation("X-MS-CLIENT-PRINCIPAL-ID", "ann");
    }

    private static void Preflight(HttpRequestMessage request, string origin)
    {
        request.Headers.TryAddWithoutValidation("Origin", origin);
        request.Headers.TryAddWithoutValidation("Access-Control-Request-Method", "GET");
        request.Headers.TryAddWithoutValidation("Access-Control-Request-Headers", "authorization");
    }
}
