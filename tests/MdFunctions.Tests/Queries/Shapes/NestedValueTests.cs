using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Queries;

/// <summary>What answers promise of a value holds inside of lists, structs, maps and unions too.</summary>
public sealed class NestedValueTests
{
    [Theory]
    [InlineData("19.99::FLOAT", "19.99")]
    [InlineData("'NaN'::FLOAT", "\"NaN\"")]
    [InlineData("'-inf'::FLOAT", "\"-Infinity\"")]
    [InlineData("'inf'::DOUBLE", "\"Infinity\"")]
    [InlineData("'AB'::BLOB", "\"QUI=\"")]
    [InlineData("'\\x00\\x22\\x27\\x5C'::BLOB", "\"ACInXA==\"")]
    [InlineData("''::BLOB", "\"\"")]
    [InlineData("TIMESTAMPTZ '2024-01-01 00:00:00+00'", "\"2024-01-01T00:00:00+00:00\"")]
    [InlineData("TIMESTAMPTZ '2024-01-01 00:00:00.5+01:30'", "\"2023-12-31T22:30:00.5+00:00\"")]
    [InlineData("TIMESTAMP '2024-01-01 00:00:00.123456'", "\"2024-01-01T00:00:00.123456\"")]
    [InlineData("'2024-01-01 00:00:00'::TIMESTAMP_S", "\"2024-01-01T00:00:00\"")]
    [InlineData("'2024-01-01 00:00:00.5'::TIMESTAMP_MS", "\"2024-01-01T00:00:00.5\"")]
    [InlineData("'2024-01-01 00:00:00.123456789'::TIMESTAMP_NS", "\"2024-01-01T00:00:00.123456789\"")]
    [InlineData("TIMESTAMP '0044-03-15 (BC) 12:00:00'", "\"-000043-03-15T12:00:00\"")]
    [InlineData("TIMESTAMPTZ '0044-03-15 (BC) 12:00:00+00'", "\"-000043-03-15T12:00:00+00:00\"")]
    [InlineData("TIMESTAMP '0001-03-15 (BC) 12:00:00'", "\"0000-03-15T12:00:00\"")]
    [InlineData("TIMESTAMPTZ '12345-03-15 12:00:00.5+00'", "\"+012345-03-15T12:00:00.5+00:00\"")]
    [InlineData("TIMESTAMP 'infinity'", "\"infinity\"")]
    [InlineData("TIMESTAMPTZ '-infinity'", "\"-infinity\"")]
    [InlineData("DATE '0044-03-15 (BC)'", "\"-000043-03-15\"")]
    [InlineData("DATE '0001-03-15 (BC)'", "\"0000-03-15\"")]
    [InlineData("DATE '12345-01-01'", "\"+012345-01-01\"")]
    [InlineData("DATE '5881580-07-10'", "\"+5881580-07-10\"")]
    [InlineData("DATE 'infinity'", "\"infinity\"")]
    [InlineData("DATE '2024-02-29'", "\"2024-02-29\"")]
    [InlineData("TIME '23:59:59.5'", "\"23:59:59.5\"")]
    [InlineData("'23:59:59+01'::TIMETZ", "\"23:59:59+01\"")]
    [InlineData("INTERVAL '1 year 2 days 03:04:05'", "\"1 year 2 days 03:04:05\"")]
    [InlineData("'550e8400-e29b-41d4-a716-446655440000'::UUID", "\"550e8400-e29b-41d4-a716-446655440000\"")]
    [InlineData("'a,(b''\"'::ENUM('a,(b''\"', 'x')", "\"a,(b'\\\"\"")]
    [InlineData("'0101'::BIT", "\"0101\"")]
    [InlineData("true", "true")]
    [InlineData("'-170141183460469231731687303715884105728'::HUGEINT", "-170141183460469231731687303715884105728")]
    [InlineData("'340282366920938463463374607431768211455'::UHUGEINT", "340282366920938463463374607431768211455")]
    [InlineData("'-1234567890123456789012345678.0123456789'::DECIMAL(38,10)", "-1234567890123456789012345678.0123456789")]
    [InlineData("'123456789012345678901234567890123456789012345678901234567890'::BIGNUM", "123456789012345678901234567890123456789012345678901234567890")]
    [InlineData("'[0.12345678901234567890, {\"a\": 1.50}, null]'::JSON", "[0.12345678901234567890, {\"a\": 1.50}, null]")]
    [InlineData("union_value(\"t s\" := TIMESTAMP '2024-01-01 00:00:00')", "{\"t s\":\"2024-01-01T00:00:00\"}")]
    [InlineData("{'j': '1.50'::JSON, 'b': 'AB'::BLOB, 'n': NULL::JSON}", "{\"j\":1.50,\"b\":\"QUI=\",\"n\":null}")]
    [InlineData("MAP {'k\"': '1.50'::JSON, 'n': NULL}", "{\"k\\\"\":1.50,\"n\":null}")]
    [InlineData("union_value(j := '1.50'::JSON)", "{\"j\":1.50}")]
    [InlineData("row('1.50'::JSON, 1.5::FLOAT)", "[1.50,1.5]")]
    [InlineData("union_value(n := 1)", "{\"n\":1}")]
    [InlineData("MAP {'\\x41'::BLOB: 1.5::FLOAT}", "{\"QQ==\":1.5}")]
    [InlineData("MAP {TIMESTAMP '2024-01-01 00:00:00': DATE '2024-01-01'}", "{\"2024-01-01T00:00:00\":\"2024-01-01\"}")]
    [InlineData("array_value(19.99::FLOAT, NULL)", "[19.99,null]")]
    [InlineData("row(19.99::FLOAT, 'AB'::BLOB)", "[19.99,\"QUI=\"]")]
    [InlineData("{'a \"b': {'c': ['AB'::BLOB, NULL]}, 'd': NULL::STRUCT(e DATE)}", "{\"a \\\"b\":{\"c\":[\"QUI=\",null]},\"d\":null}")]
    public async Task A_value_is_the_same_inside_and_outside(string expression, string expected)
    {
        (string Sql, string Json)[] columns =
        [
            (expression, expected),
            ($"[{expression}, NULL]", $"[{expected},null]"),
            ($"[[{expression}], NULL, []]", $"[[{expected}],null,[]]"),
            ($"{{'a': {expression}, 'the \"b\"': [{expression}]}}", $"{{\"a\":{expected},\"the \\\"b\\\"\":[{expected}]}}"),
            ($"[{{'a': {{'b': {expression}}}}}, NULL]", $"[{{\"a\":{{\"b\":{expected}}}}},null]"),
            ($"MAP {{'k': {expression}, 'n': NULL}}", $"{{\"k\":{expected},\"n\":null}}"),
            ($"[MAP {{1: [{expression}]}}]", $"[{{\"1\":[{expected}]}}]"),
        ];
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["queries/nested.sql"] = $"SELECT {string.Join(", ", columns.Select((column, i) => $"{column.Sql} AS c{i}"))}",
        });
        var row = (await app.GetJsonAsync("/api/queries/nested"))[0];
        Assert.Equal(columns.Select(column => $"{column.Sql} = {column.Json}"), columns.Select((column, i) => $"{column.Sql} = {row.GetProperty($"c{i}").GetRawText()}"));
    }
}
