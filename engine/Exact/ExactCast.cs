using MdFunctions.Engine.MotherDuck;

namespace MdFunctions.Engine.Exact;

/// <summary>
/// Casts that keep a value or fail. DuckDB's own casts round numbers, cut fractions of seconds and drop zones without a word, also where
/// <c>can_cast_implicitly</c> says yes. These compare what was stored with what was there, inside the statement that stores it; where the types
/// alone show that nothing can be lost, they are plain casts.
/// </summary>
internal static class ExactCast
{
    /// <summary>How the message of a value that does not fit begins, behind DuckDB's <c>Invalid Input Error: </c>.</summary>
    public const string Refusal = "Not exact: ";

    /// <summary>The SQL that casts a value, a column's quoted name, or raises an error whose message starts with <see cref="Refusal"/> and names column, value and type.</summary>
    /// <returns>Null if no value of the one type means the same in the other.</returns>
    public static string? Write(string value, string column, DuckType from, DuckType to)
    {
        if (from.Text == to.Text)
            return value;
        if (IsLossless(from, to))
            return $"CAST({value} AS {to.Text})";
        if (from.Name == "JSON" && !to.IsNested)
            return FromJson(value, column, to);
        var loses = from.Name == "VARCHAR" ? TextCast.Loses(value, to) : Loses(value, from, to);
        return loses is null ? null : $"CASE WHEN {value} IS NOT NULL AND ({loses}) THEN error({Message(value, column, to)}) ELSE CAST({value} AS {to.Text}) END";
    }

    /// <summary>As <see cref="Write"/>, of a JSON value whose text or number is meant, not its JSON.</summary>
    /// <remarks>DuckDB reads a number with a point or an exponent as a DOUBLE, whatever it is to become; of one with more digits than that keeps, some are gone.</remarks>
    public static string? FromJson(string value, string column, DuckType to)
    {
        var text = $"({value} ->> '$')";
        var rounded = $"json_type({value}) = 'DOUBLE' AND regexp_matches({text}, '[.eE]') AND length({TextCast.Digits(text)}) > 15";
        if (to.Name == "JSON")
            return value;
        if (to.Name != "VARCHAR" && TextCast.Loses(text, to) is not { })
            return null;
        var loses = to.Name == "VARCHAR" ? rounded : to.IsFloat ? TextCast.Loses(text, to) : $"{TextCast.Loses(text, to)} OR ({rounded})";
        return $"CASE WHEN {text} IS NOT NULL AND ({loses}) THEN error({Message(text, column, to)}) ELSE CAST({text} AS {to.Text}) END";
    }

    /// <summary>What a message that <see cref="Write"/> raised says, without its beginnings; null for another message.</summary>
    public static string? Explain(string message)
    {
        var at = message.IndexOf(Refusal, StringComparison.Ordinal);
        return at is >= 0 and < 30 ? message[(at + Refusal.Length)..] : null;
    }

    private static string Message(string value, string column, DuckType to) =>
        $"{Sql.Literal($"{Refusal}column '{column}': ")} || left(CAST({value} AS VARCHAR), 100) || {Sql.Literal($" cannot be stored exactly as {to.Text}")}";

    private static string? Loses(string value, DuckType from, DuckType to)
    {
        // DuckDB's TRY_CAST of a TIMESTAMP to nanoseconds fails instead of giving NULL, unless it goes by way of text.
        var there = to.Name == "TIMESTAMP_NS" ? $"TRY_CAST(CAST({value} AS VARCHAR) AS {to.Text})" : $"TRY_CAST({value} AS {to.Text})";
        if (to.Name == "JSON")
            return from.IsNested || from.IsNumber ? $"{there} IS NULL OR TRY_CAST({there} AS {from.Text}) IS DISTINCT FROM {value}" : null;
        if (from.Name == "JSON")
            return to.IsNested ? $"{there} IS NULL OR {Bare($"CAST(CAST({there} AS JSON) AS VARCHAR)")} <> {Bare($"CAST({value} AS VARCHAR)")}" : null;
        if (!CanKeep(from, to))
            return null;
        var loses = $"{there} IS NULL OR TRY_CAST({there} AS {from.Text}) IS DISTINCT FROM {value}";
        // DuckDB multiplies a DOUBLE by a power of ten to make a DECIMAL of it; of large ones it gets the last digits wrong, and gets them back the same way.
        return HasFloatToDecimal(from, to) ? $"{loses} OR TRY_CAST(CAST({value} AS VARCHAR) AS {to.Text}) IS DISTINCT FROM {there}" : loses;
    }

