using System.Text.RegularExpressions;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Template.Tests;

/// <summary>Copies made with <c>dotnet new</c> from the packed template.</summary>
[Collection(nameof(WindowsClone))]
public sealed partial class CopyTests(WindowsClone clone)
{
    [Fact]
    public async Task A_copy_has_its_own_name_and_passes_its_tests_with_another_engine_too()
    {
        var copy = await clone.CopyAsync("whole", "-n", "Acme.Data", "--region", "eu-central-1");
        var files = WindowsClone.Files(copy);

        // functions/, tests and solution have the new name, and all that they need is there.
        Assert.Equal(
            ["Acme.Data.sln", "engine/MdFunctions.Engine.csproj", "functions/Acme.Data.csproj", "tests/Acme.Data.Tests/Acme.Data.Tests.csproj"],
            files.Where(file => ProjectOfTheApp().IsMatch(file)));
        Assert.All(files.Where(file => !file.StartsWith("engine/", StringComparison.Ordinal) && !file.StartsWith("local/", StringComparison.Ordinal) && file != "LICENSE"), file =>
            Assert.DoesNotMatch(OldName(), File.ReadAllText(Path.Combine(copy, file))));
        Assert.All(files, file => Assert.DoesNotMatch("(?m)^[ /#<!-]*#(if|else|endif)\\b.*(noSamples|isTemplate|entra)", File.ReadAllText(Path.Combine(copy, file))));
        Assert.DoesNotContain(files, file => About().IsMatch(file));

        // What is only for Azure and people.
        Assert.StartsWith("name: acme-data", File.ReadLines(Path.Combine(copy, "azure.yaml")).First(line => line.StartsWith("name:", StringComparison.Ordinal)), StringComparison.Ordinal);
        var main = Text(copy, "infra/main.bicep");
        Assert.Contains("'acme-data'", main, StringComparison.Ordinal);
        Assert.DoesNotContain("motherduck-functions", main, StringComparison.Ordinal);
        Assert.Contains("motherduckRegion string = 'eu-central-1'", main, StringComparison.Ordinal);
        Assert.Contains("\"MotherDuck:Region\": \"eu-central-1\"", Text(copy, "local.settings.sample.json"), StringComparison.Ordinal);
        Assert.Contains("dotnet test tests/Acme.Data.Tests", Text(copy, "README.md"), StringComparison.Ordinal);
        Assert.DoesNotContain("dotnet new install", Text(copy, "README.md"), StringComparison.Ordinal);
        Assert.All(files.Where(file => file.EndsWith(".md", StringComparison.Ordinal)), file => LinksLeadSomewhere(copy, file));

        // engine/ and local/ came along to the letter...
        foreach (var folder in (string[])["engine", "local"])
        {
            var source = WindowsClone.Files(Path.Combine(clone.Root, folder));
            Assert.Equal(source, WindowsClone.Files(Path.Combine(copy, folder)));
            Assert.All(source, file => Assert.Equal(File.ReadAllBytes(Path.Combine(clone.Root, folder, file)), File.ReadAllBytes(Path.Combine(copy, folder, file))));
        }
        // ...so another version takes their place, and nothing else is touched.
        foreach (var file in WindowsClone.Files(Path.Combine(copy, "engine")))
            File.Delete(Path.Combine(copy, "engine", file));
        foreach (var file in WindowsClone.Files(Path.Combine(clone.Root, "engine")))
            File.Copy(Path.Combine(clone.Root, "engine", file), Path.Combine(copy, "engine", file));
        await File.WriteAllTextAsync(Path.Combine(copy, "engine", "NextVersion.cs"), "namespace MdFunctions.Engine;\n\n/// <summary>New in this version.</summary>\ninternal static class NextVersion;\n");

        await PassesAsync(copy, "tests/Acme.Data.Tests", 3);
        Assert.Contains("NextVersion", await File.ReadAllTextAsync(Path.Combine(copy, "tests/Acme.Data.Tests/bin/Debug/net10.0/MdFunctions.Engine.dll")), StringComparison.Ordinal);
        await Command.RunAsync(copy, "dotnet", "format", "Acme.Data.sln", "--no-restore", "--verify-no-changes");
    }

    [Fact]
    public async Task A_copy_without_samples_has_nothing_of_them_and_takes_files_from_the_item_templates()
    {
        var copy = await clone.CopyAsync("bare", "-n", "my-data", "--no-samples");
        var files = WindowsClone.Files(copy);
        Assert.DoesNotContain(files, file => file.Contains("amples/", StringComparison.Ordinal) || file.EndsWith(".sql", StringComparison.Ordinal));
        Assert.All(files.Where(file => !file.StartsWith("engine/", StringComparison.Ordinal) && !file.StartsWith("local/", StringComparison.Ordinal)), file =>
            Assert.DoesNotMatch("WEATHER_CSV_URL|weatherCsvUrl|/api/samples|AuthorFunctions", File.ReadAllText(Path.Combine(copy, file))));
        Assert.All(files.Where(file => file.EndsWith(".md", StringComparison.Ordinal)), file => LinksLeadSomewhere(copy, file));

        foreach (var item in (string[])["mdquery", "mdload", "mdingest"])
            await clone.NewAsync(copy, item, "-n", "my-1st");
        Assert.Equal(
            ["functions/sql/ingest/my-1st.sql", "functions/sql/loads/my-1st.sql", "functions/sql/queries/my-1st.sql"],
            WindowsClone.Files(copy).Where(file => file.EndsWith(".sql", StringComparison.Ordinal)));
        await PassesAsync(copy, "tests/my_data.Tests", 2);
    }

