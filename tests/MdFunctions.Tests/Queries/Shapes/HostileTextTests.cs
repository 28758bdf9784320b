using System.Text.Json;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Queries.Shapes;

/// <summary>A text that looks like a number, a keyword or JSON stays a text, wherever a statement puts it.</summary>
public sealed class HostileTextTests(HostileTextTests.App app) : IClassFixture<HostileTextTests.App>
{
    public sealed class App : IAsyncLifetime
    {
        public LocalApp Local { get; private set; } = null!;

        public async Task InitializeAsync() => Local = await LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["queries/text.sql"] = """
                /*
                parameters:
                  x: { type: varchar, optional: true }
                  xs: { type: "varchar[]", default: [] }
                */
                SELECT $x AS plain, {'a': $x, 'n': {'b': [$x]}} AS nested, map([$x], [$x]) AS keyed, coalesce($x, 'none') AS otherwise, [NULL, $x] AS listed,
                  CASE WHEN true THEN $x END AS chosen, list_sort($xs) AS sorted, list_transform($xs, lambda e: e || '') AS transformed, array_agg($x) OVER () AS gathered,
                  max($x) OVER () AS greatest, to_json({'a': $x}) AS json
                """,
            ["queries/rows.sql"] = "/*\nparameters:\n  x: { type: varchar, optional: true }\n  xs: { type: \"varchar[]\" }\n*/\nSELECT unnest($xs) AS v UNION ALL SELECT $x",
            ["queries/pivoted.sql"] = "/*\nparameters:\n  x: { type: varchar, optional: true }\n*/\nSELECT * FROM (PIVOT (SELECT $x AS v, 'k' AS k) ON k IN ('k') USING first(v))",
        });

        public Task DisposeAsync() => Local.DisposeAsync().AsTask();
    }

    [Theory]
    [InlineData("NaN")]
    [InlineData("-Infinity")]
    [InlineData("1e5")]
    [InlineData("007")]
    [InlineData("null")]
    [InlineData("true")]
    [InlineData("")]
    [InlineData("0,\"admin\":true,\"x\":0")]
    [InlineData("[1]")]
    [InlineData("\\N")]
    [InlineData(" \u2028'\n")]
    public async Task It_is_the_same_text_in_every_place(string text)
    {
        var x = Uri.EscapeDataString(text);
        foreach (var format in (string[])["json", "ndjson"])
        {
            var body = await app.Local.Client.GetStringAsync($"/api/queries/text?format={format}&x={x}&xs={x}");
            var row = format == "json" ? Assert.Single(JsonDocument.Parse(body).RootElement.EnumerateArray()) : JsonDocument.Parse(body).RootElement;
            string[] found =
            [
                Text(row.GetProperty("plain")), Text(row.GetProperty("nested").GetProperty("a")), Text(row.GetProperty("nested").GetProperty("n").GetProperty("b")[0]),
                Assert.Single(row.GetProperty("keyed").EnumerateObject()).Name, Text(Assert.Single(row.GetProperty("keyed").EnumerateObject()).Value),
                Text(row.GetProperty("otherwise")), Text(row.GetProperty("listed")[1]), Text(row.GetProperty("chosen")), Text(row.GetProperty("sorted")[0]),
                Text(row.GetProperty("transformed")[0]), Text(row.GetProperty("gathered")[0]), Text(row.GetProperty("greatest")), Text(row.GetProperty("json").GetProperty("a")),
            ];
            Assert.All(found, one => Assert.Equal(text, one));
        }
        Assert.Equal([text, text], (await app.Local.GetJsonAsync($"/api/queries/rows?x={x}&xs={x}")).EnumerateArray().Select(row => Text(row.GetProperty("v"))));
        Assert.Equal([text], (await app.Local.GetJsonAsync($"/api/queries/pivoted?x={x}")).EnumerateArray().Select(row => Text(row.GetProperty("k"))));
    }

    [Fact]
    public async Task A_time_with_too_many_digits_is_refused_and_told_which_type_takes_them()
    {
        await using var local = await LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["queries/at.sql"] = "/*\nparameters:\n  t: { type: timestamptz, optional: true }\n  ns: { type: timestamp_ns, optional: true }\n*/\nSELECT $t AS t, $ns AS ns",
        });
        using var response = await local.Client.GetAsync("/api/queries/at?t=2022-04-25T19:13:00.1522383Z");
        Assert.Contains("TIMESTAMP_NS takes up to nine digits", (await response.ProblemAsync(400)).GetRawText(), StringComparison.Ordinal);
        Assert.Equal("2022-04-25T19:13:00.1522383", (await local.GetJsonAsync("/api/queries/at?ns=2022-04-25T19:13:00.1522383Z"))[0].GetProperty("ns").GetString());
    }

    private static string Text(JsonElement value)
    {
        Assert.Equal(JsonValueKind.String, value.ValueKind);
        return value.GetString()!;
    }
}
