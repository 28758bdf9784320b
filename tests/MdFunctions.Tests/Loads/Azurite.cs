using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using MdFunctions.Local;

namespace MdFunctions.Tests.Loads;

/// <summary>Azure's own storage emulator, with a container <c>raw</c> of Parquet files.</summary>
public sealed class Azurite : IAsyncDisposable
{
    // Azurite's own, published in its documentation.
    private const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private readonly Process _process;
    private readonly string _folder;

    private Azurite(Process process, string folder, string connectionString) => (_process, _folder, ConnectionString) = (process, folder, connectionString);

    public string ConnectionString { get; }

    private static string Endpoint => Path.Combine(LocalHost.RepositoryRoot(), "local", "endpoint");

    public static async Task<Azurite> StartAsync()
    {
        await NodeModules.EnsureAsync(Endpoint, forTests: true, _ => { }, CancellationToken.None);
        var folder = Directory.CreateTempSubdirectory("mdfunctions-azurite-").FullName;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        listener.Stop();
        var process = Process.Start(new ProcessStartInfo(
            "node", ["node_modules/azurite/dist/src/blob/main.js", "--blobHost", "127.0.0.1", "--blobPort", port, "--location", folder, "--skipApiVersionCheck", "--disableTelemetry"])
        {
            WorkingDirectory = Endpoint,
            RedirectStandardOutput = true,
        })!;
        for (string? line; (line = await process.StandardOutput.ReadLineAsync()) is not null && !line.Contains("successfully", StringComparison.Ordinal);)
        {
        }
        Assert.False(process.HasExited, "Azurite did not start");
        _ = process.StandardOutput.ReadToEndAsync();
        return new Azurite(process, folder, $"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={Key};BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1;");
    }

    /// <summary>Makes a Parquet file of each statement's rows and uploads it to <c>raw</c>.</summary>
    /// <param name="files">The statements, by the files' paths.</param>
    public async Task UploadAsync(IReadOnlyDictionary<string, string> files)
    {
        const string script = """
            import { DuckDBInstance } from '@duckdb/node-api';
            import { BlobServiceClient } from '@azure/storage-blob';
            import fs from 'node:fs';
            const [folder, input] = process.argv.slice(2);
            const container = BlobServiceClient.fromConnectionString(process.env.AZURE_STORAGE_CONNECTION_STRING).getContainerClient('raw');
            await container.createIfNotExists();
            const connection = await (await DuckDBInstance.create()).connect();
            for (const [path, sql] of Object.entries(JSON.parse(fs.readFileSync(input, 'utf8')))) {
              await connection.run(`COPY (${sql}) TO '${folder}/next.parquet'`);
              await container.getBlockBlobClient(path).uploadFile(`${folder}/next.parquet`);
            }
            process.exit(0);
            """;
        var input = Path.Combine(_folder, "upload.json");
        await File.WriteAllTextAsync(input, System.Text.Json.JsonSerializer.Serialize(files));
        var start = new ProcessStartInfo("node", ["--input-type=module", "-", _folder, input]) { WorkingDirectory = Endpoint, RedirectStandardInput = true, RedirectStandardError = true };
        start.Environment["AZURE_STORAGE_CONNECTION_STRING"] = ConnectionString;
        using var process = Process.Start(start)!;
        await process.StandardInput.WriteAsync(new StringBuilder(script));
        process.StandardInput.Close();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, errors);
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
