using System.Text.RegularExpressions;
using MdFunctions.Engine;
using MdFunctions.Engine.Ingest;
using MdFunctions.Engine.Loads;
using MdFunctions.Engine.Queries;
using MdFunctions.Engine.Templates;
using MdFunctions.Tests.Infrastructure;
using Microsoft.Extensions.Configuration;

namespace MdFunctions.Tests.Docs;

/// <summary>What README and the pages of <c>docs/</c> list exists, and what exists is in them.</summary>
public sealed partial class ReadmeTests
{
    private static readonly string Everything = string.Join('\n', DocPages.All.Where(page => page.Key != "CHANGELOG.md").Select(page => page.Value));

    [Fact]
    public void Pages_are_short_enough_to_be_read()
    {
        Assert.InRange(Lines("README.md"), 1, 200);
        Assert.InRange(Lines("CHANGELOG.md"), 1, 80);
        Assert.InRange(Lines("CONTRIBUTING.md"), 1, 80);
        static int Lines(string page) => DocPages.All[page].TrimEnd('\n').Split('\n').Length;
    }

    [Fact]
    public void Every_page_is_named_in_README() =>
        Assert.All(DocPages.All.Keys.Where(page => page.StartsWith("docs/", StringComparison.Ordinal)), page => Assert.Contains($"]({page})", DocPages.All["README.md"], StringComparison.Ordinal));

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_link_leads_somewhere(string page)
    {
        var folder = Path.GetDirectoryName(Path.Combine(DocPages.Root, page))!;
        foreach (Match link in Link().Matches(DocPages.All[page]))
        {
            var (path, anchor) = (link.Groups["path"].Value, link.Groups["anchor"].Value);
            var target = path.Length == 0 ? Path.Combine(DocPages.Root, page) : Path.GetFullPath(Path.Combine(folder, path));
            Assert.True(File.Exists(target) || Directory.Exists(target), $"{page}: {path} does not exist");
            if (anchor.Length > 0)
                Assert.Contains(anchor, File.ReadLines(target).Where(line => line.StartsWith('#')).Select(Anchor));
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_path_of_the_repository_that_is_named_exists(string page) =>
        Assert.All(
            RepositoryPath().Matches(DocPages.All[page]).Select(match => match.Groups[1].Value).Where(path => !Example().IsMatch(path)),
            path => Assert.True(Path.Exists(Path.Combine(DocPages.Root, path)) || Directory.EnumerateFiles(DocPages.Root, path).Any(), $"{page}: {path} does not exist"));

    [Fact]
    public void Every_folder_of_the_engine_is_in_its_reading_order() =>
        Assert.Equal(
            Directory.EnumerateDirectories(Path.Combine(DocPages.Root, "engine")).Select(folder => $"{Path.GetFileName(folder)}/").Except(["bin/", "obj/"]).Order(StringComparer.Ordinal),
            DocPages.Rows("engine/README.md", "Folders").Select(row => row[0]).Order(StringComparer.Ordinal));

    public static TheoryData<string> Pages() => [.. DocPages.All.Keys];

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
                .. Known("a handshake", "handshake: { nope: 1 }", file => IngestTemplate.Read(file, settings)).Select(key => $"handshake.{key}"),
            ],
            _ => Known("parameter 'x'", "parameters: { x: { type: integer, nope: 1 } }", file => QueryTemplate.Read(file, settings, new())),
        };
        // An ingest reads them only to refuse them.
        Same(
            keys.Where(key => (what, key) is not ("ingest", "parameters")),
            DocPages.Rows(what switch { "load" => "docs/loads.md", "ingest" => "docs/webhooks.md", _ => "docs/queries.md" }, $"front matter of a{(what == "ingest" ? "n" : "")} {what} ").Select(row => row[0]));
    }

    [Fact]
    public void Every_route_is_mentioned_and_every_mentioned_route_exists()
    {
        var routes = AppRoutes.Read().Select(route => $"/api/{route}").ToList();
        Assert.Contains("/api/queries/{name}", routes);
        Assert.All(routes, route => Assert.Contains(DocPages.Rows("docs/routes.md"), row => row[0].EndsWith(RouteParameter().Replace(route, "NAME"), StringComparison.Ordinal)));
        var mentioned = Route().Matches(Everything).Select(match => match.Value).Distinct().ToList();
        Assert.All(mentioned, path => Assert.Contains(routes, route => Regex.IsMatch(path, $"^{RouteParameter().Replace(route, "[^/]+")}$")));
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

    // What GitHub makes of a heading.
    private static string Anchor(string heading) =>
        Punctuation().Replace(heading.TrimStart('#', ' ').ToLowerInvariant(), "").Replace(' ', '-');

    [GeneratedRegex("\\]\\((?!https?://)(?<path>[^)#]*)(?:#(?<anchor>[^)]+))?\\)")]
    private static partial Regex Link();

    [GeneratedRegex("[^a-z0-9 _-]")]
    private static partial Regex Punctuation();

    // `functions/App.cs`, `docs/`, `tests/MdFunctions.Tests`: what begins with a folder of the repository.
    [GeneratedRegex("(?<![A-Za-z0-9.-]/|[A-Za-z0-9.-])((?:functions|engine|local|tests|docs|infra|templates|http|[.]ci|[.]github|[.]template[.]config)/[A-Za-z0-9_./*-]*)")]
    private static partial Regex RepositoryPath();

    [GeneratedRegex("NAME|busy_hours")]
    private static partial Regex Example();

    [GeneratedRegex("/api(?:/[A-Za-z0-9_-]+)+(?:[.]json)?")]
    private static partial Regex Route();

    [GeneratedRegex("\\{[a-z]+\\}")]
    private static partial Regex RouteParameter();
}
