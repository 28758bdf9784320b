using MdFunctions.Endpoint.Native;
using MdFunctions.Endpoint.Values;

namespace MdFunctions.Endpoint.Wire;

/// <summary>The messages of PostgreSQL's protocol, version 3, that a server sends.</summary>
internal static class Messages
{
    public const int SslRequest = 80877103;
    public const int GssRequest = 80877104;
    public const int CancelRequest = 80877102;
    public const int Version3 = 196608;

    public static void Authentication(Output output, int kind)
    {
        var start = Begin(output, 'R');
        output.Int32(kind);
        End(output, start);
    }

    public static void ParameterStatus(Output output, string name, string value)
    {
        var start = Begin(output, 'S');
        output.CString(name);
        output.CString(value);
        End(output, start);
    }

    public static void BackendKey(Output output, int id, int secret)
    {
        var start = Begin(output, 'K');
        output.Int32(id);
        output.Int32(secret);
        End(output, start);
    }

    public static void NegotiateVersion(Output output, IReadOnlyCollection<string> unknown)
    {
        var start = Begin(output, 'v');
        output.Int32(Version3);
        output.Int32(unknown.Count);
        foreach (var option in unknown)
            output.CString(option);
        End(output, start);
    }

    public static void ReadyForQuery(Output output, char status)
    {
        var start = Begin(output, 'Z');
        output.Byte((byte)status);
        End(output, start);
    }

    public static void CommandComplete(Output output, string tag)
    {
        var start = Begin(output, 'C');
        output.CString(tag);
        End(output, start);
    }

    public static void EmptyQueryResponse(Output output) => End(output, Begin(output, 'I'));

    public static void ParseComplete(Output output) => End(output, Begin(output, '1'));

    public static void BindComplete(Output output) => End(output, Begin(output, '2'));

    public static void CloseComplete(Output output) => End(output, Begin(output, '3'));

    public static void NoData(Output output) => End(output, Begin(output, 'n'));

    public static void PortalSuspended(Output output) => End(output, Begin(output, 's'));

    public static void ParameterDescription(Output output, IReadOnlyList<int> oids)
    {
        var start = Begin(output, 't');
        output.Int16((short)oids.Count);
        foreach (var oid in oids)
            output.Int32(oid);
        End(output, start);
    }

    /// <summary>The columns of a result. <paramref name="formats"/> may be empty: then all are text.</summary>
    public static void RowDescription(Output output, IReadOnlyList<Column> columns, ReadOnlySpan<short> formats, Behaviour behaviour)
    {
        var start = Begin(output, 'T');
        output.Int16((short)columns.Count);
        for (var i = 0; i < columns.Count; i++)
        {
            output.CString(columns[i].Name);
            output.Int32(0);
            output.Int16(0);
            var format = formats.IsEmpty ? (short)0 : formats[i];
            output.Int32(behaviour == Behaviour.Observed && format == 0 && columns[i].Type.IsListOfLists ? Oid.ObservedListOfLists : columns[i].Type.OidNumber);
            output.Int16(columns[i].Type.Size);
            output.Int32(columns[i].Type.TypeModifier);
            output.Int16(format);
        }
        End(output, start);
    }

    public static void Error(Output output, EndpointException error, Behaviour behaviour, bool isFatal)
        => Report(output, 'E', isFatal ? "FATAL" : "ERROR", error.CodeFor(behaviour), error.Message);

    public static void Warning(Output output, string text, string sqlState = "01000") => Report(output, 'N', "WARNING", sqlState, text);

    private static void Report(Output output, char type, string severity, string sqlState, string text)
    {
        var start = Begin(output, type);
        Field(output, 'S', severity);
        Field(output, 'V', severity);
        Field(output, 'C', sqlState);
        Field(output, 'M', text);
        output.Byte(0);
        End(output, start);
    }

    private static void Field(Output output, char name, string value)
    {
        output.Byte((byte)name);
        output.CString(value);
    }

    // A message's length stands before it, and is known when it ends.
    private static int Begin(Output output, char type)
    {
        output.Byte((byte)type);
        output.Int32(0);
        return output.Length - 4;
    }

    private static void End(Output output, int start) => output.Int32At(start, output.Length - start);
}
