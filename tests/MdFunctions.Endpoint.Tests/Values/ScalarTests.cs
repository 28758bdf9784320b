using System.Globalization;
using MdFunctions.Endpoint.Tests.Infrastructure;

namespace MdFunctions.Endpoint.Tests.Values;

/// <summary>Every scalar type of DuckDB as a result, in text and in binary, and as a parameter in both.</summary>
public sealed class ScalarTests(ObservedWire endpoint) : IClassFixture<ObservedWire>
{
    private static string SelectAll => $"SELECT {string.Join(", ", Scalars.All.Select((scalar, i) => $"{scalar.Sql} AS c{i}"))}";

    [Fact]
    public async Task Scalars_have_their_OID_and_the_text_that_PostgreSQL_writes()
    {
        await using var client = await endpoint.ConnectAsync();
        var messages = await client.AskAsync(SelectAll);
        Assert.Equal("", messages.ErrorText());
        var (columns, row) = (messages.Columns(), messages.Rows().Single());
        for (var i = 0; i < Scalars.All.Length; i++)
            Assert.Equal((Scalars.All[i].Sql, Scalars.All[i].Oid, Scalars.All[i].Text), (Scalars.All[i].Sql, columns[i].Oid, row[i]));
    }

    [Fact]
    public async Task Scalars_have_PostgreSQLs_binary_form()
    {
        var (columns, values) = await BinaryAsync(SelectAll);
        for (var i = 0; i < Scalars.All.Length; i++)
        {
            var (sql, _, text, binary) = Scalars.All[i];
            Assert.Equal(1, columns[i].Format);
            if (binary == Scalars.SameAsText)
                Assert.Equal((sql, text), (sql, System.Text.Encoding.UTF8.GetString(values[i]!)));
            else if (binary is not null)
                Assert.Equal((sql, binary), (sql, Convert.ToHexStringLower(values[i]!)));
        }
    }

    [Fact]
    public async Task A_binary_value_that_goes_back_as_a_parameter_is_the_same_value()
    {
        var (columns, values) = await BinaryAsync(SelectAll);
        await using var client = await endpoint.ConnectAsync();
        for (var i = 0; i < Scalars.All.Length; i++)
        {
            var sql = Scalars.All[i].Sql;
            // PostgreSQL's binary timestamps have no nanoseconds.
            if (sql.StartsWith("TIMESTAMP_NS", StringComparison.Ordinal))
                continue;
            var name = (await client.RowsAsync($"SELECT typeof({sql})"))[0][0]!;
            var target = name.StartsWith("ENUM", StringComparison.Ordinal) ? "VARCHAR" : name;
            var cast = $"CAST(CAST($1 AS VARCHAR) AS {target})";
            // A BLOB that is bound as bytes stays bytes: it is compared in the one place where its type is known.
            var query = target == "BLOB" ? $"SELECT ({sql}) = $1"
                : target is "FLOAT" or "DOUBLE" ? $"SELECT ({cast} = {sql}) OR isnan({sql})"
                : $"SELECT {cast} = {sql}";
            var messages = await client.AskAsync(
                Frames.Parse("", query, columns[i].Oid), Frames.Bind(values: [values[i]], formats: [1]), Frames.Execute(), Frames.Sync);
            Assert.Equal((sql, ""), (sql, messages.ErrorText()));
            Assert.Equal((sql, "t"), (sql, messages.Rows()[0][0]));
        }
    }

    [Fact]
    public async Task A_text_value_that_goes_back_as_a_parameter_is_the_same_value()
    {
        await using var client = await endpoint.ConnectAsync();
        foreach (var (sql, _, _, _) in Scalars.All)
        {
            var row = (await client.RowsAsync($"SELECT ({sql})::VARCHAR, typeof({sql})"))[0];
            var back = await client.ExtendedAsync($"SELECT CAST(CAST(CAST($1 AS VARCHAR) AS {row[1]}) AS VARCHAR)", row[0]);
            Assert.Equal((sql, ""), (sql, back.ErrorText()));
            Assert.Equal((sql, row[0]), (sql, back.Rows()[0][0]));
        }
    }

    [Fact]
    public async Task NULL_is_NULL_in_every_type_both_ways()
    {
        string[] names =
        [
            "BOOLEAN", "TINYINT", "BIGINT", "HUGEINT", "DECIMAL(38,5)", "DOUBLE", "VARCHAR", "BLOB", "DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ",
            "INTERVAL", "UUID", "BIT", "JSON", "INTEGER[]", "INTEGER[3]", "STRUCT(a INTEGER)", "MAP(VARCHAR, INTEGER)", "ENUM('a')",
        ];
        await using var client = await endpoint.ConnectAsync();
        var casts = string.Join(", ", names.Select(name => $"CAST(CAST($1 AS VARCHAR) AS {name})"));
        var bound = await client.ExtendedAsync($"SELECT {casts}", new object?[] { null });
        Assert.All(bound.Rows().Single(), Assert.Null);
        var (_, values) = await BinaryAsync($"SELECT {string.Join(", ", names.Select(name => $"NULL::{name}"))}");
        Assert.All(values, Assert.Null);
        Assert.Null((await client.RowsAsync("SELECT NULL"))[0][0]);
    }

