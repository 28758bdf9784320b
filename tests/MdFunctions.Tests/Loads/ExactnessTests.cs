namespace MdFunctions.Tests.Loads;

/// <summary>A value is stored as it is, or the run fails and names the column and the value.</summary>
public sealed class ExactnessTests
{
    private const string Refused = "REFUSED";

    // The value, the column's type in the target, and what is stored there; the text is what a SELECT gives.
    private static readonly (string Value, string Target, string Stored)[] Pairs =
    [
        ("5::TINYINT", "BIGINT", "5"),
        ("5::BIGINT", "TINYINT", "5"),
        ("300::BIGINT", "TINYINT", Refused),
        ("-1::INTEGER", "UBIGINT", Refused),
        ("18446744073709551615::UBIGINT", "BIGINT", Refused),
        ("18446744073709551615::UBIGINT", "HUGEINT", "18446744073709551615"),
        ("170141183460469231731687303715884105727::HUGEINT", "BIGINT", Refused),
        ("2147483648::BIGINT", "INTEGER", Refused),
        ("9007199254740992::BIGINT", "DOUBLE", "9007199254740992.0"),
        ("9007199254740993::BIGINT", "DOUBLE", Refused),
        ("9223372036854775807::BIGINT", "DOUBLE", Refused),
        ("16777216::INTEGER", "FLOAT", "16777216.0"),
        ("16777217::INTEGER", "FLOAT", Refused),
        ("1267650600228229401496703205376::HUGEINT", "DOUBLE", "1.2676506002282294e+30"),
        ("1267650600228229401496703205377::HUGEINT", "DOUBLE", Refused),
        ("12.3400::DECIMAL(18,4)", "DECIMAL(18,2)", "12.34"),
        ("12.3456::DECIMAL(18,4)", "DECIMAL(18,2)", Refused),
        ("12345.6::DECIMAL(18,1)", "DECIMAL(4,1)", Refused),
        ("12.00::DECIMAL(18,2)", "INTEGER", "12"),
        ("12.50::DECIMAL(18,2)", "INTEGER", Refused),
        ("12345678901234567.89::DECIMAL(38,2)", "DOUBLE", Refused),
        ("0.10::DECIMAL(38,2)", "DOUBLE", "0.1"),
        ("123456.7::DECIMAL(18,1)", "FLOAT", "123456.7"),
        ("12345678.9::DECIMAL(18,1)", "FLOAT", Refused),
        ("7::INTEGER", "DECIMAL(5,2)", "7.00"),
        ("7777::INTEGER", "DECIMAL(5,2)", Refused),
        ("3::DOUBLE", "BIGINT", "3"),
        ("2.7::DOUBLE", "BIGINT", Refused),
        ("1e30::DOUBLE", "BIGINT", Refused),
        ("'nan'::DOUBLE", "BIGINT", Refused),
        ("12.34::DOUBLE", "DECIMAL(18,2)", "12.34"),
        ("12.3456::DOUBLE", "DECIMAL(18,2)", Refused),
        ("12345678901234568::DOUBLE", "DECIMAL(38,2)", Refused),
        ("0.5::DOUBLE", "FLOAT", "0.5"),
        ("0.1::DOUBLE", "FLOAT", Refused),
        ("1e300::DOUBLE", "FLOAT", Refused),
        ("'nan'::DOUBLE", "FLOAT", "nan"),
        ("0.1::FLOAT", "DOUBLE", "0.10000000149011612"),
        ("0.1::FLOAT", "DECIMAL(18,2)", "0.10"),
        ("TRUE", "INTEGER", Refused),
        ("1::INTEGER", "BOOLEAN", Refused),
        ("TIMESTAMP_NS '2024-01-01 10:00:00.123456'", "TIMESTAMP", "2024-01-01 10:00:00.123456"),
        ("TIMESTAMP_NS '2024-01-01 10:00:00.123456789'", "TIMESTAMP", Refused),
        ("TIMESTAMP '1500-01-01 00:00:00'", "TIMESTAMP_NS", Refused),
        ("TIMESTAMP '2024-01-01 10:00:00.5'", "TIMESTAMP_S", Refused),
        ("TIMESTAMP '2024-01-01 10:00:00'", "TIMESTAMP_S", "2024-01-01 10:00:00"),
        ("TIMESTAMP '2024-01-01 00:00:00'", "DATE", "2024-01-01"),
        ("TIMESTAMP '2024-01-01 10:00:00'", "DATE", Refused),
        ("DATE '2024-01-01'", "TIMESTAMP", "2024-01-01 00:00:00"),
        ("TIMESTAMPTZ '2024-01-01 10:00:00+00'", "TIMESTAMP", Refused),
        ("TIMESTAMP '2024-01-01 10:00:00'", "TIMESTAMPTZ", Refused),
        ("DATE '2024-01-01'", "TIMESTAMPTZ", Refused),
        ("TIMETZ '10:00:00+02'", "TIME", Refused),
        ("TIMESTAMP '2024-01-01 10:00:00'", "TIME", Refused),
        ("'a'", "ENUM('a','b')", "a"),
        ("'c'", "ENUM('a','b')", Refused),
        ("'12'", "INTEGER", "12"),
        ("'2.7'", "INTEGER", Refused),
        ("'0x1F'", "INTEGER", Refused),
        ("'1_000'", "INTEGER", Refused),
        ("'true'", "INTEGER", Refused),
        ("'12.340'", "DECIMAL(18,2)", "12.34"),
        ("'12.345'", "DECIMAL(18,2)", Refused),
        ("'1E2'", "DECIMAL(18,2)", "100.00"),
        ("'1E-3'", "DECIMAL(18,2)", Refused),
        ("'0.30000000000000004'", "DOUBLE", "0.30000000000000004"),
        ("'1e400'", "DOUBLE", Refused),
        ("'1e-400'", "DOUBLE", Refused),
        ("'9007199254740993'", "DOUBLE", Refused),
        ("'2024-01-01'", "DATE", "2024-01-01"),
        ("'03/14/2024'", "DATE", Refused),
        ("'2024-01-01 10:00:00'", "DATE", Refused),
        ("'2024-01-01T10:00:00Z'", "TIMESTAMP", "2024-01-01 10:00:00"),
        ("'2024-01-01 10:00:00+02'", "TIMESTAMP", Refused),
        ("'2024-01-01 10:00:00.1234567'", "TIMESTAMP", Refused),
        ("'2024-01-01 10:00:00'", "TIMESTAMPTZ", Refused),
        ("'x'", "BLOB", Refused),
        ("'x'::BLOB", "VARCHAR", Refused),
        ("'0101'::BIT", "INTEGER", Refused),
        ("42::INTEGER", "VARCHAR", "42"),
        ("uuid '00000000-0000-0000-0000-000000000001'", "VARCHAR", "00000000-0000-0000-0000-000000000001"),
        ("INTERVAL 1 MONTH", "BIGINT", Refused),
        ("[1.50::DECIMAL(9,2), 2]", "DECIMAL(9,1)[]", "[1.5, 2.0]"),
        ("[1.55::DECIMAL(9,2), 2]", "DECIMAL(9,1)[]", Refused),
        ("[1, 2, 300]", "TINYINT[]", Refused),
        ("[1, 2]", "INTEGER", Refused),
        ("{'a': 1::BIGINT, 'b': 2.5::DOUBLE}", "STRUCT(a INTEGER, b FLOAT)", "{'a': 1, 'b': 2.5}"),
        ("{'a': 1::BIGINT, 'b': 0.1::DOUBLE}", "STRUCT(a INTEGER, b FLOAT)", Refused),
        ("{'a': 1, 'b': 2}", "STRUCT(a INTEGER)", Refused),
        ("{'a': TIMESTAMP '2024-01-01 00:00:00'}", "STRUCT(a TIMESTAMPTZ)", Refused),
        ("{'a': 'x'::BLOB}", "STRUCT(a VARCHAR)", Refused),
        ("MAP {'k': 1.25::DOUBLE}", "MAP(VARCHAR, DECIMAL(9,1))", Refused),
        ("MAP {'k': 1.5::DOUBLE}", "MAP(VARCHAR, DECIMAL(9,1))", "{k=1.5}"),
        ("[12345678901234568::DOUBLE]", "DECIMAL(38,2)[]", Refused),
        ("'{\"a\": 1}'::JSON", "VARCHAR", "{\"a\": 1}"),
        ("{'a': 1}", "VARCHAR", Refused),
        ("'{'", "JSON", Refused),
    ];

