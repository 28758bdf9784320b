using System.Globalization;
using System.Text.RegularExpressions;
using MdFunctions.Engine.Access;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Templates;

namespace MdFunctions.Engine.Loads;

/// <summary>A run that is asked for.</summary>
/// <param name="Load">The load.</param>
/// <param name="Occurrence">What it is for; a load succeeds once for each.</param>
/// <param name="Trigger"><c>timer</c>, <c>http</c> or <c>event</c>.</param>
/// <param name="RunTime">The time that <c>$run_time</c> and <c>$run_date</c> tell, in UTC.</param>
/// <param name="Values">A value for each declared parameter; null is NULL.</param>
internal sealed partial record LoadRequest(LoadTemplate Load, string Occurrence, string Trigger, DateTimeOffset RunTime, IReadOnlyList<ParameterValue?> Values)
{
    /// <summary>The value of <c>$url</c>.</summary>
    public string? Url { get; init; }

    /// <summary>What was asked for beside the occurrence, in a few characters: two requests with one key and different values of this are a mistake. Null where there is no key.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>Who asked for it; null for a timer.</summary>
    public Caller? Caller { get; init; }

    /// <summary>How large the source is, where that is known.</summary>
    public long? Bytes { get; init; }

    /// <summary>The load's SELECT with its values in it as literals, as MotherDuck takes no parameters in a table function's arguments.</summary>
    public string Select() => Load.Template.Write(Literal);

    /// <summary>A check with its values in it.</summary>
    public string Check(IReadOnlyList<SqlToken> check) =>
        string.Concat(check.Select(token => token.Kind == SqlTokenKind.Parameter ? Literal(token.Text[1..]) : token.Text));

    /// <summary>The URLs that the statement reads, for the record: without query strings and users, which may be secrets.</summary>
    public string? Source()
    {
        var urls = SqlLexer.Read(Load.Template.Write(Literal))
            .Where(token => token.Kind == SqlTokenKind.Quoted && StartOfUrl().IsMatch(token.Text))
            .Select(token => MotherDuckError.WithoutSecrets(token.Text.Trim('\'')).Split('?')[0])
            .Distinct(StringComparer.Ordinal);
        return string.Join(", ", urls) is { Length: > 0 } source ? source : null;
    }

    private string Literal(string name)
    {
        var utc = RunTime.UtcDateTime;
        switch (name)
        {
            case "run_date":
                return $"CAST('{utc.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}' AS DATE)";
            case "run_time":
                return $"CAST('{utc.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture)}' AS TIMESTAMP)";
            case "url" when Load.Events is not null:
                return Url is null ? "CAST(NULL AS VARCHAR)" : Sql.Literal(Url);
        }
        var index = Load.Template.Index(name);
        var type = Load.Template.Parameters[index].Type;
        return Values[index] is { } value ? type.FromVarchar(Sql.Literal(value.Text)) : $"CAST(NULL AS {type.Name})";
    }

    [GeneratedRegex("^'[A-Za-z0-9]+://")]
    private static partial Regex StartOfUrl();
}
