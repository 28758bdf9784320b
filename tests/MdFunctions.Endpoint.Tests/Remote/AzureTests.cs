using Azure.Storage.Blobs;
using MdFunctions.Endpoint.Remote;
using MdFunctions.Endpoint.Remote.Sources;
using MdFunctions.Endpoint.Tests.Infrastructure;

namespace MdFunctions.Endpoint.Tests.Remote;

public sealed class AzureTests
{
    [AzuriteFact]
    public async Task Blobs_are_read_by_URL_and_by_glob_and_each_failure_is_told()
    {
        await using var azurite = await Azurite.StartAsync();
        var container = new BlobServiceClient(azurite.ConnectionString).GetBlobContainerClient("files");
        await container.CreateAsync();
        Task Put(string name, string text) => container.UploadBlobAsync(name, BinaryData.FromString(text));
        await Put("2024/a.csv", "id,name\n1,a\n");
        await Put("2024/b.csv", "id,name\n2,b\n");
        await Put("2024/deep/c.csv", "id,name\n3,c\n");
        await Put("2025/d.csv", "id,name\n4,d\n");
        await Put("hive/year=2023/e.csv", "id\n5\n");
        await Put("hive/year=2024/f.csv", "id\n6\n");
        await Put("bad.parquet", "no parquet");

        await using var endpoint = await TestEndpoint.StartAsync(new() { AzureConnectionString = azurite.ConnectionString });
        await using var client = await endpoint.ConnectAsync();
        foreach (var (sql, expected) in (IEnumerable<(string, string[])>)
        [
            ("SELECT name FROM read_csv('az://files/2024/a.csv')", ["a"]),
            ("SELECT name FROM read_csv('azure://devstoreaccount1.blob.core.windows.net/files/2024/a.csv', MD_RUN = REMOTE)", ["a"]),
            ("SELECT name FROM read_csv('azure://files/2024/a.csv')", ["a"]),
            ("SELECT string_agg(name, '' ORDER BY name) FROM read_csv('az://files/2024/*.csv')", ["ab"]),
            ("SELECT string_agg(name, '' ORDER BY name) FROM read_csv('az://files/**/[a-d].csv')", ["abcd"]),
            ("SELECT string_agg(name, '' ORDER BY name) FROM read_csv('az://files/202[45]/?.csv')", ["abd"]),
            ("SELECT string_agg(name, '' ORDER BY name) FROM read_csv(['az://files/2024/*.csv', 'az://files/2025/d.csv'])", ["abd"]),
            ("SELECT string_agg(name, '' ORDER BY name) FROM 'az://files/2024/*.csv'", ["ab"]),
            ("SELECT filename FROM read_csv('az://files/2025/*.csv', filename = true)", ["az://files/2025/d.csv"]),
            ("SELECT year, id FROM read_csv('az://files/hive/*/*.csv') ORDER BY year", ["2023|5", "2024|6"]),
            ("SELECT column_name FROM (DESCRIBE SELECT * FROM read_csv('az://files/hive/*/*.csv'))", ["id", "year"]),
            ("CREATE OR REPLACE TABLE hive AS SELECT * FROM read_csv('az://files/hive/**/*.csv', hive_types = {'year': 'VARCHAR'})", []),
            ("SELECT year || 'x', id FROM hive ORDER BY ALL", ["2023x|5", "2024x|6"]),
            ("SELECT name FROM read_csv('az://files/' || strftime(DATE '2024-05-05', '%Y') || '/a.csv')", ["a"]),
        ])
            Assert.Equal(expected, await client.TextsAsync(sql));

        foreach (var (url, message) in (IEnumerable<(string, string)>)
        [
            ("az://files/none.csv", "^HTTP Error: Unable to connect to URL \"az://files/none\\.csv\": 404 \\(the blob does not exist\\)"),
            ("az://nocontainer/none.csv", "^HTTP Error: .*404 \\(the container does not exist\\)"),
            ("az://files/none/*.csv", "^IO Error: No files found that match the pattern \"az://files/none/\\*\\.csv\""),
            ("azure://other.blob.core.windows.net/files/a.csv", "account 'other'"),
            ("az://files", "must name a container and a path"),
            ("az://files/bad.parquet", "^Invalid Input Error: File 'az://files/bad\\.parquet' too small"),
        ])
        {
            await using var again = await endpoint.ConnectAsync();
            Assert.Matches(message, (await again.FailureAsync(url.EndsWith("parquet", StringComparison.Ordinal) ? $"SELECT * FROM '{url}'" : $"SELECT * FROM read_csv('{url}')")).MessageText);
        }
        Assert.DoesNotContain(Azurite.Key, endpoint.Log, StringComparison.Ordinal);

        var wrong = azurite.ConnectionString.Replace(Azurite.Key, Convert.ToBase64String(new byte[64]), StringComparison.Ordinal);
        await using var denied = await TestEndpoint.StartAsync(new() { AzureConnectionString = wrong });
        await using var refused = await denied.ConnectAsync();
        Assert.Matches("^HTTP Error: HTTP GET error on 'az://files/2024/a\\.csv' \\(HTTP 403\\): access is denied", (await refused.FailureAsync("SELECT * FROM read_csv('az://files/2024/a.csv')")).MessageText);
    }

    [Theory]
    [InlineData("2024/*.csv", "2024/a.csv", true)]
    [InlineData("2024/*.csv", "2024/deep/a.csv", false)]
    [InlineData("**/*.csv", "a.csv", true)]
    [InlineData("**/*.csv", "x/y/a.csv", true)]
    [InlineData("a?.csv", "ab.csv", true)]
    [InlineData("a?.csv", "a/.csv", false)]
    [InlineData("[!a-c].csv", "d.csv", true)]
    [InlineData("[!a-c].csv", "b.csv", false)]
    [InlineData("a.c+v", "a.c+v", true)]
    [InlineData("a.csv", "axcsv", false)]
    public void Globs_are_DuckDBs(string glob, string name, bool matches) => Assert.Equal(matches, Glob.Pattern(glob).IsMatch(name));

    [Theory]
    [InlineData("https://h/a/year=2024/b.csv.gz?sig=x", "year=2024", "b.csv.gz")]
    [InlineData("https://h/town=S%C3%A3o/x*y=1/b.csv", "town=S%C3%A3o", "x%2Ay=1", "b.csv")]
    [InlineData("https://h/../../k=../b.csv", "k=..", "b.csv")]
    [InlineData("https://h/", "data")]
    [InlineData("https://h/%2e%2e%2fetc", "_etc")]
    public void A_cached_files_path_keeps_what_DuckDB_reads_from_it(string url, params string[] expected) => Assert.Equal(Path.Combine(expected), CachePath.Of(url));
}
