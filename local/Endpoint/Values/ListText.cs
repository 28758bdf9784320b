using System.Text;
using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Values;

/// <summary>A list in braces: with its elements quoted as PostgreSQL does, or, as recorded of --compatibility-mode=metabase, not.</summary>
internal sealed class ListText(ColumnType type, SessionFormat format)
{
    private readonly ValueWriter _element = TextForm.Of(type.Children[0], format);

    public void Write(Output output, Vector vector, int row)
    {
        var (first, count) = vector.Entry(row);
        var child = vector.Children[0];
        output.Byte((byte)'{');
        for (var i = first; i < first + count; i++)
        {
            if (i > first)
                output.Byte((byte)',');
            if (!child.IsValid(i))
            {
                output.Bytes("NULL"u8);
                continue;
            }
            var start = output.Length;
            _element(output, child, i);
            if (format.Lists == ListStyle.Postgres && !child.Type.IsList)
                Quote(output, start);
        }
        output.Byte((byte)'}');
    }

    private static void Quote(Output output, int start)
    {
        var text = output.From(start);
        var isPlain = text.Length > 0 && text.IndexOfAny("{}\",\\ \t\n\r\v\f"u8) < 0 && !Ascii.EqualsIgnoreCase(text, "null"u8);
        if (!isPlain)
            Quoting.InPlace(output, start, (byte)'"', "\"\\"u8);
    }
}

/// <summary>Puts what was written last into quotes.</summary>
internal static class Quoting
{
    /// <summary>Quotes the text from <paramref name="start"/> on, with a backslash before each of <paramref name="escaped"/>.</summary>
    public static void InPlace(Output output, int start, byte quote, ReadOnlySpan<byte> escaped)
    {
        var length = output.Length - start;
        var extra = 2;
        foreach (var c in output.From(start))
            extra += escaped.Contains(c) ? 1 : 0;
        output.Reserve(extra);
        output.Length += extra;
        var all = output.From(start);
        var to = all.Length - 1;
        all[to] = quote;
        for (var from = length - 1; from >= 0; from--)
        {
            var c = all[from];
            all[--to] = c;
            if (escaped.Contains(c))
                all[--to] = (byte)'\\';
        }
        all[0] = quote;
    }
}
