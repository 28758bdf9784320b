using System.Buffers.Binary;
using System.Text;

namespace MdFunctions.Endpoint.Wire;

/// <summary>Reads the fields of a message's body; what is too short or not closed is a protocol error.</summary>
internal ref struct Fields(ReadOnlySpan<byte> body)
{
    private ReadOnlySpan<byte> _rest = body;

    public short Int16() => BinaryPrimitives.ReadInt16BigEndian(Bytes(2));

    public int UInt16() => BinaryPrimitives.ReadUInt16BigEndian(Bytes(2));

    public int Int32() => BinaryPrimitives.ReadInt32BigEndian(Bytes(4));

    public char Char() => (char)Bytes(1)[0];

    public ReadOnlySpan<byte> Bytes(int count)
    {
        if (count < 0 || count > _rest.Length)
            throw EndpointException.Fatal("a message is shorter than its fields", SqlState.ProtocolViolation);
        var bytes = _rest[..count];
        _rest = _rest[count..];
        return bytes;
    }

    /// <summary>Text up to a zero byte; bytes that are not UTF-8 become the replacement character.</summary>
    public string CString()
    {
        var end = _rest.IndexOf((byte)0);
        if (end < 0)
            throw EndpointException.Fatal("a string in a message is not closed", SqlState.ProtocolViolation);
        var text = Encoding.UTF8.GetString(_rest[..end]);
        _rest = _rest[(end + 1)..];
        return text;
    }

    public readonly void End()
    {
        if (!_rest.IsEmpty)
            throw EndpointException.Fatal("a message is longer than its fields", SqlState.ProtocolViolation);
    }
}
