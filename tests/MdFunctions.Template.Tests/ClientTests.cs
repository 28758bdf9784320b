using System.Diagnostics;
using System.Reflection;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Template.Tests;

/// <summary>A client that Kiota generates from the app's OpenAPI document, as docs/explore.md tells, compiles and calls the app.</summary>
[Collection(nameof(WindowsClone))]
public sealed class ClientTests(WindowsClone clone)
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private static readonly string Kiota =
        typeof(ClientTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "Kiota").Value!;

    // One of each type, also where a name, a default or a missing value could trip a generator.
    private const string AllTypes = """
        /*
        parameters:
          a_boolean: { type: boolean, default: true }
          a_tinyint: { type: tinyint, default: 7 }
          an_integer: { type: integer, enum: [1, 2] }
          a_bigint: { type: bigint, optional: true }
          a_hugeint: { type: hugeint, optional: true }
          a_float: { type: float, default: NaN }
          a_double: { type: double, default: .5 }
          a_decimal: { type: "decimal(38,10)", default: "1.10" }
          a_varchar: { type: varchar, pattern: "[a-z]+", maxLength: 9, optional: true }
          a_blob: { type: blob, optional: true }
          a_date: { type: date, minimum: 2020-01-01, optional: true }
          a_time: { type: time, optional: true }
          a_timetz: { type: timetz, optional: true }
          a_timestamp: { type: timestamp, optional: true }
          a_timestamptz: { type: timestamptz, optional: true }
          an_interval: { type: interval, optional: true }
          a_uuid: { type: uuid, optional: true }
          a_json: { type: json, optional: true }
          a_bit: { type: bit, optional: true }
          a_list: { type: "integer[]", default: [1, 2], maxLength: 3 }
          dates: { type: "date[]", optional: true }
          class: { type: varchar, optional: true }
        */
        SELECT $a_boolean AS a, $a_tinyint AS b, $an_integer AS d, $a_bigint AS e, $a_hugeint AS f, $a_float AS h, $a_double AS i, $a_decimal AS j, $a_varchar AS k,
          $a_blob AS l, $a_date AS m, $a_time AS n, $a_timetz AS o, $a_timestamp AS p, $a_timestamptz AS q, $an_interval AS r, $a_uuid AS s, $a_json AS t, $a_bit AS u,
          $a_list AS v, $dates AS w, {'x': 1, 'y': [2.5::DECIMAL(4,2)]} AS z, $class AS "namespace"
        """;

    private const string Project = """
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net10.0</TargetFramework>
            <Nullable>enable</Nullable>
            <ImplicitUsings>enable</ImplicitUsings>
            <InvariantGlobalization>true</InvariantGlobalization>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="Microsoft.Kiota.Http.HttpClientLibrary" Version="2.1.6" />
            <PackageReference Include="Microsoft.Kiota.Serialization.Form" Version="2.1.6" />
            <PackageReference Include="Microsoft.Kiota.Serialization.Json" Version="2.1.6" />
            <PackageReference Include="Microsoft.Kiota.Serialization.Multipart" Version="2.1.6" />
            <PackageReference Include="Microsoft.Kiota.Serialization.Text" Version="2.1.6" />
          </ItemGroup>
        </Project>
        """;

    private const string Caller = """
        using Acme.Client;
        using Microsoft.Kiota.Abstractions;
        using Microsoft.Kiota.Abstractions.Authentication;
        using Microsoft.Kiota.Http.HttpClientLibrary;

        var client = new DataClient(new HttpClientRequestAdapter(new AnonymousAuthenticationProvider()) { BaseUrl = args[0] });

        var stories = await client.Api.Queries.Top_stories.GetAsync(request => request.QueryParameters.Limit = 2);
        foreach (var story in stories!)
            Console.WriteLine($"story {story.Title} {story.Score}");

        var row = (await client.Api.Queries.All_types.PostAsync(new()
        {
            AnInteger = 2, ABigint = 9007199254740993, AVarchar = "abc", ADate = new Date(2024, 2, 29), ATimestamptz = DateTimeOffset.Parse("2024-02-29T01:02:03+01:00"),
            AUuid = Guid.Parse("11111111-2222-3333-4444-555555555555"), AList = [4, 5], Class = "c",
        }))!.Single();
        Console.WriteLine($"row {row.A} {row.B} {row.D} {row.E} {row.K} {row.M} {row.Q:O} {row.S} {string.Join('+', row.V!)} {row.Namespace}");

        try
        {
            await client.Api.Queries.Top_stories.GetAsync(request => request.QueryParameters.Limit = 101);
        }
        catch (ApiException e)
        {
            Console.WriteLine($"refused {e.ResponseStatusCode} {e.GetType().Name}");
        }
        """;

    [Fact]
    public async Task A_generated_client_compiles_and_calls_queries()
    {
        await clone.BuildAsync();
        var sql = Path.Combine(clone.Work, "sql");
        foreach (var file in WindowsClone.Files(Path.Combine(clone.Root, "functions/sql")))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(sql, file))!);
            File.Copy(Path.Combine(clone.Root, "functions/sql", file), Path.Combine(sql, file));
        }
        await File.WriteAllTextAsync(Path.Combine(sql, "queries/all_types.sql"), AllTypes);
        var folder = Directory.CreateDirectory(Path.Combine(clone.Work, "client")).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "Client.csproj"), Project);
        await File.WriteAllTextAsync(Path.Combine(folder, "Program.cs"), Caller);

        var start = Command.Start(clone.Root, "dotnet", "run", "--no-build", "--project", "local", "--", "--port", "0", "--endpoint-port", "0");
        start.Environment["SqlDirectory"] = sql;
        start.Environment["Secrets__GitHubWebhook"] = "It's a Secret to Everybody";
        using var app = Process.Start(start)!;
        try
        {
            var url = await UrlAsync(app).WaitAsync(StartLimit);
            using (var http = new HttpClient { BaseAddress = url })
                await File.WriteAllBytesAsync(Path.Combine(folder, "openapi.json"), await http.GetByteArrayAsync("api/openapi.json"));
            await Command.RunAsync(folder, "dotnet", Kiota, "generate", "-d", "openapi.json", "-l", "CSharp", "-c", "DataClient", "-n", "Acme.Client", "-o", "client");
            var said = await Command.RunAsync(folder, "dotnet", "run", "--", url.GetLeftPart(UriPartial.Authority));
            var lines = said.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            Assert.True(lines.Count(line => line.Contains("story ", StringComparison.Ordinal)) == 2, said);
            Assert.Contains("row True 7 2 9007199254740993 abc 2024-02-29 2024-02-29T00:02:03.0000000+00:00 11111111-2222-3333-4444-555555555555 4+5 c", lines);
            Assert.Contains(lines, line => line.StartsWith("refused 400 ", StringComparison.Ordinal));
        }
        finally
        {
            app.Kill(entireProcessTree: true);
            await app.WaitForExitAsync();
        }
    }

    // The address of a route in what it prints; the rest is read too, so that it never waits for a reader.
    private static Task<Uri> UrlAsync(Process app)
    {
        var found = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        var lines = new List<string>();
        void Take(object _, DataReceivedEventArgs line)
        {
            lock (lines)
                lines.Add(line.Data ?? "(the end)");
            if (line.Data is { } text && text.EndsWith("/api/health", StringComparison.Ordinal))
                found.TrySetResult(new Uri(new Uri(text[text.IndexOf("http://", StringComparison.Ordinal)..]), "/"));
            else if (line.Data is null && app.HasExited)
                found.TrySetException(new InvalidOperationException("the app ended: " + string.Join('\n', lines)));
        }
        app.OutputDataReceived += Take;
        app.ErrorDataReceived += Take;
        app.BeginOutputReadLine();
        app.BeginErrorReadLine();
        return found.Task;
    }
}
