using MdFunctions.Endpoint.Tests.Infrastructure;

namespace MdFunctions.Endpoint.Tests.Remote;

/// <summary>Columns that come from a URL's folders, <c>/year=2024/</c>, over HTTP: in a query, in DESCRIBE, and in the table that is made of one.</summary>
public sealed class PartitionTests(RemoteFixture fixture) : IClassFixture<RemoteFixture>
{
    private const string Listed = "['@/sales/year=2023/month=01/a.csv', '@/sales/year=2024/month=02/b.csv']";
    private const string Computed = "list_transform(['2023/month=01/a', '2024/month=02/b'], lambda part: '@/sales/year=' || part || '.csv')";

    [Theory]
    [InlineData(Listed, "BIGINT", "VARCHAR", "01", "02")]
    [InlineData(Computed, "BIGINT", "VARCHAR", "01", "02")]
    [InlineData(Listed + ", hive_types = {'year': 'VARCHAR', 'month': 'INTEGER'}", "VARCHAR", "INTEGER", "1", "2")]
    [InlineData(Computed + ", hive_partitioning = true, MD_RUN = REMOTE, hive_types_autocast = false", "VARCHAR", "VARCHAR", "01", "02")]
    public async Task They_are_kept(string files, string year, string month, string first, string second)
    {
        fixture.Files.Put("/sales/year=2023/month=01/a.csv", "v\n1.50\n");
        fixture.Files.Put("/sales/year=2024/month=02/b.csv", "v\n2.25\n");
        var select = $"SELECT year, month, v FROM read_csv({files.Replace("@", fixture.Files.Url, StringComparison.Ordinal)})";
        await using var connection = await fixture.Endpoint.ConnectAsync();
        string[] rows = [$"2023|{first}|1.5", $"2024|{second}|2.25"];
        Assert.Equal(rows, await connection.TextsAsync($"{select} ORDER BY year"));
        string[] columns = [$"year|{year}", $"month|{month}", "v|DOUBLE"];
        Assert.Equal(columns, (await connection.TextsAsync($"DESCRIBE {select}")).Select(NameAndType));
        await connection.RunAsync($"CREATE OR REPLACE TABLE partitioned AS {select}");
        Assert.Equal(columns, (await connection.TextsAsync("DESCRIBE partitioned")).Select(NameAndType));
        Assert.Equal(rows, await connection.TextsAsync("FROM partitioned ORDER BY year"));
    }

    private static string NameAndType(string row) => string.Join('|', row.Split('|').Take(2));
}
