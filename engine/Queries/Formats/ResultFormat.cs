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

    // Excel takes a CSV file for UTF-8 only by its byte order mark.
    private static readonly ResultFormat CsvWithMark = All[2] with { Name = "csv;bom", Writer = (output, columns) => new CsvRows(output, columns, hasMark: true) };

    /// <summary>The format that a request asks for: by <c>?format=</c>, else by <c>Accept</c> and its q-values, else JSON; CSV has a byte order mark with <c>?bom=true</c>.</summary>
    /// <exception cref="ProblemException">400 for an unknown <c>?format=</c>, <c>?bom=</c> or <c>?download=</c>, 406 when nothing in <c>Accept</c> can be had.</exception>
    public static ResultFormat Of(HttpRequest request)
    {
        if (request.Query.TryGetValue("download", out var download) && (download is not [{ Length: <= 200 } name] || name.AsSpan().IndexOfAny("/\\:\"") >= 0 || name.Any(char.IsControl)))
            throw Wrong("download", "is not one file name of at most 200 characters");
        var format = OfFormat(request);
        if (!request.Query.TryGetValue("bom", out var mark) || mark == "false")
            return format;
        if (mark != "true")
            throw Wrong("bom", "is not true or false");
        return format == All[2] ? CsvWithMark : throw Wrong("bom", "is for CSV");
    }

    /// <summary>The name of the file that a caller wants to save the answer as: that of <c>?download=NAME</c>, or with <c>?download</c> the query's; else null.</summary>
    public string? FileName(HttpRequest request, QueryTemplate query) => !request.Query.TryGetValue("download", out var name) || name == "false" ? null
        : name == "" || name == "true" ? $"{query.Template.Name}.{Name.Split(';')[0]}"
        : name.ToString();

    /// <summary>What a caller likes best, the first of several; null if it accepts none (RFC 9110, 12.4.2).</summary>
    public static T? Best<T>(IEnumerable<T> choices, Func<T, double> quality) where T : class =>
        choices.Select(choice => (choice, quality: quality(choice))).Where(one => one.quality > 0).OrderByDescending(one => one.quality).FirstOrDefault().choice;

    private static ProblemException Wrong(string parameter, string what) =>
        new(Problem.BadInput(new Dictionary<string, string[]> { [parameter] = [$"'{parameter}' {what}."] }));

    private static ResultFormat OfFormat(HttpRequest request)
    {
        if (request.Query.TryGetValue("format", out var asked))
            return All.FirstOrDefault(format => format.Name == asked) ?? throw Wrong("format", $"is not one of {string.Join(", ", All.Select(format => format.Name))}");
        if (!MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted) || accepted.Count == 0)
            return All[0];
        return Best(All, format => format.Quality(accepted))
            ?? throw new ProblemException(new Problem(406, "Not acceptable", $"Answers can be had as {string.Join(", ", All.Select(format => format.Accepts[0]))}."));
    }

    // The most specific range that matches decides (RFC 9110, 12.5.1).
    private double Quality(IList<MediaTypeHeaderValue> accepted) => accepted
        .Where(range => Accepts.Any(type => range.MatchesMediaType(type)))
        .OrderBy(range => range.MatchesAllTypes ? 2 : range.MatchesAllSubTypes ? 1 : 0)
        .Select(range => range.Quality ?? 1)
        .FirstOrDefault();
}
