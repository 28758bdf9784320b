using MdFunctions.Endpoint.Remote;
using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Policy.Rules;

/// <summary>A call of a function that reads files: which files, and MD_RUN.</summary>
internal sealed class FileCall(Examination found, int open, string function)
{
    private readonly Token[] _tokens = found.Tokens;

    /// <exception cref="EndpointException">It reads a local file, or runs locally.</exception>
    public void Check()
    {
        Range? files = null;
        foreach (var argument in Arguments())
        {
            var at = argument.Start.Value;
            var named = _tokens.IsName(at) && (_tokens.IsPunctuation(at + 1, "=") || _tokens.IsPunctuation(at + 1, ":=") || _tokens.IsPunctuation(at + 1, "=>"));
            if (!named) files ??= argument;
            else if (_tokens.IsName(at, "md_run")) RunsRemotely(argument);
        }
        if (files is { } range) CheckFiles(range);
    }

    private List<Range> Arguments()
    {
        var (arguments, depth, start, end) = (new List<Range>(), 0, open + 1, _tokens.Closing(open));
        for (var i = open + 1; i <= end; i++)
        {
            if (i == end || (depth == 0 && _tokens.IsPunctuation(i, ",")))
            {
                if (i > start) arguments.Add(start..i);
                start = i + 1;
            }
            else if (_tokens[i].Opens()) depth++;
            else if (_tokens[i].Closes()) depth--;
        }
        return arguments;
    }

    /// <summary>MD_RUN is MotherDuck's, so DuckDB must not see it.</summary>
    private void RunsRemotely(Range argument)
    {
        var (from, to) = (argument.Start.Value, argument.End.Value);
        var value = to - from == 3 && (_tokens.IsName(from + 2) || _tokens.IsString(from + 2)) ? _tokens[from + 2].Value.ToLowerInvariant() : "";
        if (value == "local")
            throw EndpointException.Refused("MD_RUN = LOCAL is not supported over the Postgres endpoint: the server has no access to your files. Use MD_RUN = REMOTE");
        if (value is not ("remote" or "auto")) throw new EndpointException("Binder Error: MD_RUN must be one of REMOTE, AUTO or LOCAL");
        // With the comma before it, or, where it comes first, the one after it.
        var start = _tokens.IsPunctuation(from - 1, ",") ? from - 1 : from;
        var last = start == from && _tokens.IsPunctuation(to, ",") ? to : to - 1;
        found.Edits.Add(new(_tokens[start].Start, _tokens[last].End, ""));
    }

    private void CheckFiles(Range range)
    {
        var list = _tokens.AsSpan(range);
        foreach (var token in list)
            if (token.Kind == TokenKind.Parameter) throw ParameterRules.InTableFunction();
        var (form, urls) = Literal(list);
        foreach (var url in urls) RemoteUrl.Check(url, function);
        if (function == "glob") throw EndpointException.Refused("glob() is not supported by the local endpoint");
        if (form == RemoteForm.Expression) CheckExpression(list);
        if (form == RemoteForm.Expression || urls.Count > 0) found.Remote.Add(new(list[0].Start, list[^1].End, form, function, urls));
    }

    private static (RemoteForm Form, List<string> Urls) Literal(ReadOnlySpan<Token> list)
    {
        if (list is [{ Kind: TokenKind.String } single] && IsPlain(single)) return (RemoteForm.Argument, [single.Value]);
        var urls = new List<string>();
        if (list is not [{ Value: "[", Kind: TokenKind.Punctuation }, .. var items, { Value: "]", Kind: TokenKind.Punctuation }]) return (RemoteForm.Expression, urls);
        for (var i = 0; i < items.Length; i++)
        {
            var fits = i % 2 == 0 ? items[i].Kind == TokenKind.String && IsPlain(items[i]) : items[i] is { Kind: TokenKind.Punctuation, Value: "," };
            if (!fits) return (RemoteForm.Expression, []);
            if (i % 2 == 0) urls.Add(items[i].Value);
        }
        return (RemoteForm.List, urls);
    }

    private static bool IsPlain(Token text) => text.Prefix is '\0' or '$';

    /// <summary>What it names is checked when DuckDB has evaluated it. A query in it has rows, and DuckDB does not take one here either.</summary>
    private void CheckExpression(ReadOnlySpan<Token> list)
    {
        for (var i = 0; i < list.Length; i++)
        {
            if (list[i] is { Kind: TokenKind.Word, Value: "select" or "values" }) throw DependsOnRows(function);
            if (i > 0 && list[i] is { Kind: TokenKind.Word, Value: "from" } && list[i - 1].Opens()) throw DependsOnRows(function);
        }
    }

    public static EndpointException DependsOnRows(string function) => EndpointException.Refused(
        $"{function}() takes the URL of a remote file, or a list of them, as an expression that depends on no row");
}
