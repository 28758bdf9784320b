using System.Reflection;
using System.Text;
using System.Text.Json;
using MdFunctions.Local;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Infra;

/// <summary>The real Bicep compiler, and what it makes of <c>infra/main.bicep</c>.</summary>
public sealed class Bicep
{
    /// <summary>The repository.</summary>
    public static readonly string Root = LocalHost.RepositoryRoot();

    /// <summary>The compiler.</summary>
    public static readonly string Compiler = Path.GetFullPath(
        typeof(Bicep).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "Bicep").Value!.Replace('\\', '/'));

    private static readonly Lazy<Task<ArmTemplate>> Compiled = new(() => CompileAsync(Path.Combine(Root, "infra")));

    private static readonly Lazy<Task<IReadOnlyList<Resource>>> Dev = new(() => PredictAllAsync(Path.Combine(Root, "infra"), "dev"));

    /// <summary>The repository's <c>main.bicep</c> as the JSON that Azure Resource Manager runs.</summary>
    public static Task<ArmTemplate> MainAsync() => Compiled.Value;

    /// <summary>What an environment <c>dev</c> with all that is optional consists of.</summary>
    public static Task<IReadOnlyList<Resource>> DevAsync() => Dev.Value;

    /// <summary>What the linter says of a file and all that it uses, one finding a line.</summary>
    /// <param name="file">The file.</param>
    /// <param name="configuration">The rules.</param>
    public static async Task<IReadOnlyList<string>> LintAsync(string file, string configuration)
    {
        // The findings' number is in the exit code too, so it is not looked at.
        var start = Command.Start(Path.GetDirectoryName(file)!, Compiler, "lint", file, "--config", configuration, "--diagnostics-format", "Sarif");
        using var process = System.Diagnostics.Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(output.StartsWith('{'), await errors);
        return [.. JsonSerializer.Deserialize<JsonElement>(output).GetProperty("runs")[0].GetProperty("results").EnumerateArray().Select(result =>
            $"{result.GetProperty("ruleId").GetString()}: {result.GetProperty("message").GetProperty("text").GetString()}")];
    }

    /// <summary>
    /// What a deployment would make, as Azure's own engine predicts it without Azure: names are as they will be; what only Azure knows stays an expression.
    /// </summary>
    /// <param name="folder">Where <c>main.bicep</c> is.</param>
    /// <param name="parameters">Its parameters, as Bicep writes them.</param>
    public static async Task<IReadOnlyList<Resource>> PredictAsync(string folder, params IEnumerable<(string Name, string Value)> parameters)
    {
        var scratch = Directory.CreateTempSubdirectory("mdfunctions-bicep-").FullName;
        try
        {
            var text = new StringBuilder($"using '{Path.GetRelativePath(scratch, Path.Combine(folder, "main.bicep")).Replace('\\', '/')}'\n");
            foreach (var (name, value) in parameters.Prepend(("motherduckToken", "{ value: '' }")).DistinctBy(parameter => parameter.Item1))
                text.Append("param ").Append(name).Append(" = ").Append(value).Append('\n');
            await File.WriteAllTextAsync(Path.Combine(scratch, "a.bicepparam"), text.ToString());
            await Command.RunAsync(
                scratch, Compiler, "snapshot", "a.bicepparam", "--mode", "overwrite", "--location", "eastus", "--deployment-name", "azd",
                "--subscription-id", "00000000-0000-0000-0000-000000000001", "--tenant-id", "00000000-0000-0000-0000-000000000002");
            var snapshot = JsonSerializer.Deserialize<JsonElement>(await File.ReadAllTextAsync(Path.Combine(scratch, "a.snapshot.json")));
            // Nothing is left out but what repeats over secret values.
            Assert.All(snapshot.GetProperty("diagnostics").EnumerateArray(), said => Assert.Contains("parameters('secrets')", said.GetString(), StringComparison.Ordinal));
            return [.. snapshot.GetProperty("predictedResources").EnumerateArray().Select(json => new Resource(json))];
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    /// <summary>A deployment with all that is optional.</summary>
    public static Task<IReadOnlyList<Resource>> PredictAllAsync(string folder, string environment, params IEnumerable<(string Name, string Value)> parameters) => PredictAsync(
        folder,
        [
            .. parameters,
            ("environmentName", $"'{environment}'"), ("location", "'eastus'"), ("principalId", "'00000000-0000-0000-0000-000000000003'"), ("principalType", "'User'"),
            ("readTokenNameInVault", "'motherduck-read-token'"), ("vnetEnabled", "true"), ("alertEmail", "'operator@example.com'"),
            ("eventsStorageAccount", "'landing'"), ("eventsResourceGroup", "'rg-landing'"), ("eventsContainer", "'raw'"),
            ("corsOrigins", "'https://www.example.com, https://app.example.com'"), ("authClientId", "'00000000-0000-0000-0000-000000000004'"),
        ]);

    private static async Task<ArmTemplate> CompileAsync(string folder)
    {
        var output = Path.GetTempFileName();
        try
        {
            await Command.RunAsync(folder, Compiler, "build", "main.bicep", "--outfile", output);
            return new ArmTemplate(JsonSerializer.Deserialize<JsonElement>(await File.ReadAllTextAsync(output)));
        }
        finally
        {
            File.Delete(output);
        }
    }

    /// <summary>A resource as it is predicted.</summary>
    public sealed record Resource(JsonElement Json)
    {
        public string Type => Json.GetProperty("type").GetString()!;

        public string Id => Json.GetProperty("id").GetString()!;

        public string Name => Json.GetProperty("name").GetString()!;

        public JsonElement Properties => Json.GetProperty("properties");

        /// <summary>A tag; null without one.</summary>
        public string? Tag(string name) => Json.TryGetProperty("tags", out var tags) && tags.TryGetProperty(name, out var value) ? value.GetString() : null;
    }
}