    [Theory]
    [InlineData("append")]
    [InlineData("append\ncheck: SELECT true")]
    [InlineData("replace")]
    [InlineData("merge\nkeys: id")]
    public async Task Each_type_into_each_type_is_exact_or_refused(string mode)
    {
        await using var app = await LoadApp.StartAsync(new Dictionary<string, string> { ["it"] = $"/*\ntarget: {{db}}.main.t\nmode: {mode}\n*/\nSELECT id, v FROM {{db}}.main.source" });
        var wrong = new List<string>();
        foreach (var (value, type, stored) in Pairs)
        {
            await app.SqlAsync($"CREATE OR REPLACE TABLE {{db}}.main.source AS SELECT 1 AS id, {value} AS v UNION ALL SELECT 2, NULL");
            await app.SqlAsync($"CREATE OR REPLACE TABLE {{db}}.main.t (id INTEGER, v {type})");
            using var response = await app.Client.PostAsync("api/loads/it", null);
            var answer = await response.Content.ReadAsStringAsync();
            var found = response.IsSuccessStatusCode ? string.Join(';', await app.SqlAsync("SELECT CAST(v AS VARCHAR) FROM {db}.main.t ORDER BY id")) : Refused;
            if (found != (stored == Refused ? Refused : $"{stored};NULL") || stored == Refused && !answer.Contains("column 'v'", StringComparison.Ordinal))
                wrong.Add($"{value} as {type}: expected {stored}, got {found} {answer}");
        }
        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
    }
}
