using MdFunctions.Endpoint.Native;
using MdFunctions.Endpoint.Policy;
using MdFunctions.Endpoint.Remote;
using MdFunctions.Endpoint.Settings;
using MdFunctions.Endpoint.Sql;
using MdFunctions.Endpoint.Values;

namespace MdFunctions.Endpoint.Sessions;

/// <summary>A statement made ready: looked at by the policy, its remote files fetched, and prepared by DuckDB.</summary>
internal sealed class PreparedStatement : IDisposable
{
    private readonly Session _session;
    private readonly int[]? _declared;
    private IReadOnlyList<TextEdit> _narrowed = [];
    private RemoteLease _lease = RemoteLease.None;
    private Statement? _statement;
    private string? _text;
    private long _version;
    private bool _hasRun;
    private bool _isLeaseLent;

    private PreparedStatement(Session session, Examination? found, int[]? declared)
    {
        _session = session;
        _declared = declared;
        IsEmpty = found is null;
        Found = found ?? new Examination(new SqlStatement("", []));
    }

    /// <summary>What DuckDB answers where PostgreSQL has only a command tag.</summary>
    public static IReadOnlyList<Column> Success { get; } = [new Column("Success", ColumnType.Boolean)];

    public bool IsEmpty { get; }

    public Examination Found { get; }

    public StatementKind Kind { get; private set; }

    /// <summary>The result's columns, as far as they are known.</summary>
    public IReadOnlyList<Column> Columns { get; set; } = [];

    /// <summary>The columns that the client is told of: commands have none in a session with PostgreSQL's tags.</summary>
    public IReadOnlyList<Column> VisibleColumns => _session.HasPostgresTags && IsCommand ? [] : Columns;

    /// <summary>What DuckDB takes the parameters for.</summary>
    public IReadOnlyList<int> ParameterOids { get; private set; } = [];

    /// <summary>What the client is told of the parameters: what it declared itself, where it did.</summary>
    public IReadOnlyList<int> DescribedOids => [.. ParameterOids.Select((oid, i) => DeclaredOid(i) is var declared and not 0 ? declared : oid)];

    /// <summary>The remote files that it reads.</summary>
    public IReadOnlyList<RemoteFile> Files => _lease.Files;

    public bool IsDiscard => Found.Setting is { Verb: SettingVerb.DiscardAll } or { Verb: SettingVerb.Deallocate, Name: "" };

    private bool EndsTransaction => IsEmpty || Found.Verb is "rollback" or "abort";

    // `Count` and `Success`, in a column of their own.
    private bool IsCommand => Kind != StatementKind.Select && Columns is [{ Name: "Count" or "Success" }];

    /// <summary>Of a text that holds no statement.</summary>
    public static PreparedStatement Empty(Session session) => new(session, null, null);

    /// <summary>Makes it ready.</summary>
    /// <param name="session">The session that runs it.</param>
    /// <param name="found">What the policy found out about it.</param>
    /// <param name="declared">The parameter types that a Parse message declares; null for a simple query.</param>
    /// <exception cref="EndpointException">It is refused, or DuckDB cannot prepare it.</exception>
    public static PreparedStatement Open(Session session, Examination found, int[]? declared)
    {
        var prepared = new PreparedStatement(session, found, declared);
        prepared.CheckTransaction();
        session.Settle(null);
        try
        {
            prepared.Prepare();
            return prepared;
        }
        catch (EndpointException error)
        {
            var told = prepared.Clean(error);
            prepared.Dispose();
            throw told;
        }
    }

    public int DeclaredOid(int index) => _declared is not null && index < _declared.Length ? _declared[index] : 0;

    /// <summary>After an error nothing runs but what ends the transaction.</summary>
    /// <exception cref="EndpointException">The transaction has failed.</exception>
    public void CheckTransaction()
    {
        if (_session.Transaction.Status == TransactionStatus.Failed && !EndsTransaction)
        {
            throw new EndpointException(
                "TransactionContext Error: Current transaction is aborted (please ROLLBACK)", SqlState.FailedTransaction);
        }
    }

