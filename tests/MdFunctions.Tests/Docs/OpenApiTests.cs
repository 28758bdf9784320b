using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using MdFunctions.Tests.Infrastructure;
using Microsoft.OpenApi;

namespace MdFunctions.Tests.Docs;

/// <summary>The OpenAPI document: valid, the same at each start, and true.</summary>
public sealed partial class OpenApiTests
{
    private const string AllTypes = """
        /*
        parameters:
          a_boolean: { type: boolean, default: True }
          a_tinyint: { type: tinyint, default: 007 }
          a_smallint: { type: smallint, minimum: -5 }
          an_integer: { type: integer, enum: [1, 2] }
          a_bigint: { type: bigint, optional: true }
          a_hugeint: { type: hugeint, maximum: 170141183460469231731687303715884105727, optional: true }
          a_ubigint: { type: ubigint, optional: true }
          a_float: { type: float, default: NaN }
          a_double: { type: double, default: .5 }
          a_decimal: { type: "decimal(38,10)", default: "1.10" }
          a_varchar: { type: varchar, pattern: "[a-z]+", maxLength: 9, optional: true }
          a_blob: { type: blob, optional: true }
          a_date: { type: date, minimum: 2020-01-01, optional: true }
          a_time: { type: time, optional: true }
          a_timetz: { type: timetz, optional: true }
          a_timestamp: { type: timestamp, optional: true }
          a_timestamptz: { type: timestamptz, optional: true }
          an_interval: { type: interval, optional: true }
          a_uuid: { type: uuid, optional: true }
          a_json: { type: json, optional: true }
          a_bit: { type: bit, optional: true }
          a_list: { type: "integer[]", default: [1, 2], maxLength: 3 }
          dates: { type: "date[]", optional: true }
        */
        SELECT $a_boolean AS a, $a_tinyint AS b, $a_smallint AS c, $an_integer AS d, $a_bigint AS e, $a_hugeint AS f, $a_ubigint AS g, $a_float AS h, $a_double AS i,
          $a_decimal AS j, $a_varchar AS k, $a_blob AS l, $a_date AS m, $a_time AS n, $a_timetz AS o, $a_timestamp AS p, $a_timestamptz AS q, $an_interval AS r,
          $a_uuid AS s, $a_json AS t, $a_bit AS u, $a_list AS v, $dates AS w, {'x': 1, 'y': [2.5::DECIMAL(4,2)]} AS z
        """;

    private static readonly Dictionary<string, string> Files = new()
    {
        ["queries/all_types.sql"] = AllTypes,
        ["queries/limited.sql"] = "/*\nsummary: Limited\ndescription: At most two rows.\nmaxRows: 2\ncache: 1m\n*/\nSELECT 1 AS n, 'a' AS \"two words\"",
        ["queries/no-table-yet.sql"] = "SELECT * FROM my_db.main.a_table_that_is_not_there",
        ["loads/some.sql"] = "/*\ntarget: my_db.main.openapi\nmode: merge\nkeys: id\nschedule: daily\nparameters:\n  since: { type: date, default: 2026-01-01 }\n*/\nSELECT 1 AS id, $since AS since",
        ["ingest/rows.sql"] = "/*\ntarget: my_db.main.rows\nsignature: { scheme: standard-webhooks, secret: s }\ncolumns:\n  id: BIGINT NOT NULL\n  inner: STRUCT(a VARCHAR, b DOUBLE[])\n  more: JSON\n*/\nSELECT * FROM body",
        ["ingest/plain.sql"] = "/*\ntarget: my_db.main.plain\nsignature: { scheme: header, secret: s, header: X-Secret }\ncolumns: { id: BIGINT }\n*/\nSELECT * FROM body",
    };

    [Fact]
    public async Task The_document_is_valid_and_the_same_at_each_start()
    {
        var first = await DocumentAsync();
        Assert.Equal(first, await DocumentAsync());
        var (document, diagnostic) = await OpenApiDocument.LoadAsync(new MemoryStream(first), "json");
        Assert.Empty(diagnostic!.Errors);
        Assert.Empty(diagnostic.Warnings);
        Assert.Equal(OpenApiSpecVersion.OpenApi3_1, diagnostic.SpecificationVersion);
        // Strict readers want each operation to have a name of its own.
        var ids = document!.Paths.Values.SelectMany(path => path.Operations!.Values).Select(operation => operation.OperationId).ToList();
        Assert.Equal(ids.Distinct(), ids);
        Assert.All(ids, id => Assert.NotNull(id));
    }

    [Fact]
    public async Task Parameters_have_types_bounds_choices_and_defaults()
    {
        var parameters = JsonDocument.Parse(await DocumentAsync()).RootElement.GetProperty("paths").GetProperty("/api/queries/all_types").GetProperty("get").GetProperty("parameters")
            .EnumerateArray().ToDictionary(parameter => parameter.GetProperty("name").GetString()!, parameter => parameter);
        Assert.Equal("true", Schema("a_boolean").GetProperty("default").GetRawText());
        Assert.Equal("7", Schema("a_tinyint").GetProperty("default").GetRawText());
        Assert.True(parameters["a_smallint"].GetProperty("required").GetBoolean());
        Assert.Equal("-5", Schema("a_smallint").GetProperty("minimum").GetRawText());
        Assert.Equal("[1,2]", string.Concat(Schema("an_integer").GetProperty("enum").GetRawText().Where(c => !char.IsWhiteSpace(c))));
        Assert.Equal("170141183460469231731687303715884105727", Schema("a_hugeint").GetProperty("maximum").GetRawText());
        Assert.Equal("0.5", Schema("a_double").GetProperty("default").GetRawText());
        Assert.Equal("^(?:[a-z]+)$", Schema("a_varchar").GetProperty("pattern").GetString());
        Assert.Equal("date", Schema("a_date").GetProperty("format").GetString());
        Assert.Contains("at least 2020-01-01", Schema("a_date").GetProperty("description").GetString(), StringComparison.Ordinal);
        Assert.Equal("3", Schema("a_list").GetProperty("maxItems").GetRawText());
        Assert.Equal("integer", Schema("a_list").GetProperty("items").GetProperty("type").GetString());
        Assert.False(parameters["a_list"].TryGetProperty("required", out var required) && required.GetBoolean());

        JsonElement Schema(string name) => parameters[name].GetProperty("schema");
    }

