using MdFunctions.Engine;
using MdFunctions.Engine.Ingest;
using MdFunctions.Engine.Templates;
using Microsoft.Extensions.Configuration;

namespace MdFunctions.Tests.Ingest;

public sealed class IngestTemplateTests
{
    private const string Good = """
        /*
        target: my_db.main.t
        signature: { scheme: github, secret: S }
        columns:
          a: INTEGER
        */
        SELECT * FROM body
        """;

    [Fact]
    public void A_small_file_is_enough()
    {
        var (ingest, faults) = Read(Good);
        Assert.Empty(faults);
        Assert.Equal((10 * 1024 * 1024, 100_000, 64, TimeSpan.FromSeconds(30), false, false), (ingest.MaxBytes, ingest.MaxRows, ingest.MaxDepth, ingest.Timeout, ingest.SkipsMisfits, ingest.HasId));
    }

    [Theory]
    [InlineData("signature: { scheme: github, secret: S }", "", "'signature' is missing")]
    [InlineData("signature: { scheme: github, secret: S }", "signature: none", "'signature' is not a mapping")]
    [InlineData("scheme: github", "scheme: none", "expected one of github, meta, shopify")]
    [InlineData("scheme: github, secret: S", "secret: S", "'scheme' is missing")]
    [InlineData("scheme: github, secret: S", "scheme: github", "'secret' is not a secret's name")]
    [InlineData("secret: S", "secret: not_a_vault_name", "'secret' is not a secret's name")]
    [InlineData("scheme: github", "scheme: header", "'header' is not a header's name")]
    [InlineData("secret: S", "secret: S, header: X-Y", "has its own headers")]
    [InlineData("secret: S", "secret: S, verify: no", "a signature has no 'verify'")]
    [InlineData("secret: S", "secret: S, tolerance: 1m", "has no timestamp that 'tolerance' could bound")]
    [InlineData("secret: S", "secret: S, prefix: v1=", "'prefix' belongs to the scheme hmac")]
    [InlineData("scheme: github", "scheme: hmac", "'header' is not a header's name")]
    [InlineData("scheme: github", "scheme: hmac, header: X-S, algorithm: md5", "'algorithm' is not one of sha256, sha1, sha512")]
    [InlineData("scheme: github", "scheme: hmac, header: X-S, signed: '{timestamp}.'", "expected {body} once")]
    [InlineData("scheme: github", "scheme: hmac, header: X-S, signed: '{bodies}'", "expected {body} once")]
    [InlineData("scheme: github", "scheme: hmac, header: X-S, signed: '{timestamp}.{body}'", "'timestamp' does not say where it stands")]
    [InlineData("scheme: github", "scheme: hmac, header: X-S, timestamp: header.X-T", "one that is not signed protects from nothing")]
    [InlineData("scheme: github", "scheme: hmac, header: X-S, signed: '{timestamp}.{body}', timestamp: field.t", "'separator' does not say")]
    [InlineData("scheme: github", "scheme: hmac, header: X-S, signed: '{timestamp}.{body}', timestamp: X-T", "expected header.NAME, or field.NAME")]
    [InlineData("scheme: github", "scheme: hmac, header: X-S, tolerance: 1m", "there is no 'timestamp'")]
    [InlineData("scheme: github", "scheme: twilio", "the setting PublicUrl has to say")]
    [InlineData("scheme: github", "scheme: field, field: header.x", "expected query.NAME or body.NAME")]
    [InlineData("secret: S", "secret: S, field: body.x", "'field' belongs to the scheme field")]
    [InlineData("target:", "handshake: teams\ntarget:", "'handshake' is not one of slack, graph, meta")]
    [InlineData("target:", "handshake: meta\ntarget:", "the name of the verify token's secret")]
    [InlineData("target:", "handshake: { scheme: slack, secret: T }\ntarget:", "the handshake slack compares no secret")]
    [InlineData("target:", "handshake: { echo: header.x }\ntarget:", "expected query.NAME or body.NAME")]
    [InlineData("target:", "handshake: { echo: body.c, method: GET }\ntarget:", "the handshake is a POST that is signed")]
    [InlineData("target:", "handshake: { echo: query.c, token: query.t }\ntarget:", "'token' and 'secret' belong together")]
    [InlineData("target:", "handshake: { echo: query.c, when: query.mode }\ntarget:", "expected a place and its value")]
    [InlineData("target:", "handshake: { echo: query.c, when: body.mode=x }\ntarget:", "expected query.NAME")]
    [InlineData("target:", "id: body.\ntarget:", "expected query.NAME or body.NAME")]
    [InlineData("target:", "keepDeliveries: 1h\ntarget:", "'keepDeliveries' is not a duration from 1d to 3650d")]
    [InlineData("target:", "contentType: text/xml\ntarget:", "the media type under which the sender sends JSON")]
    [InlineData("target: my_db.main.t", "target: t", "'target' is not a table's full name")]
    [InlineData("  a: INTEGER", "  a: INTEGERS", "column 'a' has type 'INTEGERS'")]
    [InlineData("  a: INTEGER", "  a: INTEGER); DROP TABLE t; --", "column 'a' has type")]
    [InlineData("  a: INTEGER", "  a: STRUCT(b INTEGER, B INTEGER)", "column 'a' has type")]
    [InlineData("  a: INTEGER", "  a: STRUCT()", "column 'a' has type")]
    [InlineData("  a: INTEGER", "  a: INTEGER\n  A: INTEGER", "one name but for upper and lower case")]
    [InlineData("columns:\n  a: INTEGER\n", "", "'columns' is missing")]
    [InlineData("target:", "id: $delivery\ntarget:", "'id' is '$delivery'")]
    [InlineData("target:", "onError: ignore\ntarget:", "'onError' is not one of reject, skip")]
    [InlineData("target:", "unknownKeys: keep\ntarget:", "'unknownKeys' is not one of drop, refuse")]
    [InlineData("target:", "maxBytes: 100000000\ntarget:", "'maxBytes' is not a whole number from 1 to 26214400")]
    [InlineData("target:", "depth: 3\ntarget:", "an ingest has no 'depth'")]
    [InlineData("target:", "parameters: { p: { type: integer } }\ntarget:", "an ingest has no parameters")]
    [InlineData("SELECT * FROM body", "SELECT 1 AS a", "does not read 'body'")]
    [InlineData("SELECT * FROM body", "SELECT $since FROM body", "$since is not declared")]
    [InlineData("SELECT * FROM body", "DELETE FROM body", "starts with 'DELETE'")]
    public void What_is_wrong_with_a_file_is_said_with_its_line(string replace, string with, string fault)
    {
        var (_, faults) = Read(Good.Replace(replace, with, StringComparison.Ordinal));
        Assert.Contains(faults, line => line.StartsWith("ingest/x.sql:", StringComparison.Ordinal) && line.Contains(fault, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("decimal(18, 2)", "DECIMAL(18,2)")]
    [InlineData("timestamp with time zone not null", "TIMESTAMPTZ")]
    [InlineData("STRUCT(\"a b\" INT, c STRUCT(d text[])[])[]", "STRUCT(\"a b\" INTEGER, \"c\" STRUCT(\"d\" VARCHAR[])[])[]")]
    [InlineData("json", "JSON")]
    public void Types_are_DuckDBs(string text, string sql) => Assert.Equal(sql, ColumnType.Parse(text)?.Sql);

    [Theory]
    [InlineData("")]
    [InlineData("INTEGER INTEGER")]
    [InlineData("INTEGER[")]
    [InlineData("INTEGER[3]")]
    [InlineData("STRUCT(a)")]
    [InlineData("STRUCT(a INTEGER")]
    [InlineData("STRUCT(a INTEGER,)")]
    [InlineData("STRUCT(1a INTEGER)")]
    [InlineData("DECIMAL(39,2)")]
    [InlineData("INTEGER NOT")]
    [InlineData("INTEGER; SELECT 1")]
    [InlineData("'INTEGER'")]
    [InlineData("MAP(VARCHAR, INTEGER)")]
    public void What_is_no_type_of_a_column_is_refused(string text) => Assert.Null(ColumnType.Parse(text));

    [Fact]
    public void Standard_Webhooks_bring_their_id_along() =>
        Assert.Equal(["webhook-id", "svix-id"], Read(Good.Replace("github", "standard-webhooks", StringComparison.Ordinal)).Ingest.IdHeaders);

    [Fact]
    public void Headers_are_parameters_each_bound_once()
    {
        var (ingest, faults) = Read(Good.Replace("SELECT *", "SELECT *, $header_x_github_event AS e, $header_X_GitHub_Event AS f, $header_user_agent AS g", StringComparison.Ordinal));
        Assert.Empty(faults);
        Assert.Equal(["x-github-event", "user-agent"], ingest.Headers);
        Assert.Contains("(SELECT CAST($2 AS VARCHAR)) AS e, (SELECT CAST($2 AS VARCHAR)) AS f, (SELECT CAST($3 AS VARCHAR)) AS g", ingest.Select("$1"), StringComparison.Ordinal);
    }

    private static (IngestTemplate Ingest, IReadOnlyList<string> Faults) Read(string text)
    {
        var file = SqlFile.Parse("ingest/x.sql", "x", text);
        return (IngestTemplate.Read(file, new Settings(new ConfigurationBuilder().Build())), file.Faults);
    }
}
