using System.Text.Json;
using System.Text.RegularExpressions;
using MdFunctions.Engine;
using MdFunctions.Engine.Ingest;
using MdFunctions.Engine.Loads;
using MdFunctions.Engine.Queries;
using MdFunctions.Engine.Templates;
using MdFunctions.Local;
using MdFunctions.Tests.Infrastructure;
using Microsoft.Extensions.Configuration;

namespace MdFunctions.Tests.Docs;

/// <summary>What the README lists exists, and what exists is in the README.</summary>
public sealed partial class ReadmeTests
{
    // Azure sets these; nobody else should.
    private static readonly string[] Platform = ["IDENTITY_ENDPOINT", "WEBSITE_SITE_NAME", "WEBSITE_INSTANCE_ID", "WEBSITE_POD_NAME", "CONTAINER_NAME"];

    private static readonly string Root = LocalHost.RepositoryRoot();
    private static readonly string Readme = File.ReadAllText(Path.Combine(Root, "README.md"));

    [Fact]
    public void Every_setting_is_in_the_table_of_settings()
    {
        Assert.Contains("MotherDuck:TokenSecret", CodeSettings()); // The scan finds what it looks for.
        Assert.Contains("Secrets:NAME:previous", CodeSettings());
        Same(CodeSettings(), Rows("## Configure").Where(CodeSettings().Contains));
    }

    [Fact]
    public void Every_row_of_the_table_of_settings_is_a_setting_of_the_app_or_of_its_host()
    {
        var infrastructure = string.Concat(Directory.EnumerateFiles(Path.Combine(Root, "infra"), "*.bicep").Select(File.ReadAllText));
        Assert.All(
            Rows("## Configure").Except(CodeSettings()).Except(SampleSettings()),
            name => Assert.Matches($@"\b{Regex.Escape(name.Replace(":", "__", StringComparison.Ordinal))}\b", infrastructure));
    }

    [Fact]
    public void Every_local_setting_is_in_the_table_of_settings() =>
        Assert.All(SampleSettings(), name => Assert.Contains(name, Rows("## Configure")));

    [Theory]
    [InlineData("query")]
    [InlineData("load")]
    [InlineData("ingest")]
    [InlineData("parameter")]
    public void Every_key_of_front_matter_is_in_its_table_and_no_other(string what)
    {
        var settings = new Settings(new ConfigurationBuilder().Build());
        var keys = what switch
        {
            "query" => Known("a query", "nope: 1", file => QueryTemplate.Read(file, settings, new())),
            "load" => Known("a load", "nope: 1", file => LoadTemplate.Read(file, settings, AppTriggers.Of(typeof(LoadFunctions)))),
            "ingest" =>
            [
                .. Known("an ingest", "nope: 1", file => IngestTemplate.Read(file, settings)),
                .. Known("a signature", "signature: { nope: 1 }", file => IngestTemplate.Read(file, settings)).Select(key => $"signature.{key}"),
            ],
            _ => Known("parameter 'x'", "parameters: { x: { type: integer, nope: 1 } }", file => QueryTemplate.Read(file, settings, new())),
        };
        // An ingest reads them only to refuse them.
        Same(keys.Where(key => (what, key) is not ("ingest", "parameters")), Rows($"front matter of a{(what == "ingest" ? "n" : "")} {what} "));
    }

    [Fact]
    public void Every_route_is_mentioned_and_every_mentioned_route_exists()
    {
        var routes = AppRoutes.Read().Select(route => $"/api/{route}").ToList();
        Assert.Contains("/api/queries/{name}", routes);
        var mentioned = Route().Matches(Readme).Select(match => match.Value).Distinct().ToList();
        Assert.All(routes, route => Assert.Contains(RouteParameter().Replace(route, "NAME"), mentioned));
        // A copy without samples has its README all the same.
        var hasSamples = Directory.Exists(Path.Combine(Root, "functions", "Samples"));
        Assert.All(mentioned.Where(path => hasSamples || !path.StartsWith("/api/samples/", StringComparison.Ordinal)), path =>
            Assert.Contains(routes, route => Regex.IsMatch(path, $"^{RouteParameter().Replace(route, "[^/]+")}$")));
    }

    /// <summary>The settings that the sources ask for, by name; <c>NAME</c> where the name has a part that varies.</summary>
    private static HashSet<string> CodeSettings()
    {
        var sources = ((string[])["functions", "engine"]).SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root, folder), "*.*", SearchOption.AllDirectories))
            .Where(path => path.EndsWith(".cs", StringComparison.Ordinal) || path.EndsWith(".sql", StringComparison.Ordinal))
            .Where(path => !Path.GetRelativePath(Root, path).Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj"));
        return [.. sources.SelectMany(path => Setting().Matches(File.ReadAllText(path)))
            .Select(match => Varying().Replace(match.Groups["name"].Value, "NAME"))
            .Except(Platform)];
    }

    private static IEnumerable<string> SampleSettings() =>
        JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(Path.Combine(Root, "local.settings.sample.json")))
            .GetProperty("Values").EnumerateObject().Select(value => value.Name);

    /// <summary>The names in the first column of the tables between a heading and the next.</summary>
    private static List<string> Rows(string heading)
    {
        var lines = Readme.Split('\n');
        var start = Array.FindIndex(lines, line => line.StartsWith('#') && (line + " ").Contains(heading, StringComparison.OrdinalIgnoreCase));
        Assert.True(start >= 0, $"README.md has no heading '{heading}'");
        var rows = lines.Skip(start + 1).TakeWhile(line => !line.StartsWith('#')).Select(line => Row().Match(line)).Where(match => match.Success).Select(match => match.Groups[1].Value).ToList();
        Assert.NotEmpty(rows);
        Assert.Equal(rows.Distinct(), rows);
        return rows;
    }

    // What a file with a key that nobody knows is told.
    private static string[] Known(string what, string frontMatter, Action<SqlFile> read)
    {
        var file = SqlFile.Parse("x.sql", "x", $"/*\n{frontMatter}\n*/\nSELECT $x");
        read(file);
        var told = $"{what} has no 'nope'; it knows ";
        var fault = Assert.Single(file.Faults, fault => fault.Contains(told, StringComparison.Ordinal));
        return fault[(fault.IndexOf(told, StringComparison.Ordinal) + told.Length)..].Split(", ");
    }

    private static void Same(IEnumerable<string> expected, IEnumerable<string> actual) =>
        Assert.Equal(expected.Order(StringComparer.Ordinal), actual.Order(StringComparer.Ordinal));

    [GeneratedRegex("^\\| `([^`]+)`")]
    private static partial Regex Row();

    [GeneratedRegex("(?:\\bsettings, |\\bsettings\\.(?:Text|Integer|Duration|Choice)\\()\\$?\"(?<name>[^\"]+)\"|\\bConfiguration\\[\"(?<name>[^\"]+)\"\\]|\"%(?<name>[A-Za-z0-9_:]+)%\"")]
    private static partial Regex Setting();

    [GeneratedRegex("\\{[^}]+\\}")]
    private static partial Regex Varying();

    [GeneratedRegex("/api(?:/[A-Za-z0-9_-]+)+")]
    private static partial Regex Route();

    [GeneratedRegex("\\{[a-z]+\\}")]
    private static partial Regex RouteParameter();
}
