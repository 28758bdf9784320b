using MdFunctions.Engine.MotherDuck;

namespace MdFunctions.Local.Doctor.Probes;

/// <summary>Values as text, for each of DuckDB's types.</summary>
internal static class ResultProbes
{
    private const int Long = 10 * 1024 * 1024;
    private const int Rows = 100_000;
    private const string WrongAnswers = "Answers with such columns are wrong, or are not written at all. Cast them to VARCHAR in SQL.";

    /// <summary>The probes.</summary>
    public static IReadOnlyList<Probe> All { get; } =
    [
        Of("booleans", "BOOLEAN is `t` and `f`, or `true` and `false`.", FactSource.Guess, "Reads both.",
            "SELECT true AS yes, false AS no", "t | f", "true | false"),
        Of("integers", "Integers of 8 to 128 bits have all their digits.", FactSource.DuckDb, "Copies the digits.",
            """
            SELECT (-128)::TINYINT, 255::UTINYINT, (-32768)::SMALLINT, 65535::USMALLINT, (-2147483648)::INTEGER, 4294967295::UINTEGER, (-9223372036854775808)::BIGINT,
              18446744073709551615::UBIGINT, (-170141183460469231731687303715884105728)::HUGEINT, 340282366920938463463374607431768211455::UHUGEINT AS widest
            """,
            "-128 | 255 | -32768 | 65535 | -2147483648 | 4294967295 | -9223372036854775808 | 18446744073709551615 | -170141183460469231731687303715884105728 | 340282366920938463463374607431768211455"),
        Of("decimals", "DECIMAL has all its digits and its zeros, up to 38.", FactSource.DuckDb, "Copies the digits.",
            "SELECT (-1.50)::DECIMAL(4,2), 0.0000000001::DECIMAL(18,10), 99999999999999999999999999999999999999::DECIMAL(38,0) AS largest",
            "-1.50 | 0.0000000001 | 99999999999999999999999999999999999999"),
        Of("floats", "FLOAT and DOUBLE have the fewest digits that name them.", FactSource.DuckDb, "Copies the digits.",
            "SELECT 0.1::FLOAT, 1.5::FLOAT, 0.1::DOUBLE, 0.30000000000000004::DOUBLE AS exact", "0.1 | 1.5 | 0.1 | 0.30000000000000004"),
        Of("not-finite", "What is not finite is `nan` and `inf`, or `NaN` and `Infinity`.", FactSource.Guess, "Reads both, and writes JSON strings.",
            "SELECT 'nan'::DOUBLE, 'inf'::DOUBLE, '-inf'::DOUBLE AS least", "NaN | Infinity | -Infinity", "nan | inf | -inf"),
        Of("texts", "VARCHAR is UTF-8, and the empty text is not NULL.", FactSource.DuckDb, "Copies it.",
            "SELECT 'Zürich € 🦆', '', CAST(NULL AS VARCHAR) AS missing", "Zürich € 🦆 |  | NULL"),
        Of("dates", "DATE is ISO 8601 within the years 1 to 9999, and `infinity`.", FactSource.DuckDb, "Copies it.",
            "SELECT DATE '0001-01-01', DATE '2024-02-29', DATE '9999-12-31', 'infinity'::DATE AS never", "0001-01-01 | 2024-02-29 | 9999-12-31 | infinity"),
        Of("far-dates", "A year before 1 has the era behind the day, as DuckDB writes it, or at the end, as PostgreSQL does.", FactSource.Guess, "Reads both.",
            "SELECT '0044-03-15 (BC)'::DATE AS ides", "0044-03-15 BC", "0044-03-15 (BC)"),
        Of("times", "TIME has up to six digits of a second.", FactSource.DuckDb, "Copies it.",
            "SELECT TIME '23:59:59.999999', TIME '00:00:00' AS midnight", "23:59:59.999999 | 00:00:00"),
        Of("timestamps", "TIMESTAMP has a blank before the time, and the digits of its second without zeros at the end.", FactSource.DuckDb, "Writes a T for the blank.",
            "SELECT TIMESTAMP '2024-01-01 12:34:56.789', TIMESTAMP_S '2024-01-01 00:00:01', TIMESTAMP_MS '2024-01-01 00:00:00.123', TIMESTAMP_NS '2024-01-01 00:00:00.123456789' AS precise",
            "2024-01-01 12:34:56.789 | 2024-01-01 00:00:01 | 2024-01-01 00:00:00.123 | 2024-01-01 00:00:00.123456789"),
        Of("moments", "TIMESTAMPTZ has its offset at the end, and a session's zone is UTC.", FactSource.Guess, "Writes the offset as ISO 8601 has it.",
            "SELECT TIMESTAMPTZ '2024-01-01 12:34:56.789+02' AS moment", "2024-01-01 10:34:56.789+00") with { Severity = Severity.Copes, Otherwise = "Answers have another offset, and mean the same." },
        Of("names", "UUID, ENUM and JSON are their own text.", FactSource.DuckDb, "Copies it.",
            "SELECT UUID '12345678-9abc-def0-1234-56789abcdef0', 'two words'::ENUM('one', 'two words'), '{\"a\": [1, null]}'::JSON AS json",
            "12345678-9abc-def0-1234-56789abcdef0 | two words | {\"a\": [1, null]}"),
        Of("blobs", "`base64(...)` makes text of a BLOB.", FactSource.DuckDb, "Asks for BLOBs in this form.",
            "SELECT base64('\\x00\\xFFabc'::BLOB) AS packed", "AP9hYmM="),
        Of("casts-to-text", "Other types are cast to VARCHAR.", FactSource.DuckDb, "Asks for them in this form.",
            "SELECT CAST(INTERVAL '1 year 2 days 04:05:06.7' AS VARCHAR), CAST('10101'::BIT AS VARCHAR), CAST(TIMETZ '01:02:03+05:30' AS VARCHAR) AS time_with_zone",
            "1 year 2 days 04:05:06.7 | 10101 | 01:02:03+05:30"),
        Of("nested-as-json", "`to_json` makes JSON of lists, structs and maps.", FactSource.DuckDb, "Asks for nested values in this form.",
            "SELECT CAST(to_json({'a': [1, NULL], 'b': MAP {'k': 'v'}}) AS VARCHAR) AS nested", "{\"a\":[1,null],\"b\":{\"k\":\"v\"}}"),
        new("lists-as-text", "Lists, structs and maps arrive as text that drivers cannot read: in DuckDB's form, or lists as PostgreSQL's arrays.", FactSource.Report,
            "Turns such columns to JSON in SQL.", "Nothing: the app does not use it.",
            Severity.Copes, ["[1, a b, NULL] | {'a': 1}", "{1,\"a b\",NULL} | {'a': 1}"],
            (patient, stop) => patient.OnAsync(connection => connection.RowAsync("SELECT ['1', 'a b', NULL], {'a': 1} AS nested_text", stop), stop)),
        new("list-oids", "One-dimensional lists have the OID 1009, nested ones 17000, both as text.", FactSource.Report,
            "Takes DuckDB's types from `DESCRIBE`, and compares OIDs only with those that the same query had before.", "Nothing: the app does not rely on it.",
            Severity.Copes, ["1009 | 17000", "1009 | 1009"],
            (patient, stop) => patient.OnAsync(async connection =>
            {
                await using var command = connection.Statement("SELECT ['a'] AS flat, [['a']] AS deep");
                await using var reader = await command.ExecuteReaderAsync(stop);
                return $"{reader.GetDataTypeOID(0)} | {reader.GetDataTypeOID(1)}";
            }, stop)),
        new("long-value", "A value may be 10 MB long.", FactSource.Guess,
            "Streams it.", "Queries with such values fail. Cut them in SQL.",
            Severity.Fails, [$"{Long}"],
            (patient, stop) => patient.OnAsync(async connection => $"{(await connection.ScalarAsync($"SELECT repeat('x', {Long}) AS long_text", stop))?.Length}", stop)),
        new("many-rows", "A result of 100,000 rows arrives whole and in order.", FactSource.Report,
            "Sends rows on as they arrive.", "Answers are cut. Set `maxRows` in the front matter.",
            Severity.Fails, ["all, in order"],
            (patient, stop) => patient.OnAsync(async connection =>
            {
                var rows = await connection.RowsAsync($"SELECT i FROM range({Rows}) AS numbers(i) ORDER BY i", [], row => row.Get<long>(0), stop);
                return rows.Count == Rows && rows.Select((value, i) => value == i).All(same => same) ? "all, in order" : $"{rows.Count} rows";
            }, stop)),
    ];

    private static Probe Of(string name, string fact, FactSource source, string app, string sql, params string[] known) =>
        new(name, fact, source, app, WrongAnswers, Severity.Fails, known, (patient, stop) => patient.OnAsync(connection => connection.RowAsync(sql, stop), stop));
}
