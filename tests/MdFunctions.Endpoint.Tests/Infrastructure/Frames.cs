using System.Buffers.Binary;
using System.Text;

namespace MdFunctions.Endpoint.Tests.Infrastructure;

/// <summary>The messages of PostgreSQL's protocol that a client sends.</summary>
internal static class Frames
{
    public static byte[] Sync => Frame('S');

    public static byte[] Flush => Frame('H');

    public static byte[] Terminate => Frame('X');

    public static byte[] SslRequest => Bare(Int32(80877103));

    public static byte[] GssRequest => Bare(Int32(80877104));

    public static byte[] Startup(int version = 196608, params (string Name, string Value)[] parameters)
        => Bare([Int32(version), .. parameters.SelectMany(p => new[] { CString(p.Name), CString(p.Value) }), [0]]);

    public static byte[] Startup(params (string Name, string Value)[] parameters) => Startup(196608, parameters);

    public static byte[] Password(string token = "local") => Frame('p', CString(token));

    public static byte[] Query(string sql) => Frame('Q', CString(sql));

    public static byte[] Parse(string name, string sql, params int[] oids)
        => Frame('P', [CString(name), CString(sql), Int16(oids.Length), .. oids.Select(Int32)]);

    public static byte[] Bind(string portal = "", string statement = "", object?[]? values = null, int[]? formats = null, int[]? results = null)
        => Frame(
            'B',
            [
                CString(portal), CString(statement), Int16(formats?.Length ?? 0), .. (formats ?? []).Select(Int16), Int16(values?.Length ?? 0),
                .. (values ?? []).SelectMany(Value), Int16(results?.Length ?? 0), .. (results ?? []).Select(Int16),
            ]);

    public static byte[] Describe(char kind, string name = "") => Frame('D', [(byte)kind], CString(name));

    public static byte[] Execute(string portal = "", int limit = 0) => Frame('E', CString(portal), Int32(limit));

    public static byte[] Close(char kind, string name = "") => Frame('C', [(byte)kind], CString(name));

    public static byte[] Cancel(int id, int secret) => Bare(Int32(80877102), Int32(id), Int32(secret));

    public static byte[] Frame(char type, params byte[][] parts) => [(byte)type, .. Bare(parts)];

    /// <summary>A message without a type byte.</summary>
    public static byte[] Bare(params byte[][] parts) => [.. Int32(4 + parts.Sum(part => part.Length)), .. parts.SelectMany(part => part)];

    public static byte[] CString(string text) => [.. Encoding.UTF8.GetBytes(text), 0];

    public static byte[] Int32(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }

    public static byte[] Int16(int value) => [(byte)(value >> 8), (byte)value];

    private static byte[][] Value(object? value)
    {
        if (value is null)
            return [Int32(-1)];
        var bytes = value as byte[] ?? Encoding.UTF8.GetBytes((string)value);
        return [Int32(bytes.Length), bytes];
    }
}
