using System.Globalization;
using Npgsql;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>A row of a result, whose values arrive as text whatever their types.</summary>
/// <param name="reader">Stands on the row.</param>
public readonly struct Row(NpgsqlDataReader reader)
{
    /// <summary>A value as text, by the place of its column from 0; null for NULL.</summary>
    public string? Text(int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    /// <summary>All values as text, in the order of their columns; null for NULL.</summary>
    public string?[] Texts()
    {
        var texts = new string?[reader.FieldCount];
        for (var i = 0; i < texts.Length; i++)
            texts[i] = Text(i);
        return texts;
    }

    /// <summary>A value of a type such as <c>long</c>, <c>decimal</c>, <c>BigInteger</c>, <c>DateTime</c> or <c>Guid</c>, by the place of its column from 0; null for NULL.</summary>
    /// <exception cref="FormatException">The text is not a value of the type.</exception>
    /// <exception cref="OverflowException">The value is too large for the type.</exception>
    public T? Get<T>(int column) where T : struct, IParsable<T>
    {
        if (Text(column) is not { } text)
            return null;
        if (typeof(T) == typeof(bool))
            text = text is "t" or "true" ? bool.TrueString : bool.FalseString; // PostgreSQL writes one letter.
        return T.Parse(text, CultureInfo.InvariantCulture);
    }
}
