using System.Buffers.Binary;
using System.Text;

namespace MdFunctions.Endpoint.Tests.Infrastructure;

internal sealed record ColumnDescription(string Name, int Oid, short Size, int TypeModifier, short Format);

/// <summary>A message from the endpoint.</summary>
internal sealed record Message(char Type, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);

    /// <summary>A body that is one string.</summary>
    public string CString => Encoding.UTF8.GetString(Body.AsSpan(0, Array.IndexOf(Body, (byte)0)));

    /// <summary>A field of an ErrorResponse or NoticeResponse: S severity, C SQLSTATE, M message.</summary>
    public string Field(char field) => Text.Split('\0').FirstOrDefault(part => part.Length > 0 && part[0] == field)?[1..] ?? "";

    /// <summary>The values of a DataRow.</summary>
    public byte[]?[] Values()
    {
        var values = new byte[]?[BinaryPrimitives.ReadInt16BigEndian(Body)];
        var at = 2;
        for (var i = 0; i < values.Length; i++)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(Body.AsSpan(at));
            at += 4;
            if (length < 0)
                continue;
            values[i] = Body[at..(at + length)];
            at += length;
        }
        return values;
    }

    /// <summary>The values of a DataRow as text.</summary>
    public string?[] Texts() => Array.ConvertAll(Values(), value => value is null ? null : Encoding.UTF8.GetString(value));

    /// <summary>The columns of a RowDescription.</summary>
    public List<ColumnDescription> Columns()
    {
        var columns = new List<ColumnDescription>();
        var at = 2;
        for (var i = BinaryPrimitives.ReadInt16BigEndian(Body); i > 0; i--)
        {
            var end = Array.IndexOf(Body, (byte)0, at);
            var fields = Body.AsSpan(end + 7);
            columns.Add(new ColumnDescription(
                Encoding.UTF8.GetString(Body, at, end - at),
                BinaryPrimitives.ReadInt32BigEndian(fields),
                BinaryPrimitives.ReadInt16BigEndian(fields[4..]),
                BinaryPrimitives.ReadInt32BigEndian(fields[6..]),
                BinaryPrimitives.ReadInt16BigEndian(fields[10..])));
            at = end + 19;
        }
        return columns;
    }
}

internal static class MessageLists
{
    /// <summary>Their types, in a row.</summary>
    public static string Types(this IEnumerable<Message> messages) => string.Concat(messages.Select(message => message.Type));

    /// <summary>The first error, which there must be.</summary>
    public static Message Error(this IEnumerable<Message> messages) => messages.First(message => message.Type == 'E');

    /// <summary>What the first error says, or nothing where there is none.</summary>
    public static string ErrorText(this IEnumerable<Message> messages)
        => messages.FirstOrDefault(message => message.Type == 'E')?.Field('M') ?? "";

    public static string?[][] Rows(this IEnumerable<Message> messages) => [.. messages.Where(message => message.Type == 'D').Select(message => message.Texts())];

    public static string[] Tags(this IEnumerable<Message> messages) => [.. messages.Where(message => message.Type == 'C').Select(message => message.CString)];

    public static List<ColumnDescription> Columns(this IEnumerable<Message> messages) => messages.First(message => message.Type == 'T').Columns();
}
