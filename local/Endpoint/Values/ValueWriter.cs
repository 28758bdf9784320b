using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Values;

/// <summary>Writes the value in a row of a vector, which is not NULL, at the output's end.</summary>
internal delegate void ValueWriter(Output output, Vector vector, int row);

/// <summary>
/// Writes a value whose text is short (numbers, dates, times) into a target with room for <see cref="Output.ShortLength"/> bytes, and tells how many
/// it took.
/// </summary>
internal delegate int ShortWriter(Span<byte> target, Vector vector, int row);

/// <summary>DuckDB's interval in memory.</summary>
internal readonly record struct RawInterval(int Months, int Days, long Micros);
