using System.Collections;
using System.Globalization;
using System.Text.RegularExpressions;
using MdFunctions.Engine;
using MdFunctions.Engine.Ingest;
using MdFunctions.Engine.Loads;
using MdFunctions.Engine.Queries;
using MdFunctions.Engine.Templates;
using Microsoft.Extensions.Configuration;

namespace MdFunctions.Tests.Docs;

/// <summary>The tables of front matter against the code: every default, every bound and every word that a key takes.</summary>
public sealed partial class FrontMatterPageTests
{
    private static readonly Dictionary<string, (string Page, string Heading, string Prefix, string Statement, (string Key, string Value)[] Base)> Kinds = new()
    {
        ["query"] = ("docs/queries.md", "front matter of a query ", "", "SELECT 1 AS n", [("maxRows", "5")]),
        ["parameter"] = ("docs/queries.md", "front matter of a parameter ", "parameters.x.", "SELECT $x AS x", [("parameters.x.type", "varchar")]),
        ["load"] = ("docs/loads.md", "front matter of a load ", "", "SELECT 1 AS n", [("target", "my_db.main.t"), ("mode", "append")]),
        ["ingest"] = ("docs/webhooks.md", "front matter of an ingest ", "", "SELECT * FROM body",
        [
            ("target", "my_db.main.t"), ("columns.a", "INTEGER"), ("signature.scheme", "hmac"), ("signature.secret", "s"), ("signature.header", "X-Signature"),
            ("signature.signed", "'{timestamp}.{body}'"), ("signature.timestamp", "header.X-Time"), ("handshake.echo", "query.challenge"),
        ]),
    };

    public static TheoryData<string, string, string, string> Rows()
    {
        var data = new TheoryData<string, string, string, string>();
        foreach (var (kind, (page, heading, _, _, _)) in Kinds)
        {
            foreach (var row in DocPages.Rows(page, heading))
                data.Add(kind, row[0], row[1], row[2]);
        }
        return data;
    }

