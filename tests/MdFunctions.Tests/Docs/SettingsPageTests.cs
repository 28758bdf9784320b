using System.Text.Json;
using System.Text.RegularExpressions;
using MdFunctions.Engine;
using MdFunctions.Engine.Access;
using MdFunctions.Engine.Ingest;
using MdFunctions.Engine.Loads;
using MdFunctions.Engine.Mcp;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Queries;
using Microsoft.Extensions.Configuration;

namespace MdFunctions.Tests.Docs;

/// <summary><c>docs/configure.md</c> against the code: every setting, its default and its limits.</summary>
public sealed partial class SettingsPageTests
{
    private const string Page = "docs/configure.md";

    // Azure sets these; nobody else should.
    private static readonly string[] Platform = ["IDENTITY_ENDPOINT", "WEBSITE_SITE_NAME", "WEBSITE_INSTANCE_ID", "WEBSITE_POD_NAME", "CONTAINER_NAME"];

    private static readonly Dictionary<string, string?> Needed = new() { ["MotherDuck:Region"] = "us-east-1", ["MOTHERDUCK_TOKEN"] = "token" };

    /// <summary>The settings whose values the code bounds, as the page tells them: name, default, limits.</summary>
    public static TheoryData<string, string, string> Bounded()
    {
        var data = new TheoryData<string, string, string>();
        foreach (var row in DocPages.Rows(Page).Where(row => LimitsOf(row[0]) is not null))
            data.Add(row[0], row[1], row[2]);
        return data;
    }