    [Fact]
    public async Task NULLs_among_values_over_many_chunks()
    {
        await using var client = await endpoint.ConnectAsync();
        var rows = await client.RowsAsync(
            "SELECT i, CASE WHEN i % 3 = 0 THEN NULL ELSE 'a value longer than twelve ' || i END, CASE WHEN i % 2 = 0 THEN i::VARCHAR END "
                + "FROM range(10000) t(i) ORDER BY i");
        Assert.Equal(10_000, rows.Length);
        for (var i = 0; i < rows.Length; i++)
            Assert.Equal<string?[]>([$"{i}", i % 3 == 0 ? null : $"a value longer than twelve {i}", i % 2 == 0 ? $"{i}" : null], rows[i]);
    }

    [Fact]
    public async Task Doubles_are_their_shortest_digits_that_read_back_as_the_same_number()
    {
        await using var client = await endpoint.ConnectAsync();
        var random = new Random(20240229);
        var values = Enumerable.Range(0, 2000)
            .Select(i => i % 4 == 0 ? Math.Round(random.NextDouble() * 1e6, i % 7) : BitConverter.Int64BitsToDouble(random.NextInt64()))
            .Where(double.IsFinite)
            .ToList();
        var list = string.Join(", ", values.Select(value => $"'{value.ToString("R", CultureInfo.InvariantCulture)}'::DOUBLE"));
        var rows = await client.RowsAsync($"SELECT unnest([{list}])");
        Assert.Equal(values, rows.Select(row => double.Parse(row[0]!, CultureInfo.InvariantCulture)));
        Assert.All(rows.Zip(values), pair => Assert.Equal(Digits(pair.Second.ToString("R", CultureInfo.InvariantCulture)), Digits(pair.First[0]!)));

        static string Digits(string number) => number.ToLowerInvariant().Split('e')[0].Replace(".", "").Replace("-", "").Trim('0');
    }

    [Fact]
    public async Task Type_modifiers_tell_the_precision_of_numbers()
    {
        var (columns, _) = await BinaryAsync("SELECT 1.5::DECIMAL(10,2), 1::DECIMAL(38,0), 1::UBIGINT, 1::HUGEINT, 'a'");
        Assert.Equal([(10 << 16) + 2 + 4, (38 << 16) + 4, (20 << 16) + 4, -1, -1], columns.Select(column => column.TypeModifier));
    }

    [Fact]
    public async Task Strings_of_10_MB_go_both_ways()
    {
        await using var client = await endpoint.ConnectAsync();
        var text = string.Concat(Enumerable.Repeat("duck\U0001f986 ", 1_200_000));
        var row = (await client.ExtendedAsync("SELECT CAST($1 AS VARCHAR), strlen(CAST($1 AS VARCHAR))", text)).Rows()[0];
        Assert.True(row[0] == text);
        Assert.Equal($"{1_200_000 * 9}", row[1]);
        Assert.True((await client.RowsAsync("SELECT repeat('x', 10000000)"))[0][0] == new string('x', 10_000_000));
    }

    [Fact]
    public async Task A_BLOB_parameter_is_bytes_where_DuckDB_expects_a_BLOB()
    {
        await using var client = await endpoint.ConnectAsync();
        await client.AskAsync("CREATE OR REPLACE TABLE blobs (b BLOB)");
        byte[] bytes = [0, 1, 92, 39, 255];
        var binary = await client.AskAsync(
            Frames.Parse("", "INSERT INTO blobs VALUES ($1)", 17), Frames.Bind(values: [bytes], formats: [1]), Frames.Execute(), Frames.Sync);
        Assert.Equal("", binary.ErrorText());
        Assert.Equal("", (await client.ExtendedAsync("INSERT INTO blobs VALUES ($1)", @"\x00015c27ff")).ErrorText());
        Assert.Equal([[@"\x00015c27ff"], [@"\x00015c27ff"]], await client.RowsAsync("SELECT b FROM blobs"));
    }

    [Theory]
    [InlineData(23, "00")]
    [InlineData(20, "0000")]
    [InlineData(1700, "0001")]
    [InlineData(1700, "000100000000000077ff")]
    [InlineData(2950, "00")]
    [InlineData(1007, "00000001")]
    [InlineData(1007, "0000000100000000000000177fffffff00000001")]
    [InlineData(1560, "000000ff00")]
    [InlineData(25, "ff")]
    [InlineData(1082, "7ffffff0")]
    public async Task A_binary_parameter_that_is_malformed_is_refused(int oid, string hex)
    {
        await using var client = await endpoint.ConnectAsync();
        var messages = await client.AskAsync(
            Frames.Parse("", "SELECT CAST($1 AS VARCHAR)", oid), Frames.Bind(values: [Convert.FromHexString(hex)], formats: [1]), Frames.Sync);
        Assert.Contains("parameter $1 cannot be read", messages.ErrorText());
        Assert.Equal("XX000", messages.Error().Field('C'));
    }

    private async Task<(List<ColumnDescription> Columns, byte[]?[] Values)> BinaryAsync(string sql)
    {
        await using var client = await endpoint.ConnectAsync();
        var messages = await client.AskAsync(Frames.Parse("", sql), Frames.Bind(results: [1]), Frames.Describe('P'), Frames.Execute(), Frames.Sync);
        Assert.Equal("", messages.ErrorText());
        return (messages.Columns(), messages.First(message => message.Type == 'D').Values());
    }
}
