using Azure.Storage.Blobs;
using MdFunctions.Endpoint.Tests.Infrastructure;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace MdFunctions.Tests.Loads;

/// <summary>Columns that come from folders of the path, <c>/year=2024/</c>: they stay, and become what <c>createAs</c> or the target says from the folder's own text.</summary>
public sealed class FolderTests
{
    private const string CreateAs = "createAs: { year: INTEGER, month: VARCHAR, v: 'DECIMAL(9,2)' }";
    private const string Named = "['{files}/sales/year=2023/month=01/a', '{files}/sales/year=2024/month=02/a']";

    // What no look at the statement tells.
    private const string Computed = "list_transform(['2023/month=01', '2024/month=02'], lambda part: '{files}/sales/ye' || 'ar=' || part || '/a')";

    [Theory]
    [InlineData("SELECT * FROM read_csv(" + Named + ")")]
    [InlineData("SELECT * FROM read_csv(" + Named + ", hive_partitioning = true, header = true, types = {'v': 'VARCHAR'})")]
    [InlineData("SELECT * FROM read_csv(" + Computed + ")")]
    [InlineData("SELECT v, year, month FROM read_csv(" + Computed + ") WHERE year > 2000 AND month <> 'x'")]
    [InlineData("SELECT * FROM read_csv(" + Computed + ", hive_types = {'month': 'VARCHAR'})")]
    [InlineData("SELECT * FROM read_json(" + Computed + ")", "json")]
    [InlineData("SELECT * FROM read_json(" + Named + ", filename = true)", "json", "filename")]
    public async Task Replace_with_createAs_keeps_them(string select, string format = "csv", string? more = null)
    {
        await using var app = await StartAsync($"mode: replace\n{CreateAs}", select);
        Put(app, "year=2023/month=01", "1.50", format);
        Put(app, "year=2024/month=02", "2.25", format);
        for (var run = 0; run < 2; run++)
        {
            Assert.Equal(2, (await app.RunAsync("it")).GetProperty("rows").GetInt32());
            Assert.Equal(["2023|01|1.50", "2024|02|2.25"], await app.SqlAsync("SELECT year, month, v FROM {db}.main.t ORDER BY year"));
        }
        Assert.Equal(
            ((string[])["month|VARCHAR", "v|DECIMAL(9,2)", "year|INTEGER"]).Concat(more is null ? [] : [$"{more}|VARCHAR"]).Order(StringComparer.Ordinal),
            (await app.SqlAsync("SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = '{db}' AND table_name = 't'")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_targets_types_count_and_what_does_not_fit_is_refused()
    {
        await using var app = await StartAsync("mode: append", $"SELECT * FROM read_csv({Computed})");
        await app.SqlAsync("CREATE TABLE {db}.main.t (year SMALLINT, month VARCHAR, v VARCHAR)");
        Put(app, "year=2023/month=01", "007");
        Put(app, "year=2024/month=02", "1E5");
        await app.RunAsync("it");
        Assert.Equal(["2023|01|007", "2024|02|1E5"], await app.SqlAsync("SELECT year, month, v FROM {db}.main.t ORDER BY year"));

        await using var refused = await StartAsync("mode: replace\ncreateAs: { month: TINYINT, year: TINYINT }", $"SELECT * FROM read_csv({Computed})");
        Put(refused, "year=2023/month=01", "1");
        Put(refused, "year=2024/month=02", "2");
        Assert.Contains("column 'year': 2023 cannot be stored exactly as TINYINT", (await refused.RunAsync("it", 422)).GetProperty("detail").GetString());
    }

    [AzuriteFact]
    public async Task Behind_a_glob_they_are_kept_as_well()
    {
        await using var azurite = await Azurite.StartAsync();
        var container = new BlobServiceClient(azurite.ConnectionString).GetBlobContainerClient("raw");
        await container.CreateIfNotExistsAsync();
        await container.UploadBlobAsync("sales/year=2023/month=01/a.csv", BinaryData.FromString("v\n1.50\n"));
        await container.UploadBlobAsync("sales/year=2024/month=02/b.csv", BinaryData.FromString("v\n2.25\n"));
        await using var app = await LocalApp.StartAsync(
            new MdFunctions.Local.LocalOptions { Endpoint = new() { AzureConnectionString = azurite.ConnectionString } },
            new Dictionary<string, string> { ["loads/it.sql"] = $"/*\ntarget: my_db.main.t\nmode: replace\n{CreateAs}\n*/\nSELECT * FROM read_csv('az://raw/sales/*/*/*.csv', MD_RUN = REMOTE)" });
        using var response = await app.Client.PostAsync("api/loads/it", null);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        await using var connection = await app.Host.Services.GetRequiredService<MotherDuckDataSources>().Write.OpenAsync(CancellationToken.None);
        var rows = await connection.RowsAsync("SELECT year, month, v FROM my_db.main.t ORDER BY year", [], CancellationToken.None);
        Assert.Equal(["2023|01|1.50", "2024|02|2.25"], rows.Select(row => string.Join('|', row)));
    }

    private static void Put(LoadApp app, string folder, string value, string format = "csv") =>
        app.Files.Put($"sales/{folder}/a", format == "csv" ? $"v\n{value}\n" : $"{{\"v\": \"{value}\"}}\n");

    private static Task<LoadApp> StartAsync(string frontMatter, string select) =>
        LoadApp.StartAsync(new Dictionary<string, string> { ["it"] = $"/*\ntarget: {{db}}.main.t\n{frontMatter}\n*/\n{select}" });
}
