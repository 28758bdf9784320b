using System.Buffers.Binary;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace MdFunctions.Benchmarks;

/// <summary>
/// A client of PostgreSQL's protocol over TLS that counts rows and reads no value: beside an endpoint on the same cores it costs little, so that the
/// endpoint is what is measured.
/// </summary>
internal sealed class LeanClient : IDisposable
{
    private const int SslRequest = 80877103;
    private const int Version3 = 196608;

    private readonly SslStream _stream;
    private readonly byte[] _buffer = new byte[256 * 1024];
    private int _start;
    private int _end;

    private LeanClient(SslStream stream) => _stream = stream;

    /// <summary>Connects to an endpoint on this machine, whose certificate is not looked at, and logs in.</summary>
    public static LeanClient Connect(int port, string token = "local")
    {
        var socket = new TcpClient("127.0.0.1", port) { NoDelay = true };
        var plain = socket.GetStream();
        plain.Write(Frame(null, Int32(SslRequest)));
        if (plain.ReadByte() != 'S')
            throw new InvalidOperationException("The endpoint does not speak TLS.");
        var stream = new SslStream(plain, leaveInnerStreamOpen: false, (_, _, _, _) => true);
        stream.AuthenticateAsClient("localhost");
        var client = new LeanClient(stream);
        stream.Write([.. Frame(null, Int32(Version3), Text("user"), Text("postgres"), Text("database"), Text("md:"), [0]), .. Frame('p', Text(token))]);
        client.UntilReady();
        return client;
    }

    /// <summary>Runs a simple query, and counts its rows.</summary>
    public int Query(string sql)
    {
        _stream.Write(Frame('Q', Text(sql)));
        return UntilReady();
    }

    /// <summary>Prepares a statement, to be executed by its name.</summary>
    public void Prepare(string name, string sql)
    {
        _stream.Write([.. Frame('P', Text(name), Text(sql), Int16(0)), .. Frame('S')]);
        UntilReady();
    }

    /// <summary>Executes a prepared statement with one parameter, and counts its rows.</summary>
    public int Execute(string name, string parameter)
    {
        var value = Encoding.UTF8.GetBytes(parameter);
        _stream.Write([
            .. Frame('B', [0], Text(name), Int16(0), Int16(1), Int32(value.Length), value, Int16(0)), .. Frame('D', [(byte)'P', 0]),
            .. Frame('E', [0], Int32(0)), .. Frame('S'),
        ]);
        return UntilReady();
    }

    public void Dispose() => _stream.Dispose();

    private int UntilReady()
    {
        var rows = 0;
        while (true)
        {
            Need(5);
            var type = (char)_buffer[_start];
            var length = BinaryPrimitives.ReadInt32BigEndian(_buffer.AsSpan(_start + 1)) + 1;
            if (type == 'E')
                throw new InvalidOperationException(Error(length));
            Skip(length);
            rows += type == 'D' ? 1 : 0;
            if (type == 'Z')
                return rows;
        }
    }

    private string Error(int length)
    {
        Need(length);
        return Encoding.UTF8.GetString(_buffer, _start + 5, length - 5).Replace('\0', ' ');
    }

    // Reads until so many bytes are in the buffer.
    private void Need(int count)
    {
        if (_end - _start >= count)
            return;
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        while (_end < count)
            _end += Read(_buffer.AsSpan(_end));
    }

    private void Skip(int count)
    {
        while (_end - _start < count)
        {
            count -= _end - _start;
            (_start, _end) = (0, Read(_buffer));
        }
        _start += count;
    }

    private int Read(Span<byte> target) => _stream.Read(target) is > 0 and var count ? count : throw new EndOfStreamException("The endpoint has closed the connection.");

    private static byte[] Frame(char? type, params byte[][] fields)
    {
        byte[] frame = [.. Int32(4 + fields.Sum(field => field.Length)), .. fields.SelectMany(field => field)];
        return type is { } first ? [(byte)first, .. frame] : frame;
    }

    private static byte[] Text(string text) => [.. Encoding.UTF8.GetBytes(text), 0];

    private static byte[] Int16(short value) => [(byte)(value >> 8), (byte)value];

    private static byte[] Int32(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }
}