    [Fact]
    public void Most_rows_tell_a_default_or_a_limit()
    {
        // So the next tests test something.
        Assert.InRange(Rows().Count(row => Limits((string)row[0], (string)row[1]) is not null), 20, 100);
        Assert.InRange(Rows().Count(row => Literal((string)row[2]) is not null), 17, 100);
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_keys_limits_are_the_codes(string kind, string key, string writtenDefault, string meaning)
    {
        // The schemes of signatures have a table of their own.
        var text = key != "signature.scheme" ? $"{writtenDefault} {meaning}" : string.Join(' ', DocPages.Rows(Kinds[kind].Page, "How senders sign").Select(row => $"`{row[0]}`"));
        var told = Codes().Matches(text).SelectMany(match => match.Groups[1].Value.Split(": ")).ToHashSet(StringComparer.Ordinal);
        switch (Limits(kind, key))
        {
            case { Words: { } words }:
                Assert.Subset(told, words.ToHashSet(StringComparer.Ordinal));
                break;
            case { Low: { } low, High: { } high }:
                var range = Range().Match(meaning.Replace("`", "", StringComparison.Ordinal));
                var most = Most().Match(meaning.Replace("`", "", StringComparison.Ordinal));
                Assert.True(range.Success || (most.Success && low == "1"), $"{key}: the page names no limits; they are {low} and {high}");
                Assert.Equal((Value(low), Value(high)), range.Success ? (Value(range.Groups[1].Value), Value(range.Groups[2].Value)) : (Value("1"), Value(most.Groups[1].Value)));
                // The code takes them, and nothing beyond.
                Assert.Empty(Faults(kind, key, low));
                Assert.Empty(Faults(kind, key, high));
                break;
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_keys_default_is_the_codes(string kind, string key, string writtenDefault, string meaning)
    {
        if (Literal(writtenDefault) is not { } literal)
            return; // Its default has no value of its own: none, another setting's, required.
        Assert.Empty(Faults(kind, key, literal));
        Assert.Equal(Dump(kind, key, null), Dump(kind, key, literal));
        // Another value is not the same, so that the comparison sees it.
        var other = Limits(kind, key) is not { } limits ? "'{body}{body}'"
            : limits.Words is { } words ? words.First(word => word != literal)
            : Value(limits.High!) == Value(literal) ? limits.Low! : limits.High!;
        Assert.NotEqual(Dump(kind, key, null), Dump(kind, key, other));
        Assert.NotEmpty(meaning);
    }

    // A default that stands in the table as it would stand in a file.
    private static string? Literal(string written) => written.Trim('`') switch
    {
        "" or "none" or "required" or "any" or "as read" => null,
        var text when text.Contains("Queries:", StringComparison.Ordinal) || text.Contains("Auth:", StringComparison.Ordinal) => null,
        "{body}" => "'{body}'",
        var text when PlainDefault().Match(text) is { Success: true } plain => plain.Groups[1].Value,
        _ => null,
    };

    // What a wrong value is told.
    private static (string[]? Words, string? Low, string? High)? Limits(string kind, string key)
    {
        var name = key[(key.LastIndexOf('.') + 1)..];
        foreach (var fault in Faults(kind, key, "'?!'"))
        {
            if (fault.Contains($"'{name}' is not true or false", StringComparison.Ordinal))
                return (["true", "false"], null, null);
            if (Choice().Match(fault) is { Success: true } choice && choice.Groups[1].Value == name)
                return (choice.Groups[2].Value.Split(", "), null, null);
            if (Bounds().Match(fault) is { Success: true } bounds && bounds.Groups[1].Value == name)
                return (null, bounds.Groups[2].Value, bounds.Groups[3].Value);
        }
        return null;
    }

    private static IReadOnlyList<string> Faults(string kind, string key, string? value) => Read(kind, key, value).File.Faults;

    private static string Dump(string kind, string key, string? value) => Text(Read(kind, key, value).Template);

    private static (SqlFile File, object Template) Read(string kind, string key, string? value)
    {
        var (_, _, prefix, statement, given) = Kinds[kind];
        var keys = new List<(string Key, string Value)>(given);
        // A signature of the body alone has no timestamp, and a mapping is no text.
        if (key is "signature.signed")
            keys.RemoveAll(one => one.Key == "signature.timestamp");
        keys.RemoveAll(one => one.Key == prefix + key || one.Key.StartsWith($"{prefix}{key}.", StringComparison.Ordinal));
        if (value is not null)
            keys.Add((prefix + key, value));
        var file = SqlFile.Parse($"{kind}/x.sql", "x", $"/*\n{Yaml(keys.Select(one => (one.Key.Split('.'), one.Value)), "")}*/\n{statement}");
        var settings = new Settings(new ConfigurationBuilder().Build());
        return (file, kind switch
        {
            "load" => LoadTemplate.Read(file, settings, AppTriggers.Of(typeof(LoadFunctions))),
            "ingest" => IngestTemplate.Read(file, settings),
            _ => QueryTemplate.Read(file, settings, new()),
        });
    }

    private static string Yaml(IEnumerable<(string[] Path, string Value)> keys, string indent) => string.Concat(keys.GroupBy(key => key.Path[0]).Select(group => group.First().Path.Length == 1
        ? $"{indent}{group.Key}: {group.First().Value}\n"
        : $"{indent}{group.Key}:\n{Yaml(group.Select(key => (key.Path[1..], key.Value)), indent + "  ")}"));

    // All that a template knows of itself.
    private static string Text(object? value) => value switch
    {
        null => "null",
        string or Delegate => value.ToString()!,
        IEnumerable many => $"[{string.Join(", ", many.Cast<object?>().Select(Text))}]",
        _ when value.GetType() is { IsEnum: false } type && type.Assembly == typeof(Settings).Assembly && type.GetProperties().Any(property => property.GetIndexParameters().Length == 0) =>
            $"{{{string.Join(", ", type.GetProperties().Where(property => property.GetIndexParameters().Length == 0 && property.GetMethod?.IsStatic == false).Select(property => $"{property.Name}={Text(property.GetValue(value))}"))}}}",
        _ => value.ToString()!,
    };

    // 240s and 4m are one limit.
    private static object Value(string text) => Duration.TryParse(text, out var duration) ? duration : long.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Codes();

    [GeneratedRegex("(?:from )?([0-9]+[a-z]*) to ([0-9]+[a-z]*)")]
    private static partial Regex Range();

    [GeneratedRegex("up to ([0-9]+)")]
    private static partial Regex Most();

    [GeneratedRegex("'([A-Za-z]+)' is not one of ([A-Za-z0-9, -]+)$")]
    private static partial Regex Choice();

    [GeneratedRegex("'([A-Za-z]+)' is not a (?:whole number|duration) from ([^ ]+) to ([^ ,]+)")]
    private static partial Regex Bounds();

    [GeneratedRegex("^([A-Za-z0-9]+)(?: \\([^)]*\\))?$")]
    private static partial Regex PlainDefault();
}