    /// <summary>Binds parameters for an execution; a statement that runs again reads its remote files again.</summary>
    public void Bind(ParameterValue[] parameters)
    {
        if (_hasRun && Found.Remote.Count > 0)
        {
            Close();
            FetchRemote();
            PrepareText();
        }
        _hasRun = true;
        if (parameters.Length == 0)
            return;
        _statement!.ClearBindings();
        for (var i = 0; i < parameters.Length; i++)
        {
            if (parameters[i].Bytes is not { } bytes)
                _statement.BindNull(i + 1);
            else if (parameters[i].IsBlob)
                _statement.BindBlob(i + 1, bytes);
            else
                _statement.BindText(i + 1, bytes);
        }
    }

    public QueryResult Execute(bool asStream) => asStream ? _statement!.Stream() : _statement!.Run();

    /// <summary>Hands over the remote files that were fetched for this execution: they go when it is over.</summary>
    public RemoteLease LendFiles()
    {
        if (_isLeaseLent)
            return RemoteLease.None;
        _isLeaseLent = true;
        return _lease;
    }

    /// <summary>Whether the columns of a result are those that were described.</summary>
    public bool HasColumns(IReadOnlyList<Column> actual)
        => actual.Count == Columns.Count && actual.Zip(Columns).All(pair => pair.First.Type.OidNumber == pair.Second.Type.OidNumber);

    /// <summary>What a statement changes in its session.</summary>
    public void AfterRun()
    {
        switch (Found.Verb)
        {
            case "begin" or "start":
                _session.Transaction.Begun();
                break;
            case "commit" or "end":
                _session.Transaction.Ended(committed: true);
                break;
            case "rollback" or "abort":
                _session.Transaction.Ended(committed: false);
                break;
            case "use":
                _session.Database = _session.Connection.Rows("SELECT current_database()")[0][0]!;
                break;
            case "set" or "reset":
                _session.ReadTimeZone();
                break;
        }
        if (!SchemaChanges.Leaves(Kind))
            _session.Transaction.ChangeSchema();
    }

    /// <summary>The tag of its CommandComplete.</summary>
    /// <param name="rows">How many rows it gave or changed.</param>
    /// <param name="isSilent">Whether the rows were not shown.</param>
    public string Tag(long rows, bool isSilent) => _session switch
    {
        { HasPostgresTags: false } => Found.Tag,
        { Behaviour: Behaviour.Observed } => CommandTags.Metabase(Kind, Found.Tag, rows, isSilent),
        _ => CommandTags.Postgres(Kind, Found, rows, isSilent),
    };

    /// <summary>An error as the client should see it: with the URLs that it wrote, not where their files are cached.</summary>
    public EndpointException Clean(EndpointException error)
    {
        if (error.IsFatal)
            return error;
        var message = _session.Scope().WithoutHiddenNames(_lease.WithUrls(error.Message));
        // DuckDB repeats the statement's text, which is not the client's any more where it was changed.
        var line = message.IndexOf("\nLINE ", StringComparison.Ordinal);
        if (line >= 0 && (Files.Count > 0 || _narrowed.Count > 0))
            message = message[..line].TrimEnd('\n');
        return new EndpointException(message, error.Code);
    }

    /// <summary>It has failed, and is not used again.</summary>
    public void Forget() => _text = null;

    public void Dispose() => Close();

    private void Close()
    {
        // What streams still has not let go of its statement.
        if (_text is not null && _statement is not null && _session.Active is null)
            _session.Statements.Give(_text, _statement, _version);
        else
            _statement?.Dispose();
        (_statement, _text) = (null, null);
        LendFiles().Release();
    }

