using System.Text;
using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Values;

/// <summary>
/// Lists, structs, maps and unions as DuckDB casts them to VARCHAR. Its elements are not quoted as PostgreSQL would quote them:
/// MotherDuck's are not, and drivers' array parsers mangle them there too.
/// </summary>
internal sealed class NestedText(SessionFormat format)
{
    private readonly Dictionary<ColumnType, ValueWriter> _writers = new(ReferenceEqualityComparer.Instance);

    public void Write(Output output, Vector vector, int row)
    {
        var type = vector.Type;
        switch (type.Id)
        {
            case DuckType.List or DuckType.Array:
                Sequence(output, vector, row, '[', ']', (child, i) => Element(output, child, i, true));
                break;
            case DuckType.Map:
                Sequence(output, vector, row, '{', '}', (entries, i) =>
                {
                    Element(output, entries.Children[0], i, false);
                    output.Byte((byte)'=');
                    Element(output, entries.Children[1], i, false);
                });
                break;
            case DuckType.Struct:
                Struct(output, vector, row);
                break;
            case DuckType.Union:
                var member = vector.Children[vector.Read<byte>(row)];
                if (member.IsValid(row))
                    Write(output, member, row);
                else
                    output.Bytes("NULL"u8);
                break;
            default:
                if (!_writers.TryGetValue(type, out var writer))
                    _writers[type] = writer = Scalar(type);
                writer(output, vector, row);
                break;
        }
    }

    private static void Sequence(Output output, Vector vector, int row, char open, char close, Action<Vector, int> element)
    {
        var (first, count) = vector.Entry(row);
        output.Byte((byte)open);
        for (var i = first; i < first + count; i++)
        {
            if (i > first)
                output.Bytes(", "u8);
            element(vector.Children[0], i);
        }
        output.Byte((byte)close);
    }

    private void Struct(Output output, Vector vector, int row)
    {
        var names = vector.Type.Names;
        var isNamed = names.Length > 0 && names[0] != "";
        output.Byte(isNamed ? (byte)'{' : (byte)'(');
        for (var i = 0; i < names.Length; i++)
        {
            if (i > 0)
                output.Bytes(", "u8);
            if (isNamed)
            {
                var start = output.Length;
                output.Text(names[i]);
                Quoting.InPlace(output, start, (byte)'\'', "'\\"u8);
                output.Bytes(": "u8);
            }
            Element(output, vector.Children[i], row, false);
        }
        output.Byte(isNamed ? (byte)'}' : (byte)')');
    }

    // A value within another: DuckDB quotes what could be mistaken for structure.
    private void Element(Output output, Vector vector, int row, bool inList)
    {
        if (!vector.IsValid(row))
        {
            output.Bytes("NULL"u8);
            return;
        }
        var start = output.Length;
        Write(output, vector, row);
        var isStructure = vector.Type.Id is DuckType.List or DuckType.Array or DuckType.Struct or DuckType.Map or DuckType.Union;
        if (!isStructure && !(vector.Type.IsJson && inList) && NeedsQuotes(output.From(start)))
            Quoting.InPlace(output, start, (byte)'\'', "'\\"u8);
    }

    private static bool NeedsQuotes(ReadOnlySpan<byte> text)
        => text.IsEmpty
            || IsSpace(text[0])
            || IsSpace(text[^1])
            || Ascii.EqualsIgnoreCase(text, "null"u8)
            || text.IndexOfAny("[](){}\"',:="u8) >= 0;

    private static bool IsSpace(byte c) => c is (byte)' ' or >= 9 and <= 13;

    private ValueWriter Scalar(ColumnType type) => type.Id switch
    {
        DuckType.Boolean => (output, vector, row) => output.Bytes(vector.Read<byte>(row) != 0 ? "true"u8 : "false"u8),
        DuckType.Float => (output, vector, row) => output.Short(vector.Read<float>(row), Floats.DuckSingle),
        DuckType.Double => (output, vector, row) => output.Short(vector.Read<double>(row), Floats.DuckDouble),
        DuckType.Blob or DuckType.Geometry => (output, vector, row) => Blob(output, vector.Bytes(row)),
        DuckType.Interval => (output, vector, row) =>
        {
            var (months, days, micros) = vector.Read<RawInterval>(row);
            DateTimes.DuckInterval(output, months, days, micros);
        }
        ,
        _ when TextForm.DateOrTime(type.Id, format, EraStyle.DuckDb) is { } write =>
            (output, vector, row) => output.Length += write(output.Reserve(Output.ShortLength), vector, row),
        _ => TextForm.Of(type, format),
    };

    private static void Blob(Output output, ReadOnlySpan<byte> bytes)
    {
        foreach (var c in bytes)
        {
            if (c is >= 32 and <= 126 and not ((byte)'\\' or (byte)'\'' or (byte)'"'))
            {
                output.Byte(c);
                continue;
            }
            output.Bytes("\\x"u8);
            Convert.TryToHexString([c], output.Reserve(2), out var written);
            output.Length += written;
        }
    }
}