    [Fact]
    public void Every_setting_is_on_the_page()
    {
        Assert.Contains("MotherDuck:TokenSecret", CodeSettings()); // The scan finds what it looks for.
        Assert.Contains("Secrets:NAME:previous", CodeSettings());
        Assert.Equal(CodeSettings().Order(StringComparer.Ordinal), Names().Where(CodeSettings().Contains).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_row_is_a_setting_of_the_app_or_of_its_host()
    {
        var infrastructure = string.Concat(Directory.EnumerateFiles(Path.Combine(DocPages.Root, "infra"), "*.bicep").Select(File.ReadAllText));
        Assert.All(
            Names().Except(CodeSettings()).Except(SampleSettings()),
            name => Assert.Matches($@"\b{Regex.Escape(name.Replace(":", "__", StringComparison.Ordinal))}\b", infrastructure));
    }

    [Fact]
    public void Every_local_setting_is_on_the_page() => Assert.All(SampleSettings(), name => Assert.Contains(name, Names()));

    [Fact]
    public void Most_settings_are_bounded() => Assert.InRange(Bounded().Count, 18, 100); // So the next test tests something.

    [Theory]
    [MemberData(nameof(Bounded))]
    public void A_settings_limits_and_default_are_the_codes(string name, string writtenDefault, string writtenLimits)
    {
        Assert.Equal(LimitsOf(name), writtenLimits.Replace("`", "", StringComparison.Ordinal));

        // Written down or left out, the default is the same; another value is not. MotherDuck's own default has no name.
        var value = writtenDefault.Trim('`');
        if (value != "MotherDuck's own")
            Assert.Equal(Options(), Options((name, value)));
        var other = writtenLimits.Replace("`", "", StringComparison.Ordinal).Split(writtenLimits.Contains(" to ", StringComparison.Ordinal) ? " to " : ", ").First(limit => limit != value);
        Assert.NotEqual(Options(), Options((name, other)));
    }

    /// <summary>The settings with a default that the code does not bound: name, default.</summary>
    public static TheoryData<string, string> Free()
    {
        var data = new TheoryData<string, string>();
        foreach (var row in DocPages.Rows(Page).Where(row => LimitsOf(row[0]) is null && row[1] is ['`', .., '`'] && !row[1].Trim('`').Contains('`')))
            data.Add(row[0], row[1].Trim('`'));
        return data;
    }

    [Fact]
    public void Every_row_has_a_default_that_is_held_or_says_that_there_is_none()
    {
        string[] others = ["none", "from the region", "the system's roots", "what the host knows", "`sql` beside the app", "system-assigned",
            "app name and instance id; `mdfunctions` outside Azure", "`true` with an authority, else `false`"];
        var held = Bounded().Select(row => (string)row[0]).Concat(Free().Select(row => (string)row[0])).ToHashSet(StringComparer.Ordinal);
        Assert.All(DocPages.Rows(Page), row => Assert.True(held.Contains(row[0]) || others.Contains(row[1]), $"{row[0]}: nothing holds the default {row[1]}"));
    }

    [Theory]
    [MemberData(nameof(Free))]
    public void A_default_without_limits_is_the_codes(string name, string value)
    {
        if (name == "Auth:Scope")
        {
            (string, string)[] authority = [("Auth:Authority", "https://issuer.example"), ("Auth:Audience", "AUDIENCE")];
            Assert.Equal(Options(authority), Options([.. authority, (name, value)]));
            Assert.NotEqual(Options(authority), Options([.. authority, (name, "another")]));
        }
        else if (CodeSettings().Contains(name) && !name.EndsWith("_SCHEDULE", StringComparison.Ordinal))
        {
            Assert.Equal(Options(), Options((name, value)));
            Assert.NotEqual(Options(), Options((name, "another")));
        }
        else
        {
            // What the app itself has no default for comes from the samples, and in Azure from the Bicep.
            Assert.Equal(value, SampleValue(name));
            if (name.EndsWith("_SCHEDULE", StringComparison.Ordinal))
                Assert.Contains($"'{value}'", string.Concat(Directory.EnumerateFiles(Path.Combine(DocPages.Root, "infra"), "*.bicep").Select(File.ReadAllText)), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("MotherDuck:SessionName", 100, "-_.")]
    [InlineData("MotherDuck:TokenSecret", 127, "-")]
    [InlineData("MotherDuck:ReadTokenSecret", 127, "-")]
    public void The_longest_name_is_taken_and_no_longer_one(string name, int most, string signs)
    {
        Assert.Equal($"{most} letters, digits, {string.Join(", ", signs.Select(sign => $"`{sign}`"))}", DocPages.Rows(Page).Single(row => row[0] == name)[2]);
        Assert.Empty(FaultsOf($"{new string('a', most - 1 - signs.Length)}{signs}1"));
        Assert.NotEmpty(FaultsOf(new string('a', most + 1)));
        Assert.NotEmpty(FaultsOf("a b"));

        IReadOnlyList<string> FaultsOf(string value)
        {
            var settings = With((name, value));
            Read(settings);
            return settings.Faults;
        }
    }

    // What a wrong value is told: "1 to 100", "1s to 5m", "single, workspace"; null where any text will do.
    private static string? LimitsOf(string name)
    {
        var settings = With((name, "?!"));
        Read(settings);
        var fault = settings.Faults.FirstOrDefault(fault => fault.StartsWith($"Setting {name}: ", StringComparison.Ordinal));
        var limits = fault is null ? null : Limits().Match(fault);
        return limits is { Success: true } ? $"{limits.Groups[1].Value}{limits.Groups[2].Value.Replace(" or ", ", ", StringComparison.Ordinal)}" : null;
    }

    private static string Options(params (string Name, string Value)[] changes) => Read(With(changes));

    private static Settings With(params (string Name, string Value)[] changes)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(Needed).Build();
        foreach (var (name, value) in changes)
            configuration[name] = value;
        return new(configuration);
    }

    private static string Read(Settings settings)
    {
        var motherDuck = MotherDuckOptions.Read(settings);
        return string.Join('\n', motherDuck, QueryOptions.Read(settings), LoadOptions.Read(settings, motherDuck), IngestBuffer.Read(settings).Limit, McpOptions.Read(settings), AccessOptions.Read(settings, AppTriggers.Of(typeof(LoadFunctions))));
    }

    /// <summary>The settings that the sources ask for, by name; <c>NAME</c> where the name has a part that varies.</summary>
    private static HashSet<string> CodeSettings()
    {
        var sources = ((string[])["functions", "engine"]).SelectMany(folder => Directory.EnumerateFiles(Path.Combine(DocPages.Root, folder), "*.*", SearchOption.AllDirectories))
            .Where(path => path.EndsWith(".cs", StringComparison.Ordinal) || path.EndsWith(".sql", StringComparison.Ordinal))
            .Where(path => !Path.GetRelativePath(DocPages.Root, path).Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj"));
        return [.. sources.SelectMany(path => Setting().Matches(File.ReadAllText(path)))
            .Select(match => Varying().Replace(match.Groups["name"].Value, "NAME"))
            .Except(Platform)];
    }

    private static IEnumerable<string> SampleSettings() => Samples().EnumerateObject().Select(value => value.Name);

    private static string? SampleValue(string name) => Samples().GetProperty(name).GetString();

    private static JsonElement Samples() =>
        JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(Path.Combine(DocPages.Root, "local.settings.sample.json"))).GetProperty("Values");

    private static IEnumerable<string> Names() => DocPages.Rows(Page).Select(row => row[0]);

    [GeneratedRegex("(?:\\bsettings, |\\bsettings\\.(?:Text|Integer|Duration|Choice)\\()\\$?\"(?<name>[^\"]+)\"|\\bConfiguration\\[\"(?<name>[^\"]+)\"\\]|\"%(?<name>[A-Za-z0-9_:]+)%\"", RegexOptions.IgnoreCase)]
    private static partial Regex Setting();

    [GeneratedRegex("\\{[^}]+\\}")]
    private static partial Regex Varying();

    // "a whole number from 1 to 100, not", "a duration from 1s to 5m, such as", "one of single, workspace, not", "VerifyFull or Require, not".
    [GeneratedRegex("expected (?:a [a-z ]+ from (\\S+ to [^, ]+),|(?:one of )?((?:[A-Za-z]+, |[A-Z][A-Za-z]+ or )*[A-Za-z]+), not '[?]!')")]
    private static partial Regex Limits();
}
