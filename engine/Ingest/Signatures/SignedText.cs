using System.Text.RegularExpressions;

namespace MdFunctions.Engine.Ingest;

/// <summary>What a sender signs, taken apart: <c>v0:{timestamp}:{body}</c>.</summary>
internal sealed partial class SignedText
{
    private SignedText(IReadOnlyList<Part> parts) => Parts = parts;

    /// <summary>The parts in their order.</summary>
    public IReadOnlyList<Part> Parts { get; }

    /// <summary>The headers that are signed.</summary>
    public IEnumerable<string> Headers => Parts.Where(part => part.Kind == "header").Select(part => part.Text);

    /// <summary>Whether a part of this kind is in it: <c>body</c>, <c>form</c>, <c>timestamp</c>, <c>url</c>.</summary>
    public bool Has(string kind) => Parts.Any(part => part.Kind == kind);

    /// <summary>Reads it.</summary>
    /// <returns>Null if a placeholder is unknown, or the body is not signed exactly once.</returns>
    public static SignedText? Parse(string text)
    {
        var parts = new List<Part>();
        var at = 0;
        foreach (Match match in Placeholder().Matches(text))
        {
            if (match.Index > at)
                parts.Add(new("text", text[at..match.Index]));
            at = match.Index + match.Length;
            var name = match.Groups[1].Value;
            if (name is "body" or "form" or "timestamp" or "url")
                parts.Add(new(name, ""));
            else if (name.StartsWith("header.", StringComparison.Ordinal) && Signature.IsHeader(name["header.".Length..]))
                parts.Add(new("header", name["header.".Length..]));
            else
                return null;
        }
        if (at < text.Length)
            parts.Add(new("text", text[at..]));
        return parts.Count(part => part.Kind is "body" or "form") == 1 ? new(parts) : null;
    }

    /// <summary>A part.</summary>
    /// <param name="Kind"><c>text</c>, <c>body</c>, <c>form</c>, <c>timestamp</c>, <c>url</c> or <c>header</c>.</param>
    /// <param name="Text">The text, or the header's name.</param>
    public sealed record Part(string Kind, string Text);

    [GeneratedRegex(@"\{([^{}]*)\}")]
    private static partial Regex Placeholder();
}
