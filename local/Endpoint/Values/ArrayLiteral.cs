using System.Text;

namespace MdFunctions.Endpoint.Values;

/// <summary>PostgreSQL's text form of arrays, as drivers send it, and DuckDB's of lists.</summary>
internal static class ArrayLiteral
{
    private const int MaxDepth = 6;

    /// <summary><c>{1,"a b",NULL}</c> as <c>['1', 'a b', NULL]</c>, which DuckDB casts to a list.</summary>
    /// <exception cref="FormatException">It is malformed.</exception>
    public static string ToList(string array)
    {
        var list = new StringBuilder(array.Length + 16);
        var at = 0;
        List(array, ref at, list, 1);
        return at == array.Length ? list.ToString() : throw Malformed();
    }

    /// <summary>An element within quotes.</summary>
    public static void AppendQuoted(StringBuilder list, string value)
        => list.Append('\'').Append(value.Replace("\\", "\\\\").Replace("'", "\\'")).Append('\'');

    private static void List(string array, ref int at, StringBuilder list, int depth)
    {
        if (depth > MaxDepth)
            throw new FormatException($"an array has at most {MaxDepth} dimensions");
        at++;
        list.Append('[');
        for (var first = true; Peek(array, at) != '}'; first = false)
        {
            if (!first)
            {
                if (Peek(array, at++) != ',')
                    throw Malformed();
                list.Append(", ");
            }
            if (Peek(array, at) == '{')
                List(array, ref at, list, depth + 1);
            else if (Peek(array, at) == '"')
                AppendQuoted(list, Quoted(array, ref at));
            else
                Plain(array, ref at, list);
        }
        at++;
        list.Append(']');
    }

    private static string Quoted(string array, ref int at)
    {
        var value = new StringBuilder();
        at++;
        while (Peek(array, at) is var c && c != '"')
        {
            at += c == '\\' ? 1 : 0;
            value.Append(Peek(array, at++));
        }
        at++;
        return value.ToString();
    }

    private static void Plain(string array, ref int at, StringBuilder list)
    {
        var start = at;
        while (Peek(array, at) is not (',' or '}'))
            at += Peek(array, at) == '\\' ? 2 : 1;
        var value = array[start..at].Trim();
        if (value.Length == 0)
            throw Malformed();
        if (value.Equals("NULL", StringComparison.OrdinalIgnoreCase))
            list.Append("NULL");
        else
            AppendQuoted(list, value.Replace("\\", ""));
    }

    private static char Peek(string array, int at) => at < array.Length ? array[at] : throw Malformed();

    private static FormatException Malformed() => new("it is not an array in PostgreSQL's form, such as {1,2,NULL}");
}