    [Fact]
    public async Task Answers_have_their_columns_where_they_can_be_known()
    {
        var paths = JsonDocument.Parse(await DocumentAsync()).RootElement.GetProperty("paths");
        var limited = Row("limited");
        Assert.Equal(["n", "two words"], limited.GetProperty("properties").EnumerateObject().Select(column => column.Name));
        Assert.False(Row("no-table-yet").TryGetProperty("properties", out _));
        Assert.Equal("INTEGER", limited.GetProperty("properties").GetProperty("n").GetProperty("x-duckdb-type").GetString());
        var answer = paths.GetProperty("/api/queries/limited").GetProperty("get").GetProperty("responses");
        Assert.True(answer.TryGetProperty("304", out _));
        Assert.Equal(["ETag", "Result-Truncated"], answer.GetProperty("200").GetProperty("headers").EnumerateObject().Select(header => header.Name).Order(StringComparer.Ordinal));
        Assert.Empty(paths.GetProperty("/api/ingest/rows").GetProperty("post").GetProperty("security").EnumerateArray());

        JsonElement Row(string query) => paths.GetProperty($"/api/queries/{query}").GetProperty("get").GetProperty("responses").GetProperty("200")
            .GetProperty("content").GetProperty("application/json").GetProperty("schema").GetProperty("items");
    }

    [Fact]
    public async Task Every_route_of_the_app_is_in_the_document_and_every_path_of_it_is_a_route()
    {
        var paths = JsonDocument.Parse(await DocumentAsync()).RootElement.GetProperty("paths").EnumerateObject().Select(path => path.Name).ToList();
        var routes = AppRoutes.Read().Select(route => new Regex($"^/api/{RouteParameter().Replace(route, "[^/]+")}$")).ToList();
        Assert.All(paths, path => Assert.Contains(routes, route => route.IsMatch(path)));
        // The sample is a function written by hand, of which the engine knows nothing.
        Assert.All(routes.Where(route => !route.ToString().Contains("/samples/", StringComparison.Ordinal)), route => Assert.Contains(paths, path => route.IsMatch(path)));
    }

    [Fact]
    public async Task What_a_caller_writes_into_headers_gets_into_no_link()
    {
        // The Functions host overwrites them with what it knows itself.
        await using var app = await LocalApp.StartAsync(Files);
        foreach (var path in (string[])["api/openapi.json?columns=false", "api/queries"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Add("X-Forwarded-Proto", "https");
            request.Headers.Add("X-Forwarded-Host", "evil.example");
            using var response = await app.Client.SendAsync(request);
            var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
            var url = path.EndsWith("queries", StringComparison.Ordinal) ? json[0].GetProperty("url").GetString() : json.GetProperty("servers")[0].GetProperty("url").GetString();
            Assert.StartsWith(app.Client.BaseAddress!.ToString().TrimEnd('/'), url, StringComparison.Ordinal);
            Assert.True(response.Headers.CacheControl?.NoStore);
        }
    }

    [Fact]
    public async Task A_public_url_in_the_settings_wins_over_what_a_request_says()
    {
        await using var app = await LocalApp.StartAsync(Files, new Dictionary<string, string?> { ["PublicUrl"] = "https://data.example.com/v1/" });
        using var request = new HttpRequestMessage(HttpMethod.Get, "api/queries");
        request.Headers.Add("X-Forwarded-Host", "evil.example");
        using var response = await app.Client.SendAsync(request);
        Assert.Equal("https://data.example.com/v1/api/queries/all_types", JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement[0].GetProperty("url").GetString());
    }

    [Fact]
    public async Task The_document_has_an_etag_and_a_head()
    {
        await using var app = await LocalApp.StartAsync(Files);
        using var whole = await app.Client.GetAsync("api/openapi.json");
        using var conditional = new HttpRequestMessage(HttpMethod.Get, "api/openapi.json");
        conditional.Headers.IfNoneMatch.Add(whole.Headers.ETag!);
        using var known = await app.Client.SendAsync(conditional);
        Assert.Equal(HttpStatusCode.NotModified, known.StatusCode);
        using var head = await app.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "api/openapi.json"));
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Equal(whole.Headers.ETag, head.Headers.ETag);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        using var post = await app.Client.PostAsync("api/openapi.json", null);
        await post.ProblemAsync(405);
    }

    private static async Task<byte[]> DocumentAsync()
    {
        // The port is another at each start.
        await using var app = await LocalApp.StartAsync(Files, new Dictionary<string, string?> { ["PublicUrl"] = "https://app.example.com" });
        using var response = await app.Client.GetAsync("api/openapi.json");
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        return await response.Content.ReadAsByteArrayAsync();
    }

    [GeneratedRegex("\\{[a-z]+\\}")]
    private static partial Regex RouteParameter();
}
