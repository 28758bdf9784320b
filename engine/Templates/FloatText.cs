using System.Globalization;
using System.Text.RegularExpressions;

namespace MdFunctions.Engine.Templates;

/// <summary>The text of a FLOAT or a DOUBLE. One that would be rounded to another number is none: 16777217 is no FLOAT.</summary>
internal static partial class FloatText
{
    /// <summary>Reads a number; null if the text is none, or one that the type does not keep.</summary>
    /// <param name="text">The text, as JSON writes numbers, or NaN, Infinity or -Infinity.</param>
    /// <param name="single">FLOAT, else DOUBLE.</param>
    public static ParameterValue? Read(string text, bool single)
    {
        if (text is "NaN" or "Infinity" or "-Infinity")
            return new(text, double.Parse(text, CultureInfo.InvariantCulture));
        const NumberStyles style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (Number().Match(text) is not { Success: true } number || !double.TryParse(text, style, CultureInfo.InvariantCulture, out var value))
            return null;
        // Neither so large nor so small that nothing of it is left.
        var digits = Digits(number.Groups["digits"].ValueSpan);
        var (finite, zero) = single ? (float.IsFinite((float)value), (float)value == 0) : (double.IsFinite(value), value == 0);
        return finite && zero == (digits.Length == 0) && Keeps(digits, text, value, single) ? new(text, value) : null;
    }

    // A number of 15 digits (FLOAT: 6) comes back from a DOUBLE as it went in. One with more has to: in as few digits as tell it from others, or in as many as there can be.
    private static bool Keeps(string digits, string text, double value, bool single)
    {
        if (digits.Length <= (single ? 6 : 15))
            return true;
        var (longest, shortest) = single && float.TryParse(text, CultureInfo.InvariantCulture, out var small)
            ? (small.ToString("E8", CultureInfo.InvariantCulture), small.ToString("R", CultureInfo.InvariantCulture))
            : (value.ToString("E16", CultureInfo.InvariantCulture), value.ToString("R", CultureInfo.InvariantCulture));
        return digits == Digits(shortest) || digits == Digits(longest);
    }

    // Those that count: neither the exponent, nor the zeros on both sides.
    private static string Digits(ReadOnlySpan<char> number)
    {
        var exponent = number.IndexOfAny('e', 'E');
        return string.Concat((exponent < 0 ? number : number[..exponent]).ToString().Where(char.IsAsciiDigit)).Trim('0');
    }

    [GeneratedRegex(@"^-?(?<digits>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?\z")]
    private static partial Regex Number();
}
