using System.Text.RegularExpressions;
using System.Xml.Linq;
using MdFunctions.Engine;
using MdFunctions.Local;

namespace MdFunctions.Tests.Layout;

/// <summary>The rules of the house: what knows what, and how large things get.</summary>
public sealed partial class LayoutTests
{
    private static readonly string Root = LocalHost.RepositoryRoot();

    [Fact]
    public void The_engine_references_no_Functions_package_not_even_by_way_of_another()
    {
        Assert.DoesNotContain(typeof(StartupException).Assembly.GetReferencedAssemblies(), assembly => IsOfFunctions(assembly.Name!));
        // What NuGet restored for it, with all that its packages ask for.
        var restored = File.ReadAllText(Path.Combine(Root, "engine", "obj", "project.assets.json"));
        var libraries = Library().Matches(restored).Select(match => match.Groups[1].Value).ToList();
        Assert.Contains("Npgsql", libraries);
        Assert.DoesNotContain(libraries, IsOfFunctions);

        static bool IsOfFunctions(string name) =>
            name.StartsWith("Microsoft.Azure.Functions", StringComparison.OrdinalIgnoreCase) || name.StartsWith("Microsoft.Azure.WebJobs", StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void The_engine_references_no_project() => Assert.Empty(References("engine"));

    [Fact]
    public void The_app_is_under_500_lines() => Assert.InRange(Sources("functions").Sum(Lines), 1, 499);

    [Fact]
    public void The_app_holds_no_logic()
    {
        // Samples show how to write some; App.cs and Program.cs put the app together.
        var triggers = Sources("functions").Where(path => path.Split('/') is ["functions", var file] && file is not ("App.cs" or "Program.cs")).ToList();
        Assert.True(triggers.Count >= 5);
        Assert.All(triggers, path =>
        {
            var code = Words().Replace(File.ReadAllText(Path.Combine(Root, path)), "");
            // Every method is a trigger and one expression; no statement, no branch, no state.
            Assert.Equal(Function().Count(code), Method().Count(code));
            Assert.Equal(Function().Count(code), Body().Count(code));
            Assert.DoesNotMatch(Logic(), code);
        });
    }

    [Theory]
    [InlineData("engine")]
    [InlineData("functions")]
    public void Nothing_that_is_deployed_knows_the_local_host_or_the_tests(string folder)
    {
        Assert.DoesNotContain(References(folder), path => path.Contains("local/", StringComparison.Ordinal) || path.Contains("tests/", StringComparison.Ordinal));
        Assert.All(Sources(folder), path => Assert.DoesNotMatch("MdFunctions[.](Local|Tests|Endpoint|Benchmarks)", File.ReadAllText(Path.Combine(Root, path))));
    }

    [Theory]
    [InlineData("engine")]
    [InlineData("local")]
    public void What_is_replaced_whole_brings_the_versions_of_its_packages(string folder)
    {
        // The local host comes with the engine, and takes some of its versions.
        var used = Used(folder);
        Assert.Subset(Versions("engine").Concat(Versions(folder)).ToHashSet(), used);
        Assert.Subset(used, Versions(folder));

        static HashSet<string> Versions(string folder) => Packages(Path.Combine(Root, folder, "Packages.props"), "PackageVersion");

        static HashSet<string> Used(string folder) =>
            [.. Directory.EnumerateFiles(Path.Combine(Root, folder), "*.csproj", SearchOption.AllDirectories)
                .Where(project => !Path.GetRelativePath(Root, project).Split(Path.DirectorySeparatorChar).Contains("obj"))
                .SelectMany(project => Packages(project, "PackageReference"))];

        static HashSet<string> Packages(string file, string element) => [.. XDocument.Load(file).Descendants(element).Select(package => package.Attribute("Include")!.Value)];
    }

    [Theory]
    [InlineData("engine")]
    [InlineData("functions")]
    [InlineData("local")]
    public void Files_are_short(string folder) =>
        Assert.All(Sources(folder), path => Assert.True(Lines(path) <= 300, $"{path} has {Lines(path)} lines; 300 are the most"));

    [Fact]
    public void Folders_of_the_engine_are_small() =>
        Assert.All(
            Sources("engine").GroupBy(path => Path.GetDirectoryName(path)!),
            folder => Assert.True(folder.Count() <= 10, $"{folder.Key} has {folder.Count()} files; ten are the most, then subfolders say what happens in them"));

    private static List<string> Sources(string folder) =>
        [.. Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Where(path => !path.Split('/').Any(part => part is "bin" or "obj" or "node_modules" or ".data"))];

    private static int Lines(string path) => File.ReadLines(Path.Combine(Root, path)).Count();

    // The projects and sources outside its folder that a project takes in.
    private static IEnumerable<string> References(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.csproj").SelectMany(project => XDocument.Load(project).Descendants()
            .Where(element => element.Name.LocalName is "ProjectReference" or "Compile" or "Import" or "Reference")
            .Select(element => (element.Attribute("Include") ?? element.Attribute("Project") ?? element.Attribute("Update"))!.Value.Replace('\\', '/')));

    [GeneratedRegex("\"([A-Za-z0-9.]+)/[0-9][^\"]*\": \\{")]
    private static partial Regex Library();

    // Comments and texts.
    [GeneratedRegex("//[^\n]*|\"[^\"\n]*\"")]
    private static partial Regex Words();

    [GeneratedRegex("\\[Function\\(")]
    private static partial Regex Function();

    [GeneratedRegex("^ {4}(public|internal|private|protected|static|async)\\b[^;=]*\\(", RegexOptions.Multiline)]
    private static partial Regex Method();

    [GeneratedRegex("\\) *=>")]
    private static partial Regex Body();

    [GeneratedRegex("\\b(if|else|for|foreach|while|do|switch|try|catch|throw|new|await|static|readonly|var)\\b|(?<!\\?)\\? [^.?]|=> *\\{|&&|\\|\\|")]
    private static partial Regex Logic();
}
