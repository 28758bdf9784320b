using MdFunctions.Endpoint.Policy.Rules;
using MdFunctions.Endpoint.Remote;
using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Policy;

/// <summary>The rules for what may stand anywhere in a statement.</summary>
internal sealed class TokenScan(Examination found, Behaviour behaviour)
{
    private readonly Token[] _tokens = found.Tokens;
    private readonly Stack<Frame> _outer = new();
    private Frame _frame = new(null, found.Verb == "copy" ? "" : null, false);

    /// <summary>What is known between two parentheses.</summary>
    /// <param name="Function">The function whose arguments these are, or null.</param>
    /// <param name="Clause">The clause that the scan is in, or null.</param>
    /// <param name="TableArguments">Whether these are, or stand within, arguments of a table function.</param>
    private readonly record struct Frame(string? Function, string? Clause, bool TableArguments);

    /// <exception cref="EndpointException">Something in the statement is refused.</exception>
    public void Run()
    {
        for (var i = 0; i < _tokens.Length; i++)
        {
            var token = _tokens[i];
            if (token.Opens()) Enter(i);
            else if (token.Closes()) _frame = _outer.TryPop(out var before) ? before : _frame;
            else if (!BeginsClause(i)) Look(i, token);
        }
    }

    private void Enter(int i)
    {
        _outer.Push(_frame);
        var called = _tokens[i].Value == "(" && IsFunctionName(i - 1) ? _tokens.Name(i - 1) : null;
        if (called is null)
        {
            _frame = _frame with { Function = null, Clause = null };
            return;
        }
        var inFrom = InRelation(i - 1);
        var reads = KnownNames.FileFunctions.Contains(called);
        _frame = new(called, null, _frame.TableArguments || inFrom || reads || found.Verb == "call");
        CheckCall(i, called, reads, inFrom);
    }

    private bool IsFunctionName(int i) => _tokens.IsName(i) && !(_tokens.IsWord(i) && KnownNames.NotFunctions.Contains(_tokens[i].Value));

    private bool BeginsClause(int i)
    {
        if (!_tokens.IsWord(i)) return false;
        var word = _tokens[i].Value;
        if (word == "join")
        {
            _frame = _frame with { Clause = "from" };
            return true;
        }
        if (!KnownNames.Clauses.Contains(word) || _tokens.IsPunctuation(i - 1, ".")) return false;
        // IS DISTINCT FROM, and the FROM inside of extract(...) and its like, begin no clause.
        var comparison = word == "from" && _tokens.IsWord(i - 1, "distinct") && _tokens.IsWord(i - 2, "is", "not");
        var inside = _frame.Clause is null && _frame.Function is not null && KnownNames.FromInside.Contains(_frame.Function);
        if (!comparison && !inside && word != "using") _frame = _frame with { Clause = word };
        return true;
    }

    private void Look(int i, Token token)
    {
        if (_frame.Clause == "on" && _tokens.IsPunctuation(i, ",")) _frame = _frame with { Clause = "from" };
        if (token.Kind is TokenKind.Punctuation or TokenKind.Number) return;
        var relation = InRelation(i);
        if (_tokens.IsName(i) && relation && !_tokens.IsPunctuation(i - 1, ".")) found.Relations.Add(i);
        if (token.Kind == TokenKind.Parameter) new ParameterRules(_tokens, behaviour).Check(i, _frame.TableArguments);
        else if (relation && token.Kind is TokenKind.String or TokenKind.Quoted) CheckRelation(i, token);
        if (behaviour == Behaviour.Observed) CheckCatalog(i, relation);
    }

    /// <summary>Observed, the tables of the pg_catalog are refused. Documented, <see cref="Catalog.CatalogRelations"/> answers for them.</summary>
    private void CheckCatalog(int i, bool relation)
    {
        if (!_tokens.IsName(i)) return;
        var name = _tokens.Name(i);
        if (name == "pg_catalog" && _tokens.IsPunctuation(i + 1, ".")) throw PostgresOnly.Catalog(name, behaviour);
        if (Catalog.CatalogRelations.IsTable(name) && (relation || (_tokens.IsPunctuation(i - 1, ".") && InRelation(i - 2)))) throw PostgresOnly.Catalog(name, behaviour);
    }

    /// <summary>Whether the token stands where a relation does.</summary>
    private bool InRelation(int i)
    {
        // For a qualified name, look before its first part.
        while (_tokens.IsPunctuation(i - 1, ".") && _tokens.IsName(i - 2)) i -= 2;
        if (_tokens.IsWord(i - 1))
        {
            var before = _tokens[i - 1].Value;
            if (before == "lateral") return true;
            if (before == "from") return _frame.Clause == "from";
            return KnownNames.BeforeRelation.Contains(before) && (before != "table" || i == 1);
        }
        return _tokens.IsPunctuation(i - 1, ",") && _frame.Clause == "from";
    }

    private void CheckCall(int open, string name, bool reads, bool inFrom)
    {
        if (name.StartsWith("pg_", StringComparison.Ordinal)) throw PostgresOnly.Catalog($"{name}()", behaviour);
        if (KnownNames.ForbiddenFunctions.Contains(name)) throw EndpointException.Refused($"{name}() is not supported over the Postgres endpoint");
        if (name == "query" && inFrom) CheckQuery(open);
        else if (reads) new FileCall(found, open, name).Check();
    }

    /// <summary><c>FROM query('...')</c> runs its text: the same rules hold inside, and nothing in it can be rewritten.</summary>
    private void CheckQuery(int open)
    {
        if (_tokens.Closing(open) != open + 2 || !_tokens.IsString(open + 1)) throw EndpointException.Refused("query() takes one string literal here");
        foreach (var statement in SqlText.Split(_tokens[open + 1].Value))
        {
            var inner = StatementPolicy.Examine(statement, Behaviour.Observed);
            if (inner.Remote.Count > 0 || inner.Edits.Count > 0 || inner.Database is not null)
                throw EndpointException.Refused("a remote read inside of query() is not supported by the local endpoint. Write it as a statement of its own");
        }
    }

    private void CheckRelation(int i, Token token)
    {
        if (_tokens.IsPunctuation(i + 1, ".") || _tokens.IsPunctuation(i + 1, "(")) return;
        if (RemoteUrl.IsReadable(token.Value)) found.Remote.Add(new(token.Start, token.End, RemoteForm.Relation, RemoteUrl.ReaderFor(token.Value), [token.Value]));
        else if (RemoteUrl.IsElsewhere(token.Value) || (token.Kind == TokenKind.String && RemoteUrl.LooksLikeFile(token.Value))) RemoteUrl.Check(token.Value, "a scan");
    }
}