    private void Prepare()
    {
        if (Found.Database is not null || Found.Setting is not null)
        {
            if (_session.Login.IsReadOnly && Found.Database is { Verb: not Databases.DatabaseVerb.Attach })
                throw ReadOnlyAccess.Refused(Found);
            Columns = Success;
            return;
        }
        if (!Found.IsUnfinished)
            _narrowed = _session.Scope().Narrow(Found);
        FetchRemote();
        PrepareText();
        Kind = _statement!.Kind;
        if (_session.Login.IsReadOnly)
            ReadOnlyAccess.Check(Kind, Found);
        if (_declared is null)
            return; // A simple query learns its columns as it runs.
        Columns = _statement.Columns;
        var oids = new int[_statement.ParameterCount];
        for (var i = 0; i < oids.Length; i++)
            oids[i] = _statement.ParameterType(i + 1) is { IsUnresolved: false } type ? type.OidNumber : Oid.Text;
        ParameterOids = oids;
    }

    private void FetchRemote()
    {
        if (Found.Remote.Count == 0)
            return;
        _lease = _session.Services.Remote
            .AcquireAsync(Found.Sql, Found.Remote, Evaluate, _session.Interruption.Token)
            .GetAwaiter().GetResult();
        _isLeaseLent = false;
    }

    private List<string?> Evaluate(string sql) => _session.Connection.Rows(sql).ConvertAll(row => row[0]);

    private void PrepareText()
    {
        var isTyped = _session.Behaviour == Behaviour.Documented && _declared is not null;
        IReadOnlyList<TextEdit> typed = isTyped ? ParameterTypes.AsDeclared(Found.Tokens, _declared!) : [];
        PrepareText(typed);
        if (_declared is null || _statement!.ParameterCount == 0 || !_statement.Columns.Any(column => column.Type.IsUnresolved))
            return;
        if (!isTyped)
        {
            throw new EndpointException(
                "Invalid Input Error: cannot prepare a statement with ambiguous result column types. Cast its parameters: CAST($1 AS VARCHAR)");
        }
        // As in PostgreSQL: a parameter of which nothing is known is text.
        _statement.Dispose();
        (_statement, _text) = (null, null);
        PrepareText(ParameterTypes.AllTyped(Found.Tokens, _declared));
    }

    /// <summary>
    /// DuckDB makes several statements of some texts (PIVOT, COPY FROM DATABASE); all but the last run at once, as they do in its own
    /// clients, some of them in a transaction that they begin and end themselves.
    /// </summary>
    private void PrepareText(IReadOnlyList<TextEdit> typed)
    {
        var sql = SqlText.Apply(Found.Sql, [.. Found.Edits, .. _narrowed, .. _lease.Edits, .. typed]);
        var mayKeep = _session.Transaction.Status == TransactionStatus.Idle && Found.Remote.Count == 0;
        _version = _session.Services.Changes.Version;
        if (mayKeep && _session.Statements.Take(sql) is { } kept)
        {
            (_statement, _text) = (kept, sql);
            return;
        }
        using var steps = _session.Connection.Extract(sql);
        if (steps.Count > 1 && _declared is not null)
            throw new EndpointException("Invalid Input Error: Cannot prepare multiple statements at once!");
        if (steps.Count > 1 && _session.Login.IsReadOnly)
            ReadOnlyAccess.CheckWords(Found);
        try
        {
            for (var i = 0; i < steps.Count - 1; i++)
            {
                using var step = steps.Prepare(i);
                step.Run().Dispose();
            }
            _statement = steps.Prepare(steps.Count - 1);
            _text = mayKeep && steps.Count == 1 ? sql : null;
        }
        catch (EndpointException) when (steps.Count > 1 && _session.Transaction.Status == TransactionStatus.Idle)
        {
            _session.Transaction.RollBackStray();
            throw;
        }
        finally
        {
            if (steps.Count > 1)
                _session.Transaction.ChangeSchema();
        }
    }
}
