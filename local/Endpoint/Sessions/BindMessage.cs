using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Sessions;

/// <summary>The fields of a Bind message behind its names.</summary>
/// <param name="ParameterFormats">None for text, one for all, or one each.</param>
/// <param name="Values">The parameters; null for NULL.</param>
/// <param name="ResultFormats">None for text, one for all, or one a column.</param>
internal sealed record BindMessage(short[] ParameterFormats, byte[]?[] Values, short[] ResultFormats)
{
    public static BindMessage Read(ref Fields fields)
    {
        var formats = Formats(ref fields);
        var values = new byte[]?[fields.UInt16()];
        for (var i = 0; i < values.Length; i++)
        {
            var length = fields.Int32();
            values[i] = length == -1 ? null : fields.Bytes(length).ToArray();
        }
        var results = Formats(ref fields);
        fields.End();
        return new BindMessage(formats, values, results);
    }

    public static short FormatOf(short[] formats, int index) => formats.Length switch
    {
        0 => 0,
        1 => formats[0],
        _ => formats[index],
    };

    /// <summary>Checks that it suits the statement.</summary>
    /// <exception cref="EndpointException">It does not.</exception>
    public void Check(PreparedStatement prepared, string statementName)
    {
        foreach (var format in ParameterFormats.Concat(ResultFormats))
        {
            if (format is not (0 or 1))
                throw Violation($"format code {format} is neither 0 (text) nor 1 (binary)");
        }
        if (Values.Length != prepared.ParameterOids.Count)
        {
            throw Violation(
                $"Invalid Input Error: bind message supplies {Values.Length} parameters, but prepared statement \"{statementName}\" "
                    + $"requires {prepared.ParameterOids.Count}");
        }
        if (ParameterFormats.Length > 1 && ParameterFormats.Length != Values.Length)
            throw Violation($"bind message has {ParameterFormats.Length} parameter formats but {Values.Length} parameters");
        var columns = prepared.VisibleColumns.Count;
        if (ResultFormats.Length > 1 && ResultFormats.Length != columns)
            throw Violation($"bind message has {ResultFormats.Length} result formats but query has {columns} columns");
    }

    private static short[] Formats(ref Fields fields)
    {
        var formats = new short[fields.UInt16()];
        for (var i = 0; i < formats.Length; i++)
            formats[i] = fields.Int16();
        return formats;
    }

    private static EndpointException Violation(string message) => new(message, SqlState.ProtocolViolation);
}
