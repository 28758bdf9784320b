using System.Globalization;

namespace MdFunctions.Engine.Exact;

/// <summary>What tells that text is not exactly a value of a type. DuckDB makes 3 of '2.7', 31 of '0x1F', and a TIMESTAMP of a text with an offset by dropping the offset.</summary>
internal static class TextCast
{
    private const string Date = @"([+-]?[0-9]{1,7}[-/ ][0-9]{1,2}[-/ ][0-9]{1,2}( \(BC\))?|[+-]?infinity|epoch)";
    private const string Utc = "( ?(Z|UTC|[+-]00(:?00)?))?";

    /// <summary>A condition that is true where the text's value is lost, of a text that is not NULL.</summary>
    /// <returns>Null if text is never a value of that type.</returns>
    public static string? Loses(string text, DuckType type)
    {
        var there = $"TRY_CAST({text} AS {type.Text})";
        var trimmed = $"trim({text})";
        if (type.Digits is { } digits)
            return $"{there} IS NULL OR NOT ({Matches(trimmed, $@"[+-]?[0-9]*(\.[0-9]{{0,{digits.Fraction}}}0*)?")} OR {IsShortExponent(text, trimmed, there)})";
        if (type.IsFloat)
            return $"{there} IS NULL OR NOT {IsFloat(text, trimmed, there, type.Name == "DOUBLE" ? 15 : 6)}";
        var second = type.SecondDigits is { } count ? string.Create(CultureInfo.InvariantCulture, $@"(:[0-9]{{2}}(\.[0-9]{{0,{count}}}0*)?)?") : "";
        return type.Name switch
        {
            "DATE" => Unless(Date + @"([ T]00:00(:00(\.0*)?)?)?"),
            "TIME" or "TIME_NS" => Unless("[0-9]{1,2}:[0-9]{2}" + second),
            "TIME WITH TIME ZONE" => Unless(@"[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{0,6}0*)?)? ?(Z|[+-][0-9]{1,2}(:?[0-9]{2}){0,2})"),
            "TIMESTAMP" or "TIMESTAMP_S" or "TIMESTAMP_MS" or "TIMESTAMP_NS" => Unless($"{Date}([ T][0-9]{{1,2}}:[0-9]{{2}}{second})?{Utc}"),
            // Without a zone of its own, the session's would decide which moment it is.
            "TIMESTAMP WITH TIME ZONE" => Unless(Date + @"[ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{0,6}0*)?)? ?(Z|[A-Za-z_]+(/[A-Za-z_/]+)?|[+-][0-9]{1,2}(:?[0-9]{2}){0,2})"),
            "BOOLEAN" or "UUID" or "ENUM" or "JSON" or "INTERVAL" or "BIT" => $"{there} IS NULL",
            "LIST" or "ARRAY" or "STRUCT" or "MAP" => $"{there} IS NULL OR {Bare($"CAST({there} AS VARCHAR)")} <> {Bare(text)}",
            _ => null,
        };

        string Unless(string pattern) => $"{there} IS NULL OR NOT {Matches(trimmed, pattern)}";
    }

    // 1E5 is 100000: as many digits as a DOUBLE compares without an error.
    private static string IsShortExponent(string text, string trimmed, string there) =>
        $@"(length({trimmed}) <= 17 AND {Matches(trimmed, @"[+-]?[0-9]*\.?[0-9]*E[+-]?[0-9]+")} AND coalesce(CAST({there} AS DOUBLE) = TRY_CAST({text} AS DOUBLE), false))";

    // A number of 15 digits (FLOAT: 6) comes back from a DOUBLE as it went in. One with more has to show that it does; and none may become infinity or zero.
    private static string IsFloat(string text, string trimmed, string there, int digits) =>
        $@"(lower(ltrim({trimmed}, '+-')) IN ('nan', 'inf', 'infinity') OR ({Matches(trimmed, @"[+-]?[0-9]*\.?[0-9]*(E[+-]?[0-9]+)?")} AND isfinite({there})"
        + $" AND ({there} = 0) = ({Digits(text)} = '') AND (length({Digits(text)}) <= {digits} OR {Digits(text)} = {Digits($"CAST({there} AS VARCHAR)")})))";

    /// <summary>The digits of a number's text that count: without the point, the exponent, and the zeros on both sides.</summary>
    public static string Digits(string text) => $"trim(regexp_replace({text}, '[eE].*$|[^0-9eE]', '', 'g'), '0')";

    private static string Matches(string text, string pattern) => $"regexp_full_match({text}, '(?i){pattern}')";

    private static string Bare(string text) => $"regexp_replace({text}, '[\\s\"'']', '', 'g')";
}
