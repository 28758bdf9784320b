using System.Numerics;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.MotherDuck;

public sealed class RowTests
{
    [Fact]
    public async Task A_row_gives_its_values_as_what_they_are()
    {
        await using var connection = await SharedEndpoint.ConnectAsync();
        var row = Assert.Single(await connection.RowsAsync(
            """
            SELECT 9007199254740993, 1.50::DECIMAL(18,2), 170141183460469231731687303715884105727::HUGEINT, 0.1::DOUBLE, true, false,
              DATE '2024-02-29', TIMESTAMP '2024-02-29 23:59:59.123456', '3f333df6-90a4-4fda-8dd3-9485d27cee36'::UUID, CAST($1 AS VARCHAR), NULL::BIGINT
            """,
            ["it's"],
            row => (row.Get<long>(0), row.Get<decimal>(1), row.Get<BigInteger>(2), row.Get<double>(3), row.Get<bool>(4), row.Get<bool>(5),
                row.Get<DateOnly>(6), row.Get<DateTime>(7), row.Get<Guid>(8), row.Text(9), row.Get<long>(10), row.Text(10)),
            CancellationToken.None));
        Assert.Equal(
            (9007199254740993, 1.50m, BigInteger.Pow(2, 127) - 1, 0.1, true, false,
                new DateOnly(2024, 2, 29), new DateTime(2024, 2, 29, 23, 59, 59, 123, 456), Guid.Parse("3f333df6-90a4-4fda-8dd3-9485d27cee36"), "it's", null, null),
            row);
    }

    [Fact]
    public async Task A_value_that_is_something_else_is_no_value()
    {
        await using var connection = await SharedEndpoint.ConnectAsync();
        await Assert.ThrowsAsync<FormatException>(() => connection.RowsAsync("SELECT 'x'", [], row => row.Get<long>(0), CancellationToken.None));
        await Assert.ThrowsAsync<OverflowException>(() => connection.RowsAsync("SELECT 3000000000", [], row => row.Get<int>(0), CancellationToken.None));
    }
}
