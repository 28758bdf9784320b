using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;

namespace MdFunctions.Endpoint.Wire;

/// <summary>A growing buffer that messages are written into before they go to the client in large pieces.</summary>
internal sealed class Output
{
    /// <summary>Bytes of a piece that goes to the client; the buffer is a little larger, so that the row that fills it fits.</summary>
    public const int Piece = 128 * 1024;

    /// <summary>Bytes of a buffer for pieces.</summary>
    public const int Usual = Piece + 64 * 1024;

    /// <summary>More than the text of any number of 64 bits, date or time takes.</summary>
    public const int ShortLength = 64;

    private const int Initial = 8 * 1024;

    private byte[] _buffer = new byte[Initial];

    /// <summary>How many bytes are written; less takes back what was written last.</summary>
    public int Length { get; set; }

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    /// <summary>What was written from here on, to be changed in its place.</summary>
    public Span<byte> From(int start) => _buffer.AsSpan(start, Length - start);

    /// <summary>Empties the buffer; one that a single large row has blown up is not kept.</summary>
    public void Clear()
    {
        Length = 0;
        if (!IsKept(_buffer))
            _buffer = new byte[Usual];
    }

    /// <summary>Whether a buffer is worth keeping for what comes next.</summary>
    public static bool IsKept(byte[] buffer) => buffer.Length <= Usual * 4;

    /// <summary>Room for at least so many bytes at the end. What is written into it counts once <see cref="Length"/> says so.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Reserve(int count)
    {
        if (_buffer.Length - Length < count)
            Grow(count);
        return _buffer.AsSpan(Length);
    }

    public void Byte(byte value)
    {
        Reserve(1)[0] = value;
        Length++;
    }

    public void Int16(short value)
    {
        BinaryPrimitives.WriteInt16BigEndian(Reserve(2), value);
        Length += 2;
    }

    public void Int32(int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(Reserve(4), value);
        Length += 4;
    }

    public void Int64(long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(Reserve(8), value);
        Length += 8;
    }

    /// <summary>Hands over what is written, and goes on with another buffer.</summary>
    /// <param name="next">The buffer to go on with: its content does not matter.</param>
    /// <returns>The buffer with what was written: as many bytes as <see cref="Length"/> said.</returns>
    public byte[] Exchange(byte[] next)
    {
        var written = _buffer;
        (_buffer, Length) = (next, 0);
        return written;
    }

    /// <summary>Overwrites four bytes that were written before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Int32At(int at, int value) => BinaryPrimitives.WriteInt32BigEndian(_buffer.AsSpan(at, 4), value);

    public void Bytes(ReadOnlySpan<byte> source)
    {
        source.CopyTo(Reserve(source.Length));
        Length += source.Length;
    }

    public void Text(ReadOnlySpan<char> value) => Length += Encoding.UTF8.GetBytes(value, Reserve(value.Length * 3));

    /// <summary>Text with a zero byte behind it; a zero byte in the text itself would end it too early and is left out.</summary>
    public void CString(string value)
    {
        Text(value.Contains('\0') ? value.Replace("\0", "") : value);
        Byte(0);
    }

    /// <summary>Text of up to <see cref="ShortLength"/> bytes.</summary>
    /// <param name="value">What it is the text of.</param>
    /// <param name="write">Writes it, and tells how many bytes it took.</param>
    public void Short<T>(T value, Func<Span<byte>, T, int> write) => Length += write(Reserve(ShortLength), value);

    /// <summary>A whole number in decimal digits.</summary>
    public void Decimal(long value) => Length += Digits.Write(Reserve(Digits.MaxLength), value);

    private void Grow(int count)
    {
        var size = Math.Max(_buffer.Length < Usual && Length + count <= Usual ? _buffer.Length * 4 : _buffer.Length * 2, Length + count);
        Array.Resize(ref _buffer, Math.Max(size, Initial));
    }
}
