using System.Buffers;
using MdFunctions.Engine.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace MdFunctions.Engine.Queries;

/// <summary>A format that answers can have.</summary>
/// <param name="Name">What <c>?format=</c> calls it.</param>
/// <param name="ContentType">The <c>Content-Type</c> of an answer.</param>
/// <param name="Accepts">The media types of <c>Accept</c> that ask for it.</param>
/// <param name="Writer">Makes the writer of its rows.</param>
internal sealed record ResultFormat(string Name, string ContentType, string[] Accepts, Func<IBufferWriter<byte>, IReadOnlyList<Column>, RowWriter> Writer)
{
    /// <summary>All formats, in the order of preference where a request leaves a choice.</summary>
    public static IReadOnlyList<ResultFormat> All { get; } =
    [
        new("json", "application/json", ["application/json"], (output, columns) => new JsonRows(output, columns, lines: false)),
        new("ndjson", "application/x-ndjson", ["application/x-ndjson", "application/ndjson", "application/jsonl"], (output, columns) => new JsonRows(output, columns, lines: true)),
        new("csv", "text/csv; charset=utf-8; header=present", ["text/csv"], (output, columns) => new CsvRows(output, columns)),
    ];

    /// <summary>The format that a request asks for: by <c>?format=</c>, else by <c>Accept</c> and its q-values, else JSON.</summary>
    /// <exception cref="ProblemException">400 for an unknown <c>?format=</c>, 406 when nothing in <c>Accept</c> can be had.</exception>
    public static ResultFormat Of(HttpRequest request)
    {
        if (request.Query.TryGetValue("format", out var asked))
        {
            return All.FirstOrDefault(format => format.Name == asked) ?? throw new ProblemException(Problem.BadInput(
                new Dictionary<string, string[]> { ["format"] = [$"'format' is not one of {string.Join(", ", All.Select(format => format.Name))}."] }));
        }
        if (!MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted) || accepted.Count == 0)
            return All[0];
        return All.Select((format, preference) => (format, preference, quality: format.Quality(accepted)))
            .Where(choice => choice.quality > 0)
            .OrderByDescending(choice => choice.quality).ThenBy(choice => choice.preference)
            .FirstOrDefault().format
            ?? throw new ProblemException(new Problem(406, "Not acceptable", $"Answers can be had as {string.Join(", ", All.Select(format => format.Accepts[0]))}."));
    }

    // The most specific range that matches decides (RFC 9110, 12.5.1).
    private double Quality(IList<MediaTypeHeaderValue> accepted) => accepted
        .Select(range => (range, specificity: Specificity(range)))
        .Where(match => match.specificity > 0)
        .OrderByDescending(match => match.specificity)
        .Select(match => match.range.Quality ?? 1)
        .FirstOrDefault();

    private int Specificity(MediaTypeHeaderValue range) => range switch
    {
        { MatchesAllTypes: true } => 1,
        { MatchesAllSubTypes: true } => Accepts.Any(type => type.StartsWith(range.Type.Value + "/", StringComparison.OrdinalIgnoreCase)) ? 2 : 0,
        _ => Accepts.Contains(range.MediaType.Value, StringComparer.OrdinalIgnoreCase) ? 3 : 0,
    };
}