    private static string Bare(string text) => $"regexp_replace({text}, '[\\s\"]', '', 'g')";

    private static bool IsLossless(DuckType from, DuckType to)
    {
        if (from.Name == "\"NULL\"")
            return true;
        if (from.Integer is { } source && to.Integer is { } target)
            return source.Signed == target.Signed ? source.Bits <= target.Bits : !source.Signed && source.Bits < target.Bits;
        if (from.Digits is { } digits && to.Name == "DECIMAL")
            return digits.Whole <= to.Digits!.Value.Whole && digits.Fraction <= to.Digits.Value.Fraction;
        if (from.Digits is (var whole, var fraction) && to.IsFloat)
            return whole + fraction <= (to.Name == "DOUBLE" ? 15 : 6);
        if (from.Name == "FLOAT" && to.Name == "DOUBLE")
            return true;
        return to.Name == "VARCHAR" && HasText(from);
    }

    // Whether the text of a value says all of it.
    private static bool HasText(DuckType type) =>
        type.IsNumber || type.SecondDigits is not null || type.Name is "BOOLEAN" or "UUID" or "ENUM" or "INTERVAL" or "BIT" or "JSON"
            or "TIMESTAMP WITH TIME ZONE" or "TIME WITH TIME ZONE";

    // Whether a value may mean the same in the other type, so that there and back shows what is lost. A time with a zone and one without never do,
    // as the session's zone comes between them; nor do bytes and text.
    private static bool CanKeep(DuckType from, DuckType to)
    {
        if (from.IsNested || to.IsNested)
            return CanKeepParts(from, to);
        return from.Text == to.Text
            || IsLossless(from, to)
            || from.IsNumber && to.IsNumber
            || from.IsDate && to.IsDate
            || from.Name is "TIME" or "TIME_NS" && to.Name is "TIME" or "TIME_NS"
            || from.Name == "ENUM" && to.Name == "ENUM"
            || from.Name == "VARCHAR" && to.Name == "ENUM";
    }

    private static bool CanKeepParts(DuckType from, DuckType to)
    {
        if (from.Text == to.Text)
            return true;
        if (from.Name == "STRUCT" && to.Name == "STRUCT")
        {
            var pairs = from.Parts.Join(to.Parts, part => part.Name, part => part.Name, (a, b) => (a.Type, Other: b.Type), StringComparer.OrdinalIgnoreCase).ToList();
            return pairs.Count > 0 && pairs.TrueForAll(pair => CanKeep(pair.Type, pair.Other));
        }
        if (from.Name == "MAP" && to.Name == "MAP")
            return CanKeep(from.Parts[0].Type, to.Parts[0].Type) && CanKeep(from.Parts[1].Type, to.Parts[1].Type);
        return from.Name is "LIST" or "ARRAY" && to.Name is "LIST" or "ARRAY" && CanKeep(from.Parts[0].Type, to.Parts[0].Type);
    }

    private static bool HasFloatToDecimal(DuckType from, DuckType to) => from.IsNested
        ? from.Parts.Any(part => to.Parts.Any(other => part.Name.Equals(other.Name, StringComparison.OrdinalIgnoreCase) && HasFloatToDecimal(part.Type, other.Type)))
        : from.IsFloat && to.Name == "DECIMAL";
}
