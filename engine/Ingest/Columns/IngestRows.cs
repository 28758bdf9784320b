using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using MdFunctions.Engine.Http;

namespace MdFunctions.Engine.Ingest;

/// <summary>A row that does not fit.</summary>
/// <param name="Index">Its place in the body, from 0.</param>
/// <param name="Misfit">Why.</param>
/// <param name="Content">The row as it was sent.</param>
internal sealed record RejectedRow(int Index, Misfit Misfit, string Content);

/// <summary>A body's rows, each checked against the columns.</summary>
/// <param name="Json">The rows that fit, as a JSON array whose scalars are all strings.</param>
/// <param name="Count">How many rows the body has.</param>
/// <param name="Rejected">The rows that do not fit.</param>
internal sealed record IngestRows(string Json, int Count, IReadOnlyList<RejectedRow> Rejected)
{
    // What DuckDB reads is no HTML page: only what JSON itself demands is escaped.
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>Reads a body: a JSON array of objects, one object, or NDJSON.</summary>
    /// <exception cref="ProblemException">400: not UTF-8, not JSON; 413: too many rows; 422: nested too deeply.</exception>
    public static IngestRows Read(IngestTemplate ingest, ReadOnlySpan<byte> body, bool lines)
    {
        if (body.StartsWith("\uFEFF"u8))
            body = body[3..];
        var at = System.Text.Unicode.Utf8.IsValid(body) ? -1 : InvalidUtf8(body);
        if (at >= 0)
            throw new ProblemException(Problem.BadRequest($"The body is not UTF-8 (byte {at + 1})."));
        var ranges = Split(ingest, body, lines);

        var accepted = new ArrayBufferWriter<byte>(body.Length + 2);
        var scratch = new ArrayBufferWriter<byte>();
        using var output = new Utf8JsonWriter(scratch, Writing);
        var rejected = new List<RejectedRow>();
        accepted.Write("["u8);
        for (var i = 0; i < ranges.Count; i++)
        {
            var row = body[ranges[i]];
            scratch.ResetWrittenCount();
            output.Reset();
            if (Write(ingest, row, output) is { } misfit)
            {
                rejected.Add(new(i, misfit, ingest.SkipsMisfits ? Encoding.UTF8.GetString(row) : ""));
                continue;
            }
            output.Flush();
            if (accepted.WrittenCount > 1)
                accepted.Write(","u8);
            accepted.Write(scratch.WrittenSpan);
        }
        accepted.Write("]"u8);
        return new(Encoding.UTF8.GetString(accepted.WrittenSpan), ranges.Count, rejected);
    }

    private static Misfit? Write(IngestTemplate ingest, ReadOnlySpan<byte> row, Utf8JsonWriter output)
    {
        var reader = new Utf8JsonReader(row, new JsonReaderOptions { MaxDepth = ingest.MaxDepth + 1 });
        reader.Read();
        try
        {
            // A null would pass for a column's; as a row it is none.
            return reader.TokenType == JsonTokenType.Null ? new("", "is not a JSON object") : ingest.Columns.Write(ref reader, row, output);
        }
        catch (InvalidOperationException)
        {
            return new("", "holds half a surrogate pair, which is not Unicode text");
        }
    }

    // Where each row is. The whole body is checked here, so that the rows can be read without a thought of their grammar.
    private static List<Range> Split(IngestTemplate ingest, ReadOnlySpan<byte> body, bool lines)
    {
        // One level more than is allowed: the reader calls what is too deep not valid, and we can be clearer.
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = ingest.MaxDepth + 1, AllowMultipleValues = lines });
        var rows = new List<Range>();
        var start = 0;
        try
        {
            var rowDepth = -1;
            while (reader.Read())
            {
                var opens = reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray;
                if (opens && reader.CurrentDepth >= ingest.MaxDepth)
                    throw new ProblemException(new Problem(422, "Nested too deeply", $"The body is nested deeper than the {ingest.MaxDepth} levels that are taken."));
                if (rowDepth < 0)
                {
                    rowDepth = !lines && reader.TokenType == JsonTokenType.StartArray ? 1 : 0;
                    if (rowDepth == 1)
                        continue;
                }
                if (reader.CurrentDepth != rowDepth)
                    continue;
                if (reader.TokenType is not (JsonTokenType.EndObject or JsonTokenType.EndArray))
                    start = (int)reader.TokenStartIndex;
                if (opens)
                    continue;
                rows.Add(start..(int)reader.BytesConsumed);
                if (rows.Count > ingest.MaxRows)
                    throw new ProblemException(new Problem(413, "Too many rows", $"A body may have at most {ingest.MaxRows} rows."));
            }
            return rows;
        }
        catch (JsonException e)
        {
            throw new ProblemException(Problem.BadRequest($"The body is not valid JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1})."));
        }
    }

    private static int InvalidUtf8(ReadOnlySpan<byte> body)
    {
        var at = 0;
        while (Rune.DecodeFromUtf8(body[at..], out _, out var length) == OperationStatus.Done)
            at += length;
        return at;
    }
}