    [Fact]
    public async Task A_copy_whose_callers_have_tokens_passes_its_tests_and_starts_with_an_issuer_only()
    {
        var copy = await clone.CopyAsync("tokens", "-n", "Acme.Tokens", "--auth", "entra");
        // Health, and what Event Grid calls, keep the key.
        Assert.Equal(
            ["functions/HealthFunctions.cs", "functions/StorageEventFunctions.cs"],
            WindowsClone.Files(copy).Where(file => file.StartsWith("functions/", StringComparison.Ordinal) && Text(copy, file).Contains("AuthorizationLevel.Function", StringComparison.Ordinal)));
        Assert.Contains("\"Auth:Authority\": \"\",", Text(copy, "local.settings.sample.json"), StringComparison.Ordinal);
        Assert.Contains("\n@minLength(1)\nparam authClientId string\n", Text(copy, "infra/main.bicep"), StringComparison.Ordinal);
        await PassesAsync(copy, "tests/Acme.Tokens.Tests", 4);
        await Command.RunAsync(copy, "dotnet", "format", "Acme.Tokens.sln", "--no-restore", "--verify-no-changes");

        File.Copy(Path.Combine(copy, "local.settings.sample.json"), Path.Combine(copy, "local.settings.json"));
        Assert.Contains("Setting Auth:Authority: is not set, and the triggers of ", await StartAsync(copy), StringComparison.Ordinal);
        Assert.Contains("Ctrl+C stops it", await StartAsync(copy, ("Auth__Open", "true")), StringComparison.Ordinal);
        Assert.Contains("Ctrl+C stops it", await StartAsync(copy, ("Auth__Authority", "https://issuer.example"), ("Auth__Audience", "x")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mdquery", "a b")]
    [InlineData("mdload", "_a")]
    [InlineData("mdingest", "a.b")]
    [InlineData("mdquery", "ä")]
    public async Task A_name_that_no_SQL_file_may_have_is_refused(string item, string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(clone.Work, $"refused-{item}-{Guid.NewGuid():N}")).FullName;
        var start = Command.Start(folder, "dotnet", ["new", item, "-n", name, .. clone.Hive]);
        using var process = System.Diagnostics.Process.Start(start)!;
        var output = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.NotEqual(0, process.ExitCode);
        Assert.Contains("^[A-Za-z0-9][A-Za-z0-9_-]*$", string.Concat(output), StringComparison.Ordinal);
        Assert.Empty(WindowsClone.Files(folder));
    }

    // What it said until it ran or ended; then it is ended.
    private static async Task<string> StartAsync(string copy, params (string Name, string Value)[] settings)
    {
        var start = Command.Start(copy, "dotnet", "local/bin/Debug/net10.0/MdFunctions.Local.dll", "--port", "0", "--endpoint-port", "0");
        foreach (var (name, value) in settings)
            start.Environment[name] = value;
        using var process = System.Diagnostics.Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        try
        {
            var said = new System.Text.StringBuilder();
            while (await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(2)) is { } line)
            {
                said.AppendLine(line);
                if (line.Contains("Ctrl+C stops it", StringComparison.Ordinal))
                    return said.ToString();
            }
            return said + await errors;
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    private static async Task PassesAsync(string copy, string project, int tests)
    {
        var counts = Counts().Match(await Command.RunAsync(copy, "dotnet", "test", project));
        Assert.Equal(("0", tests.ToString(System.Globalization.CultureInfo.InvariantCulture)), (counts.Groups[1].Value, counts.Groups[2].Value));
    }

    private static string Text(string copy, string file) => File.ReadAllText(Path.Combine(copy, file));

    private static void LinksLeadSomewhere(string copy, string page)
    {
        foreach (Match link in Link().Matches(Text(copy, page)))
            Assert.True(Path.Exists(Path.Combine(copy, Path.GetDirectoryName(page)!, link.Groups[1].Value)), $"{page}: {link.Groups[1].Value} does not exist");
    }

    // Not the endpoint's and the local host's.
    [GeneratedRegex("^[^/]+[.]sln$|^(engine|functions|tests)/.*csproj$")]
    private static partial Regex ProjectOfTheApp();

    // The engine, the local host and what they send keep their names.
    [GeneratedRegex("MdFunctions(?![.](Engine|Local|Endpoint))(?<!AddMdFunctions)(?!`)")]
    private static partial Regex OldName();

    // What is about the template is not in a copy.
    [GeneratedRegex("^(CHANGELOG|CONTRIBUTING|SECURITY)|ISSUE_TEMPLATE|^[.]ci/|^templates/|^[.]template")]
    private static partial Regex About();

    [GeneratedRegex("Failed: +([0-9]+), Passed: +([0-9]+)")]
    private static partial Regex Counts();

    [GeneratedRegex("\\]\\((?!https?://|#)([^)#]+)")]
    private static partial Regex Link();
}
