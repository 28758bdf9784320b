using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.RegularExpressions;
using MdFunctions.Engine.Http;

namespace MdFunctions.Engine.Templates;

/// <summary>A value of a parameter, checked.</summary>
/// <param name="Text">The text that travels to DuckDB, which casts it.</param>
/// <param name="Order">What <c>minimum</c> and <c>maximum</c> compare; null for types without an order.</param>
internal sealed record ParameterValue(string Text, IComparable? Order = null);

/// <summary>
/// A DuckDB type that a parameter can have. It reads text strictly (ISO 8601, invariant numbers, nothing cut or rounded), so that what reaches DuckDB
/// cannot fail to be cast or lose anything in it.
/// </summary>
internal sealed partial class ParameterType
{
    private readonly Func<string, ParameterValue?> _read;

    private ParameterType(string name, string expected, Func<string, ParameterValue?> read) => (Name, Expected, _read) = (name, expected, read);

    /// <summary>DuckDB's name of the type, such as <c>DECIMAL(18,2)</c> or <c>VARCHAR[]</c>.</summary>
    public string Name { get; }

    /// <summary>What a value looks like, for error messages: <c>an integer from -128 to 127</c>.</summary>
    public string Expected { get; }

    /// <summary>The type of a list's elements; null if this is no list.</summary>
    public ParameterType? Element { get; private init; }

    /// <summary>Whether JSON writes values of this type without quotes: numbers and booleans.</summary>
    public bool IsBareInJson { get; private init; }

    /// <summary>Reads a value.</summary>
    /// <returns>Null if the text is not one of this type.</returns>
    public ParameterValue? Read(string text) => text.Contains('\0') || !IsWellFormed(text) ? null : _read(text);

    /// <summary>The SQL that makes a value of this type of a VARCHAR expression.</summary>
    public string FromVarchar(string expression) => this switch
    {
        // Cast although it has the type: of a NULL, DuckDB makes a NULL without one.
        { Element.Name: "BLOB" } => $"CAST(list_transform(from_json({expression}, '[\"VARCHAR\"]'), lambda x: from_base64(x)) AS BLOB[])",
        { Element: not null } => $"CAST(from_json({expression}, '[\"VARCHAR\"]') AS {Name})",
        { Name: "VARCHAR" } => expression,
        { Name: "BLOB" } => $"from_base64({expression})",
        _ => $"CAST({expression} AS {Name})",
    };

