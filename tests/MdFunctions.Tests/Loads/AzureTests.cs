using System.Net;
using System.Text;
using Azure.Storage.Blobs;
using MdFunctions.Endpoint.Tests.Infrastructure;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace MdFunctions.Tests.Loads;

/// <summary>Loads from Azure Blob Storage: 20 Parquet files behind a glob, by mode, by check and by event.</summary>
public sealed class AzureTests
{
    private const string Glob = "SELECT * FROM read_parquet('az://raw/orders/*.parquet', MD_RUN = REMOTE)";

    [AzuriteFact]
    public async Task Twenty_files_behind_a_glob_are_replaced_appended_and_merged()
    {
        await using var azurite = await Azurite.StartAsync();
        await UploadAsync(azurite, Orders(version: 1, files: 20));
        await using var app = await StartAsync(azurite, new Dictionary<string, string>
        {
            ["loads/replaced.sql"] = "/*\ntarget: my_db.main.replaced\nmode: replace\n*/\n" + Glob,
            ["loads/appended.sql"] = "/*\ntarget: my_db.main.appended\nmode: append\n*/\n" + Glob,
            ["loads/merged.sql"] = "/*\ntarget: my_db.main.merged\nmode: merge\nkeys: id\n*/\n" + Glob,
            ["loads/checked.sql"] = "/*\ntarget: my_db.main.checked\nmode: replace\ncheck: SELECT max(version) = 1 AND count(*) = 20000 FROM staged\n*/\n" + Glob,
            ["loads/nothing.sql"] = "/*\ntarget: my_db.main.nothing\nmode: replace\n*/\nSELECT * FROM read_parquet('az://raw/none/*.parquet')",
        });
        await LoadAllAsync(app, HttpStatusCode.OK);
        // Half of the files get another version; the other half goes on.
        await UploadAsync(azurite, Orders(version: 2, files: 10));
        await LoadAllAsync(app, HttpStatusCode.UnprocessableEntity);

        Assert.Equal(["1|10000", "2|10000"], await SqlAsync(app, "SELECT version, count(*) FROM my_db.main.replaced GROUP BY ALL ORDER BY ALL"));
        Assert.Equal(["1|30000", "2|10000"], await SqlAsync(app, "SELECT version, count(*) FROM my_db.main.appended GROUP BY ALL ORDER BY ALL"));
        Assert.Equal(["1|10000|10000", "2|10000|10000"], await SqlAsync(app, "SELECT version, count(*), count(DISTINCT id) FROM my_db.main.merged GROUP BY ALL ORDER BY ALL"));
        Assert.Equal(["1|20000"], await SqlAsync(app, "SELECT version, count(*) FROM my_db.main.checked GROUP BY ALL"));
        using var nothing = await app.Client.PostAsync("api/loads/nothing", null);
        await nothing.ProblemAsync(502);
        Assert.Equal(["az://raw/none/*.parquet|failed"], await SqlAsync(app, "SELECT source, status FROM my_db.md_functions.load_runs WHERE load = 'nothing'"));

        static async Task LoadAllAsync(LocalApp app, HttpStatusCode ofChecked)
        {
            foreach (var load in (string[])["replaced", "appended", "merged", "checked"])
            {
                using var response = await app.Client.PostAsync($"api/loads/{load}", null);
                Assert.True(response.StatusCode == (load == "checked" ? ofChecked : HttpStatusCode.OK), await response.Content.ReadAsStringAsync());
            }
        }
    }

    [AzuriteFact]
    public async Task An_event_is_read_by_way_of_az()
    {
        await using var azurite = await Azurite.StartAsync();
        await UploadAsync(azurite, new Dictionary<string, string> { ["in/day 1.parquet"] = "SELECT range AS id FROM range(10)" });
        await using var app = await StartAsync(azurite, new Dictionary<string, string>
        {
            ["loads/in.sql"] = "/*\ntarget: my_db.main.t\nmode: append\nevents: az://devstoreaccount1.blob.core.windows.net/raw/in/\n*/\nSELECT * FROM read_parquet($url, MD_RUN = REMOTE)",
        });
        const string created = """
            { "specversion": "1.0", "type": "Microsoft.Storage.BlobCreated", "source": "/x", "id": "1",
              "data": { "api": "PutBlob", "eTag": "0x1", "contentLength": 300, "url": "https://devstoreaccount1.blob.core.windows.net/raw/in/day%201.parquet" } }
            """;
        for (var delivery = 0; delivery < 2; delivery++)
        {
            using var response = await app.Client.PostAsync("api/events/storage", new StringContent(created, Encoding.UTF8, "application/cloudevents+json"));
            Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        }
        Assert.Equal(["10"], await SqlAsync(app, "SELECT count(*) FROM my_db.main.t"));
        Assert.Equal(["https://devstoreaccount1.blob.core.windows.net/raw/in/day%201.parquet 0x1|az://devstoreaccount1.blob.core.windows.net/raw/in/day 1.parquet"],
            await SqlAsync(app, "SELECT occurrence, source FROM my_db.md_functions.load_runs"));
    }

    private static Dictionary<string, string> Orders(int version, int files) => Enumerable.Range(0, files).ToDictionary(
        i => $"orders/part-{i:00}.parquet", i => $"SELECT {version} AS version, range + {i * 1000} AS id, md5(range::VARCHAR) AS filling FROM range(1000)");

    private static Task<LocalApp> StartAsync(Azurite azurite, Dictionary<string, string> loads) =>
        LocalApp.StartAsync(new MdFunctions.Local.LocalOptions { Endpoint = new() { AzureConnectionString = azurite.ConnectionString } }, loads);

    // A Parquet file of each statement's rows, by the files' paths, in the container raw.
    private static async Task UploadAsync(Azurite azurite, IReadOnlyDictionary<string, string> files)
    {
        var container = new BlobServiceClient(azurite.ConnectionString).GetBlobContainerClient("raw");
        await container.CreateIfNotExistsAsync();
        foreach (var (path, sql) in files)
            await container.GetBlobClient(path).UploadAsync(BinaryData.FromBytes(ParquetFile.Of(sql)), overwrite: true);
    }

    private static async Task<string[]> SqlAsync(LocalApp app, string sql)
    {
        await using var connection = await app.Host.Services.GetRequiredService<MotherDuckDataSources>().Write.OpenAsync(CancellationToken.None);
        return [.. (await connection.RowsAsync(sql, [], CancellationToken.None)).Select(row => string.Join('|', row))];
    }
}
