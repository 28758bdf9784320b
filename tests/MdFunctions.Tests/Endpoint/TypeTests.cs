using System.Collections;
using System.Globalization;
using System.Numerics;
using MdFunctions.Tests.Infrastructure;
using Npgsql;
using NpgsqlTypes;

namespace MdFunctions.Tests.Endpoint;

/// <summary>Every type of DuckDB's through Npgsql: read in binary and in text, and sent as a parameter in both.</summary>
public sealed class TypeTests
{
    /// <summary>An expression, its value in .NET, and its text on the wire.</summary>
    public static TheoryData<string, object, string> Values => new()
    {
        { "true", true, "t" },
        { "false", false, "f" },
        { "(-128)::TINYINT", (short)-128, "-128" },
        { "255::UTINYINT", (short)255, "255" },
        { "(-32768)::SMALLINT", short.MinValue, "-32768" },
        { "65535::USMALLINT", 65535, "65535" },
        { "(-2147483648)::INTEGER", int.MinValue, "-2147483648" },
        { "4294967295::UINTEGER", 4294967295L, "4294967295" },
        { "(-9223372036854775808)::BIGINT", long.MinValue, "-9223372036854775808" },
        { "9223372036854775807::BIGINT", long.MaxValue, "9223372036854775807" },
        { "18446744073709551615::UBIGINT", new BigInteger(ulong.MaxValue), "18446744073709551615" },
        { "(-170141183460469231731687303715884105728)::HUGEINT", BigInteger.Parse("-170141183460469231731687303715884105728", CultureInfo.InvariantCulture), "-170141183460469231731687303715884105728" },
        { "340282366920938463463374607431768211455::UHUGEINT", BigInteger.Parse("340282366920938463463374607431768211455", CultureInfo.InvariantCulture), "340282366920938463463374607431768211455" },
        { "(-1.50)::DECIMAL(4,2)", -1.50m, "-1.50" },
        { "0.0000000001::DECIMAL(18,10)", 0.0000000001m, "0.0000000001" },
        { "99999999999999999999999999999999999999::DECIMAL(38,0)", BigInteger.Pow(10, 38) - 1, new string('9', 38) },
        { "1.5::FLOAT", 1.5f, "1.5" },
        { "'nan'::FLOAT", float.NaN, "NaN" },
        { "0.1::DOUBLE", 0.1, "0.1" },
        { "'inf'::DOUBLE", double.PositiveInfinity, "Infinity" },
        { "'-inf'::DOUBLE", double.NegativeInfinity, "-Infinity" },
        { "'nan'::DOUBLE", double.NaN, "NaN" },
        { "''", "", "" },
        { "'Zürich 🦆'", "Zürich 🦆", "Zürich 🦆" },
        { "'\\x00\\xFFabc'::BLOB", new byte[] { 0, 255, 97, 98, 99 }, "\\x00ff616263" },
        { "DATE '2024-02-29'", new DateOnly(2024, 2, 29), "2024-02-29" },
        { "DATE '0001-01-01'", new DateOnly(1, 1, 1), "0001-01-01" },
        { "DATE '9999-12-31'", new DateOnly(9999, 12, 31), "9999-12-31" },
        { "'infinity'::DATE", DateOnly.MaxValue, "infinity" },
        { "TIME '23:59:59.999999'", new TimeOnly(23, 59, 59, 999, 999), "23:59:59.999999" },
        { "TIMETZ '01:02:03+05:30'", new DateTimeOffset(1, 1, 2, 1, 2, 3, TimeSpan.FromMinutes(330)), "01:02:03+05:30" },
        { "TIMESTAMP '2024-01-01 12:34:56.789'", new DateTime(2024, 1, 1, 12, 34, 56, 789), "2024-01-01 12:34:56.789" },
        { "TIMESTAMP '0001-01-01 00:00:00'", new DateTime(1, 1, 1), "0001-01-01 00:00:00" },
        { "TIMESTAMP_S '2024-01-01 00:00:01'", new DateTime(2024, 1, 1, 0, 0, 1), "2024-01-01 00:00:01" },
        { "TIMESTAMP_MS '2024-01-01 00:00:00.123'", new DateTime(2024, 1, 1, 0, 0, 0, 123), "2024-01-01 00:00:00.123" },
        { "'-infinity'::TIMESTAMP", DateTime.MinValue, "-infinity" },
        { "TIMESTAMPTZ '2024-01-01 12:34:56.789+02'", new DateTime(2024, 1, 1, 10, 34, 56, 789, DateTimeKind.Utc), "2024-01-01 10:34:56.789+00" },
        { "INTERVAL '1 year 2 months 3 days 04:05:06.7'", new NpgsqlInterval(14, 3, 14706700000), "1 year 2 mons 3 days 04:05:06.7" },
        { "UUID '12345678-9abc-def0-1234-56789abcdef0'", Guid.Parse("12345678-9abc-def0-1234-56789abcdef0"), "12345678-9abc-def0-1234-56789abcdef0" },
        { "'two words'::ENUM('one', 'two words')", "two words", "two words" },
        { "'{\"a\": [1, null]}'::JSON", "{\"a\": [1, null]}", "{\"a\": [1, null]}" },
        { "'10101'::BIT", new BitArray([true, false, true, false, true]), "10101" },
        { "{'a': 1, 'b': 'x'}", "{'a': 1, 'b': x}", "{'a': 1, 'b': x}" },
        { "MAP {'k': 1}", "{k=1}", "{k=1}" },
        { "union_value(n := 5)", "5", "5" },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public async Task Is_read_in_binary_and_in_text(string expression, object value, string text)
    {
        await using var connection = await SharedEndpoint.ConnectAsync();
        await using (var command = new NpgsqlCommand($"SELECT {expression}, NULL::{await TypeOfAsync(connection, expression)}", connection))
        await using (var reader = await command.ExecuteReaderAsync())
        {
            Assert.True(await reader.ReadAsync());
            Assert.Equal(value, Read(reader, value.GetType()));
            Assert.True(await reader.IsDBNullAsync(1));
        }
        await using (var command = new NpgsqlCommand($"SELECT {expression}", connection) { AllResultTypesAreUnknown = true })
            Assert.Equal(text, await command.ExecuteScalarAsync());
    }

    [Theory]
    [MemberData(nameof(Values))]
    public async Task Goes_as_a_parameter_in_text_and_in_binary(string expression, object value, string text)
    {
        await using var connection = await SharedEndpoint.ConnectAsync();
        var type = await TypeOfAsync(connection, expression);
        var castable = type.StartsWith("ENUM", StringComparison.Ordinal) || type.StartsWith("UNION", StringComparison.Ordinal) ? "VARCHAR" : type;
        if (value is byte[] bytes)
        {
            // Bytes stay bytes where DuckDB expects a BLOB.
            await using var blob = new NpgsqlCommand($"SELECT {expression} = $1", connection) { Parameters = { new() { Value = bytes } } };
            Assert.Equal(true, await blob.ExecuteScalarAsync());
            return;
        }
        // PostgreSQL's text of an interval has a unit, mons, that DuckDB does not read.
        var sent = text.Replace("mons", "months", StringComparison.Ordinal);
        var same = castable is "FLOAT" or "DOUBLE" ? $"CAST(CAST($1 AS VARCHAR) AS {castable}) = {expression} OR isnan({expression})" : $"CAST(CAST(CAST($1 AS VARCHAR) AS {castable}) AS VARCHAR) = CAST({expression} AS VARCHAR)";
        await using (var command = new NpgsqlCommand($"SELECT {same}", connection) { Parameters = { new() { Value = sent, NpgsqlDbType = NpgsqlDbType.Unknown } } })
            Assert.Equal(true, await command.ExecuteScalarAsync());
        // Npgsql sends the ends of .NET's calendar as infinities.
        if (value is DateOnly { Year: 1 or 9999 } or DateTime { Year: 1 } && !text.Contains("infinity", StringComparison.Ordinal))
            return;
        if (value is string || type.StartsWith("STRUCT", StringComparison.Ordinal))
            return;
        var parameter = value is DateTimeOffset ? new NpgsqlParameter { Value = value, NpgsqlDbType = NpgsqlDbType.TimeTz } : new NpgsqlParameter { Value = value };
        await using (var command = new NpgsqlCommand($"SELECT {same}", connection) { Parameters = { parameter } })
            Assert.Equal(true, await command.ExecuteScalarAsync());
    }

    [Fact]
    public async Task Lists_are_arrays_in_binary_and_DuckDBs_own_text_otherwise()
    {
        await using var connection = await SharedEndpoint.ConnectAsync();
        const string sql = "SELECT [1, 2, 3], ['a b', NULL], [[1.5], [2.5]], array_value(true, false), []::BIGINT[]";
        await using (var command = new NpgsqlCommand(sql, connection))
        await using (var reader = await command.ExecuteReaderAsync())
        {
            Assert.True(await reader.ReadAsync());
            Assert.Equal([1, 2, 3], reader.GetFieldValue<int[]>(0));
            Assert.Equal((string?[])["a b", null], reader.GetFieldValue<string?[]>(1));
            Assert.Equal(new[,] { { 1.5m }, { 2.5m } }, reader.GetFieldValue<decimal[,]>(2));
            Assert.Equal([true, false], reader.GetFieldValue<bool[]>(3));
            Assert.Empty(reader.GetFieldValue<long[]>(4));
        }
        await using (var command = new NpgsqlCommand(sql, connection) { AllResultTypesAreUnknown = true })
        await using (var reader = await command.ExecuteReaderAsync())
        {
            Assert.True(await reader.ReadAsync());
            Assert.Equal("[1, 2, 3]|[a b, NULL]|[[1.5], [2.5]]|[true, false]|[]", string.Join('|', Enumerable.Range(0, 5).Select(reader.GetString)));
        }
        await using (var command = new NpgsqlCommand("SELECT CAST(CAST($1 AS VARCHAR) AS VARCHAR[]) = ['a b', 'it''s', '']", connection) { Parameters = { new() { Value = new[] { "a b", "it's", "" } } } })
            Assert.Equal(true, await command.ExecuteScalarAsync());
    }

    [Fact]
    public async Task A_string_of_ten_million_characters_goes_both_ways()
    {
        await using var connection = await SharedEndpoint.ConnectAsync();
        var text = string.Create(10_000_000, 0, (span, _) => { for (var i = 0; i < span.Length; i++) span[i] = (char)('a' + (i % 26)); });
        await using var command = new NpgsqlCommand("SELECT CAST($1 AS VARCHAR)", connection) { Parameters = { new() { Value = text, NpgsqlDbType = NpgsqlDbType.Unknown } } };
        Assert.True(text == (string?)await command.ExecuteScalarAsync());
    }

    private static async Task<string> TypeOfAsync(NpgsqlConnection connection, string expression)
    {
        await using var command = new NpgsqlCommand($"SELECT typeof({expression})", connection);
        return (string)(await command.ExecuteScalarAsync())!;
    }

    private static object Read(NpgsqlDataReader reader, Type type) => Type.GetTypeCode(type) switch
    {
        _ when type == typeof(BigInteger) => reader.GetFieldValue<BigInteger>(0),
        _ when type == typeof(DateOnly) => reader.GetFieldValue<DateOnly>(0),
        _ when type == typeof(TimeOnly) => reader.GetFieldValue<TimeOnly>(0),
        _ when type == typeof(NpgsqlInterval) => reader.GetFieldValue<NpgsqlInterval>(0),
        _ when type == typeof(DateTimeOffset) => reader.GetFieldValue<DateTimeOffset>(0),
        _ => reader.GetValue(0),
    };
}