    /// <summary>Reads a type's name as DuckDB has it, aliases included, in any case.</summary>
    /// <returns>Null if parameters cannot have that type.</returns>
    public static ParameterType? Parse(string name)
    {
        name = name.Trim();
        if (name.EndsWith("[]", StringComparison.Ordinal))
        {
            return Parse(name[..^2]) is { Element: null } element
                ? new ParameterType(element.Name + "[]", $"a list, each {element.Expected}", _ => null) { Element = element }
                : null;
        }
        if (DecimalName().Match(name) is { Success: true } match)
        {
            var width = match.Groups[1].Success ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : 18;
            var scale = match.Groups[2].Success ? int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture) : match.Groups[1].Success ? 0 : 3;
            return width is >= 1 and <= 38 && scale <= width ? Decimal(width, scale) : null;
        }
        return Spaces().Replace(name, " ").ToUpperInvariant() switch
        {
            "BOOLEAN" or "BOOL" or "LOGICAL" => new("BOOLEAN", "true or false", ReadBoolean) { IsBareInJson = true },
            "TINYINT" or "INT1" => Integer("TINYINT", 8, signed: true),
            "SMALLINT" or "INT2" or "SHORT" => Integer("SMALLINT", 16, signed: true),
            "INTEGER" or "INT" or "INT4" or "SIGNED" => Integer("INTEGER", 32, signed: true),
            "BIGINT" or "INT8" or "LONG" => Integer("BIGINT", 64, signed: true),
            "HUGEINT" => Integer("HUGEINT", 128, signed: true),
            "UTINYINT" => Integer("UTINYINT", 8, signed: false),
            "USMALLINT" => Integer("USMALLINT", 16, signed: false),
            "UINTEGER" => Integer("UINTEGER", 32, signed: false),
            "UBIGINT" => Integer("UBIGINT", 64, signed: false),
            "UHUGEINT" => Integer("UHUGEINT", 128, signed: false),
            "FLOAT" or "FLOAT4" or "REAL" => new("FLOAT", "a number that a FLOAT keeps, of 6 digits for certain (or NaN, Infinity, -Infinity)", text => FloatText.Read(text, single: true)) { IsBareInJson = true },
            "DOUBLE" or "FLOAT8" => new("DOUBLE", "a number that a DOUBLE keeps, of 15 digits for certain (or NaN, Infinity, -Infinity)", text => FloatText.Read(text, single: false)) { IsBareInJson = true },
            "VARCHAR" or "TEXT" or "STRING" or "CHAR" or "BPCHAR" => new("VARCHAR", "text", text => new(text)),
            "BLOB" or "BYTEA" or "BINARY" or "VARBINARY" => new("BLOB", "base64", ReadBase64),
            "DATE" => new("DATE", "a date, YYYY-MM-DD", ReadDate),
            "TIME" => new("TIME", "a time, hh:mm[:ss[.ffffff]]", text => ReadTime(text, offset: false)),
            "TIMETZ" or "TIME WITH TIME ZONE" => new("TIMETZ", "a time with an offset, hh:mm[:ss[.ffffff]]+hh:mm", text => ReadTime(text, offset: true)),
            "TIMESTAMP" or "DATETIME" or "TIMESTAMP WITHOUT TIME ZONE" => Timestamp("TIMESTAMP", 6),
            "TIMESTAMP_S" => Timestamp("TIMESTAMP_S", 0),
            "TIMESTAMP_MS" => Timestamp("TIMESTAMP_MS", 3),
            "TIMESTAMP_NS" => Timestamp("TIMESTAMP_NS", 9),
            "TIMESTAMPTZ" or "TIMESTAMP WITH TIME ZONE" => new("TIMESTAMPTZ", $"an ISO 8601 timestamp with an offset, YYYY-MM-DDThh:mm:ss[.ffffff]Z or +hh:mm{MoreDigits}", ReadTimestampWithOffset),
            "INTERVAL" => new("INTERVAL", "an ISO 8601 duration such as P1DT12H", ReadInterval),
            "UUID" => new("UUID", "a UUID", text => Guid.TryParseExact(text, "D", out var uuid) ? new(uuid.ToString("D")) : null),
            "JSON" => new("JSON", "JSON", ReadJson),
            "BIT" or "BITSTRING" => new("BIT", "a string of 0 and 1", text => text.Length > 0 && text.AsSpan().IndexOfAnyExcept('0', '1') < 0 ? new(text) : null),
            _ => null,
        };
    }

    private static ParameterType Integer(string name, int bits, bool signed)
    {
        var minimum = signed ? -BigInteger.Pow(2, bits - 1) : BigInteger.Zero;
        var maximum = BigInteger.Pow(2, signed ? bits - 1 : bits) - 1;
        return new(name, $"an integer from {minimum} to {maximum}", text =>
            text.Length <= 64 && BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            && text[0] != '+' && value >= minimum && value <= maximum
                ? new(value.ToString(CultureInfo.InvariantCulture), value)
                : null)
        { IsBareInJson = true };
    }

    private static ParameterType Decimal(int width, int scale) =>
        new($"DECIMAL({width},{scale})", $"a decimal number of at most {width - scale} digits before and {scale} after the point", text =>
        {
            if (text.Length > 128 || !DecimalText().IsMatch(text))
                return null;
            var digits = text.TrimStart('-');
            var point = digits.IndexOf('.', StringComparison.Ordinal);
            var whole = (point < 0 ? digits : digits[..point]).TrimStart('0');
            var fraction = (point < 0 ? "" : digits[(point + 1)..]).TrimEnd('0');
            if (whole.Length > width - scale || fraction.Length > scale)
                return null;
            var unscaled = BigInteger.Parse("0" + whole + fraction.PadRight(scale, '0'), CultureInfo.InvariantCulture);
            return new(text, text[0] == '-' ? -unscaled : unscaled);
        })
        { IsBareInJson = true };

    // .NET, Event Grid and Go write seven or nine digits.
    private const string MoreDigits = " (TIMESTAMP_NS takes up to nine digits of a second)";

    private static ParameterType Timestamp(string name, int fractionDigits) =>
        new(name, $"an ISO 8601 timestamp, YYYY-MM-DDThh:mm:ss{(fractionDigits == 0 ? "" : $"[.{new string('f', fractionDigits)}]")}{(fractionDigits < 9 ? MoreDigits : "")}", text =>
        {
            // Z is UTC, which is what DuckDB takes a TIMESTAMP for; any other offset would be converted without a word.
            var match = TimestampText().Match(text);
            if (!match.Success || match.Groups["offset"].Value is not ("" or "Z") || Fraction(match).Length > fractionDigits)
                return null;
            return Instant(match) is { } instant && (fractionDigits < 9 || instant.Year is > 1677 and < 2262)
                ? new(Canonical(instant, match), Canonical(instant, match, pad: true))
                : null;
        });

    private static ParameterValue? ReadBoolean(string text) => text switch
    {
        "true" or "True" or "TRUE" => new("true"),
        "false" or "False" or "FALSE" => new("false"),
        _ => null,
    };

    private static ParameterValue? ReadBase64(string text)
    {
        var bytes = new byte[text.Length];
        return text.AsSpan().IndexOfAny(" \t\r\n") < 0 && Convert.TryFromBase64String(text, bytes, out _) ? new(text) : null;
    }

    private static ParameterValue? ReadDate(string text) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _) ? new(text, text) : null;

    private static ParameterValue? ReadTime(string text, bool offset)
    {
        var match = TimestampText().Match("2000-01-01T" + text);
        if (!match.Success || Fraction(match).Length > 6 || match.Groups["offset"].Value.Length > 0 != offset || Instant(match) is not { } instant)
            return null;
        if (!offset)
            return new(Canonical(instant, match)[11..], Canonical(instant, match, pad: true));
        return Offset(match) is { } shift ? new($"{Canonical(instant, match)[11..]}{WriteOffset(shift)}", null) : null;
    }

    private static ParameterValue? ReadTimestampWithOffset(string text)
    {
        var match = TimestampText().Match(text);
        if (!match.Success || Fraction(match).Length > 6 || match.Groups["offset"].Value == "" || Instant(match) is not { } instant || Offset(match) is not { } shift)
            return null;
        if (instant.Ticks - shift.Ticks < DateTime.MinValue.Ticks || instant.Ticks - shift.Ticks > DateTime.MaxValue.Ticks)
            return null;
        return new($"{Canonical(instant, match)}{WriteOffset(shift)}", Canonical(instant - shift, match, pad: true));
    }

    private static ParameterValue? ReadInterval(string text)
    {
        var match = IntervalText().Match(text);
        if (!match.Success || text is "P" or "-P" || text.EndsWith('T'))
            return null;
        var sign = text[0] == '-' ? "-" : "";
        var parts = new StringBuilder();
        foreach (var unit in (string[])["years", "months", "weeks", "days", "hours", "minutes", "seconds"])
        {
            if (match.Groups[unit] is { Success: true, Value: var number })
            {
                if (!long.TryParse(number.Split('.')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var whole) || whole > 100_000_000)
                    return null;
                parts.Append(parts.Length == 0 ? "" : " ").Append(sign).Append(number).Append(' ').Append(unit);
            }
        }
        return parts.Length == 0 ? null : new(parts.ToString());
    }

    private static ParameterValue? ReadJson(string text) => StrictJson.Fault(Encoding.UTF8.GetBytes(text), mayRepeat: true) is null ? new(text) : null;

    private static DateTime? Instant(Match match)
    {
        var seconds = match.Groups["seconds"] is { Success: true, Value: var text } ? text : "00";
        return DateTime.TryParseExact($"{match.Groups["date"].Value} {match.Groups["minutes"].Value}:{seconds}", "yyyy-MM-dd HH:mm:ss",
            CultureInfo.InvariantCulture, DateTimeStyles.None, out var instant)
            ? instant
            : null;
    }

    // The fraction stays text: DateTime has seven digits of it, TIMESTAMP_NS nine.
    private static string Canonical(DateTime instant, Match match, bool pad = false)
    {
        var fraction = Fraction(match);
        var seconds = instant.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
        return pad ? $"{seconds}.{fraction.PadRight(9, '0')}" : fraction.Length == 0 ? seconds : $"{seconds}.{fraction}";
    }

    // Zeros at its end are no digits: .NET writes seven whatever the value is, Go nine.
    private static string Fraction(Match match) => match.Groups["fraction"].Value.TrimEnd('0');

    private static TimeSpan? Offset(Match match)
    {
        var text = match.Groups["offset"].Value;
        if (text == "Z")
            return TimeSpan.Zero;
        if (!TimeSpan.TryParseExact(text[1..], @"hh\:mm", CultureInfo.InvariantCulture, out var offset) || offset > TimeSpan.FromHours(15))
            return null;
        return text[0] == '-' ? -offset : offset;
    }

    private static string WriteOffset(TimeSpan offset) => $"{(offset < TimeSpan.Zero ? '-' : '+')}{offset:hh\\:mm}";

    // A lone surrogate has no UTF-8; it would arrive as another character.
    private static bool IsWellFormed(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && (!char.IsHighSurrogate(text[i]) || ++i == text.Length || !char.IsLowSurrogate(text[i])))
                return false;
        }
        return true;
    }

    [GeneratedRegex(@"^(?:DECIMAL|NUMERIC|DEC)(?:\s*\(\s*(\d{1,2})\s*(?:,\s*(\d{1,2})\s*)?\))?$", RegexOptions.IgnoreCase)]
    private static partial Regex DecimalName();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();

    [GeneratedRegex(@"^-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)\z")]
    private static partial Regex DecimalText();

    [GeneratedRegex(@"^(?<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[T ](?<minutes>[0-9]{2}:[0-9]{2})(?::(?<seconds>[0-9]{2})(?:\.(?<fraction>[0-9]{1,32}))?)?(?<offset>Z|[+-][0-9]{2}:[0-9]{2})?\z")]
    private static partial Regex TimestampText();

    [GeneratedRegex(@"^-?P(?:(?<years>\d+)Y)?(?:(?<months>\d+)M)?(?:(?<weeks>\d+)W)?(?:(?<days>\d+)D)?(?:T(?:(?<hours>\d+)H)?(?:(?<minutes>\d+)M)?(?:(?<seconds>\d+(?:\.\d{1,6})?)S)?)?\z")]
    private static partial Regex IntervalText();
}
