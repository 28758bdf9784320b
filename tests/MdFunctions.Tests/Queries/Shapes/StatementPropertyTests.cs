using System.Globalization;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using MdFunctions.Tests.Infrastructure;
using Npgsql;

namespace MdFunctions.Tests.Queries;

/// <summary>
/// Random statements over random typed parameters: each answer, in each format, says what DuckDB says for the same statement with literals in place of the
/// parameters.
/// </summary>
public sealed class StatementPropertyTests
{
    private const int Statements = 60;

    // A parameter: its type, a value as JSON, and the same value as SQL.
    private sealed record Value(string Type, string Json, string Sql);

    // An expression over parameters $p0, $p1..., and how often a parameter was used so far.
    private sealed record Expression(string Sql, Value[] Values);

    [Fact]
    public async Task Random_statements_answer_what_DuckDB_says()
    {
        var statements = Gen.Sample(Gen.ArrayOf(Columns(), 3), Statements).ToList();
        var files = new Dictionary<string, string>();
        var queries = new List<(string Name, string Body, string Literal)>();
        foreach (var columns in statements)
        {
            var name = $"s{queries.Count}";
            var values = new List<Value>();
            var parameters = new List<string>();
            var literals = new List<string>();
            foreach (var (column, i) in columns.Select((column, i) => (column, i)))
            {
                var (sql, literal) = (column.Sql, column.Sql);
                for (var v = column.Values.Length - 1; v >= 0; v--)
                {
                    sql = sql.Replace($"${v}", $"$p{values.Count + v}", StringComparison.Ordinal);
                    literal = literal.Replace($"${v}", $"CAST({column.Values[v].Sql} AS {column.Values[v].Type})", StringComparison.Ordinal);
                }
                values.AddRange(column.Values);
                parameters.Add($"{sql} AS \"c {i}\"");
                literals.Add($"{literal} AS \"c {i}\"");
            }
            var declared = string.Concat(values.Select((value, i) => $"  p{i}: {{ type: '{value.Type}', optional: true }}\n"));
            files[$"queries/{name}.sql"] = $"/*\nparameters:\n{declared}*/\nSELECT {string.Join(", ", parameters)}";
            queries.Add((name, $"{{{string.Join(",", values.Select((value, i) => $"\"p{i}\":{value.Json}"))}}}", $"SELECT {string.Join(", ", literals)}"));
        }

        await using var app = await LocalApp.StartAsync(files);
        await using var connection = await SharedEndpoint.ConnectAsync();
        foreach (var (name, body, literal) in queries)
        {
            var expected = await ExpectedAsync(connection, literal);
            foreach (var format in (string[])["json", "ndjson", "csv"])
            {
                using var response = await app.Client.PostAsync($"/api/queries/{name}?format={format}", new StringContent(body, Encoding.UTF8, "application/json"));
                var text = await response.Content.ReadAsStringAsync();
                var what = $"{format}\n{files[$"queries/{name}.sql"]}\n{body}\n{literal}\n{text}";
                Assert.True(response.IsSuccessStatusCode, what);
                var got = format == "csv"
                    ? CsvText.Read(text)[1]
                    : JsonSerializer.Deserialize<JsonElement>(format == "json" ? text[1..^1] : text).EnumerateObject().Select(column => Plain(column.Value)).ToList();
                var same = format == "csv" ? expected.Select(Loose).SequenceEqual(got.Select(Loose), StringComparer.Ordinal) : expected.SequenceEqual(got, StringComparer.Ordinal);
                Assert.True(same, $"{what}\nexpected {string.Join(" | ", expected)}\n     got {string.Join(" | ", got)}");
            }
        }
    }

    // DuckDB's own JSON and text of the same statement with literals. Its columns are asked for one by one: what a column is must not depend on its neighbours.
    private static async Task<List<string>> ExpectedAsync(NpgsqlConnection connection, string literal)
    {
        var expected = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            await using var command = new NpgsqlCommand($"SELECT to_json(\"c {i}\")::VARCHAR FROM ({literal})", connection) { AllResultTypesAreUnknown = true };
            var json = (string?)(await command.ExecuteScalarAsync() is string text ? text : null);
            expected.Add(json is null ? "" : Plain(JsonSerializer.Deserialize<JsonElement>(json)));
        }
        return expected;
    }

    // One text for a value in JSON and in CSV; numbers by their value.
    private static string Plain(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Null => "",
        JsonValueKind.String => json.GetString()!,
        JsonValueKind.Number => Number(json.GetRawText()),
        JsonValueKind.True or JsonValueKind.False => json.GetRawText(),
        _ => Canonical(json),
    };

    private static string Canonical(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Array => $"[{string.Join(",", json.EnumerateArray().Select(Canonical))}]",
        JsonValueKind.Object => $"{{{string.Join(",", json.EnumerateObject().Select(member => $"{JsonSerializer.Serialize(member.Name)}:{Canonical(member.Value)}"))}}}",
        JsonValueKind.Number => Number(json.GetRawText()),
        JsonValueKind.String => JsonSerializer.Serialize(json.GetString()),
        _ => json.GetRawText(),
    };

    // Whole numbers have all of their digits, however many there are.
    private static string Number(string text) =>
        text.AsSpan().IndexOfAny("eE.") < 0 ? text
        : text.Length < 28 && text.AsSpan().IndexOfAny('e', 'E') < 0 ? (decimal.Parse(text, CultureInfo.InvariantCulture) / 1.000000000000000000000000000000000m).ToString(CultureInfo.InvariantCulture)
        : double.Parse(text, CultureInfo.InvariantCulture) is var value && value == Math.Floor(value) && Math.Abs(value) < 1e15 ? value.ToString("F0", CultureInfo.InvariantCulture)
        : double.Parse(text, CultureInfo.InvariantCulture).ToString("R", CultureInfo.InvariantCulture);

    // CSV has no types: what looks like a number or like JSON is compared as that.
    private static string Loose(string text)
    {
        if (text == "null")
            return "";
        if (text.Length > 0 && (char.IsAsciiDigit(text[0]) || text[0] == '-') && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _))
            return Number(text);
        if (!text.StartsWith('[') && !text.StartsWith('{'))
            return text;
        try
        {
            return Canonical(JsonSerializer.Deserialize<JsonElement>(text));
        }
        catch (JsonException)
        {
            return text;
        }
    }

    private static Gen<Expression> Columns() => Gen.OneOf(
        OfOne(Scalars(), "$0", "[$0]", "{'a': $0, 'b': [$0]}", "coalesce($0, $0)", "CASE WHEN $0 IS NULL THEN $0 ELSE $0 END", "MAP {'k': $0}", "[$0, NULL]",
            "(SELECT max(x) FROM (VALUES ($0), ($0)) t(x))", "list_value($0, $0)", "(SELECT list(x) FROM (SELECT $0 AS x) t)", "typeof($0)", "(SELECT any_value($0))",
            "$0 IS DISTINCT FROM $0", "nullif($0, $0)", "struct_pack(\"the x\" := $0)", "CAST($0 AS VARCHAR)", "first($0)", "count($0)"),
        OfOne(Numbers(), "abs($0)", "$0 + $0", "sum($0)", "-$0", "$0 * 2", "[$0 + 1]", "avg($0)", "greatest($0, 1)", "round($0::DOUBLE)", "$0 % 7", "min($0)"),
        OfOne(Lists(), "$0", "list_sort($0)", "$0[1]", "$0 || $0", "list_distinct($0[:1])", "list_reverse($0)", "(SELECT max(x) FROM (SELECT unnest($0) AS x) t)", "[$0]", "len($0)",
            "to_json($0)", "list_transform($0, lambda x: [x])", "list_contains($0, $0[1])", "flatten([$0, $0])", "{'l': $0}", "MAP {'l': $0}", "array_to_string($0, ',')"),
        OfOne(Jsons(), "$0", "$0->'a'", "$0->>'a'", "from_json($0, '{\"a\":\"BIGINT\",\"b\":[\"VARCHAR\"]}')", "json_extract($0, '$.b')", "[$0]", "json_type($0)",
            "(SELECT r.a FROM (SELECT from_json($0, '{\"a\":\"BIGINT\",\"b\":[\"VARCHAR\"]}') AS r))", "CAST($0->'b' AS VARCHAR[])"),
        OfOne(Texts(), "upper($0)", "$0 || 'x'", "length($0)", "string_split($0, ',')", "[$0, upper($0)]", "substring($0 FROM 2)", "$0 = 'a'", "list_sort(string_split($0, ','))"));

    private static Gen<Expression> OfOne(Gen<Value> values, params string[] forms) =>
        from value in values
        from isNull in Gen.Frequency((8, Gen.Constant(false)), (1, Gen.Constant(true)))
        from form in Gen.Elements(forms)
        select new Expression(form, [isNull && !form.StartsWith("MAP", StringComparison.Ordinal) ? value with { Json = "null", Sql = "NULL" } : value]);

    private static Gen<Value> Scalars() => Gen.OneOf(Numbers(), Texts(), Gen.Elements(
        new Value("boolean", "true", "true"), new("date", "\"2024-02-29\"", "'2024-02-29'"), new("time", "\"12:30:00.5\"", "'12:30:00.5'"),
        new("uuid", "\"550e8400-e29b-41d4-a716-446655440000\"", "'550e8400-e29b-41d4-a716-446655440000'"), new("interval", "\"P1DT2H\"", "'1 day 2 hours'"),
        new("bit", "\"0101\"", "'0101'"), new("timetz", "\"12:30:00+01:00\"", "'12:30:00+01:00'")));

    private static Gen<Value> Numbers() => Gen.OneOf(
        Gen.Elements("tinyint", "smallint", "integer", "bigint", "hugeint", "double", "decimal(18,2)", "decimal(38,10)")
            .SelectMany(type => Gen.Choose(-50, 50).Select(number => Number(type, number.ToString(CultureInfo.InvariantCulture)))),
        Gen.Elements(Number("bigint", "4611686018427387"), Number("hugeint", "123456789012345678901234567"), Number("double", "0.1"), Number("double", "-1.5e300"), Number("decimal(18,2)", "-12.30"), Number("float", "1.5")));

    private static Value Number(string type, string text) => new(type, text, $"'{text}'");

    private static Gen<Value> Texts() => Gen.Elements("", "a", "b,a,c", "it's", "\"", "\\", "$0x", "NaN", "007", "[1]", "{\"a\":1}", "\u00e9\U0001F986", "0,\"admin\":true")
        .Select(text => new Value("varchar", JsonSerializer.Serialize(text), $"'{text.Replace("'", "''", StringComparison.Ordinal)}'"));

    private static Gen<Value> Lists() => Gen.OneOf(
        Gen.ListOf(Gen.Choose(-9, 9)).Select(list => new Value("integer[]", $"[{string.Join(",", list)}]", $"[{string.Join(",", list)}]")),
        Gen.ListOf(Texts()).Select(list => new Value("varchar[]", $"[{string.Join(",", list.Select(text => text.Json))}]", $"[{string.Join(",", list.Select(text => text.Sql))}]")),
        Gen.ListOf(Gen.Elements("2024-02-29", "1970-01-01")).Select(list => new Value("date[]", JsonSerializer.Serialize(list), $"[{string.Join(",", list.Select(date => $"'{date}'"))}]")),
        Gen.ListOf(Gen.Elements("0.5", "-1.25", "12")).Select(list => new Value("decimal(9,2)[]", $"[{string.Join(",", list)}]", $"[{string.Join(",", list)}]")),
        Gen.ListOf(Gen.Elements("true", "false")).Select(list => new Value("boolean[]", $"[{string.Join(",", list)}]", $"[{string.Join(",", list)}]")));

    private static Gen<Value> Jsons() => Gen.Elements("{\"a\":1,\"b\":[\"x\",\"0,1\"]}", "{\"a\":null,\"b\":[]}", "{}", "{\"b\":[\"NaN\"],\"c\":{\"d\":1}}")
        .Select(json => new Value("json", json, $"'{json}'"));
}
