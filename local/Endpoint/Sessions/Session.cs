using MdFunctions.Endpoint.Connections;
using MdFunctions.Endpoint.Native;
using MdFunctions.Endpoint.Policy;
using MdFunctions.Endpoint.Settings;
using MdFunctions.Endpoint.Values;
using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Sessions;

/// <summary>One client's session after its login, on a thread and a DuckDB connection of its own.</summary>
internal sealed class Session : IDisposable
{
    private readonly ClientStream _client;
    private readonly SimpleQuery _simple;
    private readonly ExtendedQuery _extended;
    private bool _isSkipping;

    public Session(int id, int secret, ClientStream client, Connection connection, LoginResult login, SharedServices services)
    {
        (Id, Secret, _client, Connection, Login, Services) = (id, secret, client, connection, login, services);
        Database = login.Database;
        var lists = services.Behaviour == Behaviour.Documented ? ListStyle.Postgres : login.Options.IsMetabase ? ListStyle.Braces : ListStyle.DuckDb;
        Format = new SessionFormat(lists, services.Zones);
        Interruption = new Interruption(connection);
        Transaction = new Transaction(connection, login.Settings, Output, services.Changes);
        Statements = new StatementCache(services.Changes);
        _extended = new ExtendedQuery(this);
        _simple = new SimpleQuery(this, _extended);
    }

    public int Id { get; }

    /// <summary>What a cancel request must know.</summary>
    public int Secret { get; }

    public Connection Connection { get; }

    public LoginResult Login { get; }

    public SharedServices Services { get; }

    public SessionSettings Settings => Login.Settings;

    public Behaviour Behaviour => Services.Behaviour;

    public Output Output { get; } = new();

    public SessionFormat Format { get; }

    public Interruption Interruption { get; }

    public Transaction Transaction { get; }

    /// <summary>Statements that may come again.</summary>
    public StatementCache Statements { get; }

    /// <summary>The current database.</summary>
    public string Database { get; set; }

    /// <summary>The portal that streams from the connection, if there is one.</summary>
    public Portal? Active { get; set; }

    /// <summary>Whether commands answer as PostgreSQL's do: a tag with a count, and no rows.</summary>
    public bool HasPostgresTags => Behaviour == Behaviour.Documented || Login.Options.IsMetabase;

    public bool ClientHasGone => _client.HasEnded;

    /// <summary>Serves until the client leaves.</summary>
    public void Run()
    {
        try
        {
            Greet();
            while (!_client.HasEnded && _client.Next(false, out var type, out var body) && type != 'X')
            {
                Handle(type, body.Span);
                if (Output.Length > Output.Piece)
                    Flush();
            }
        }
        catch (EndpointException error)
        {
            Messages.Error(Output, error, Behaviour, isFatal: true);
            Flush();
        }
    }

    /// <summary>Sends what is written, and waits while the client does not keep up.</summary>
    public void Flush()
    {
        if (Output.Length == 0)
            return;
        _client.Write(Output.Written);
        Output.Clear();
    }

    /// <summary>Sends a piece of a large result while the next one is written, and waits only where the client is two pieces behind.</summary>
    public void FlushPiece() => _client.WriteAhead(Output);

    /// <summary>While a statement runs for long, learns whether the client is still there.</summary>
    public void Watch(TimeSpan maxWait)
    {
        if (Interruption.Running > maxWait)
            _client.ReadAhead(() => Interruption.IsRunning, Interruption.Request);
    }

    /// <summary>Runs work that a cancel request may interrupt.</summary>
    public void Guard(Action work)
    {
        Interruption.Enter(Settings.StatementTimeout);
        try
        {
            work();
        }
        catch (EndpointException error) when (Interruption.IsRequested && !error.IsFatal)
        {
            throw EndpointException.Interrupted();
        }
        finally
        {
            if (Interruption.Leave())
                Active?.Break();
        }
    }

    /// <summary>Before the connection is used again, a portal that streams from it takes what is left of its rows.</summary>
    public void Settle(Portal? next)
    {
        if (Active != next)
            Active?.Buffer();
    }

    /// <summary>Ends a stream that was left in the middle, and its transaction with it.</summary>
    public void EndStream()
    {
        try
        {
            Connection.Run("SELECT 1");
        }
        catch (EndpointException)
        {
            // It was interrupted: it has ended all the same.
        }
    }

    /// <summary>What this session sees of the account.</summary>
    public SessionScope Scope()
    {
        var others = Login.Options.AttachSingle
            ? Services.Databases.List().Where(name => !name.Equals(Database, StringComparison.OrdinalIgnoreCase)).ToHashSet(StringComparer.OrdinalIgnoreCase)
            : null;
        return new SessionScope(Behaviour, Database, Login.User, Settings, others);
    }

    /// <summary>Tells an error at once: a client that pipelines may wait for it before it sends Sync.</summary>
    public void Report(EndpointException error)
    {
        Transaction.Fail();
        Messages.Error(Output, error, Behaviour, isFatal: false);
        Flush();
    }

    /// <summary>An error that nobody expected is told and survived.</summary>
    public EndpointException Unexpected(Exception error)
    {
        Services.Log($"session {Id}: unexpected: {error}");
        return new EndpointException($"internal error: {error.Message}");
    }

    /// <summary>Tells the client of the time zone that DuckDB has now.</summary>
    public void ReadTimeZone()
    {
        var zone = Connection.Rows("SELECT current_setting('TimeZone')")[0][0]!;
        Format.UseZone(zone);
        Settings.TimeZone = zone;
        Messages.ParameterStatus(Output, "TimeZone", zone);
    }

    public void Dispose()
    {
        Interruption.Dispose();
        _extended.Dispose();
        Statements.Dispose();
        Connection.Dispose();
    }

    private void Greet()
    {
        Messages.Authentication(Output, 0);
        foreach (var (name, value) in Settings.Reported)
            Messages.ParameterStatus(Output, name, value);
        if (Settings.StartTimeZone is { } zone)
            StartIn(zone);
        else
            Messages.ParameterStatus(Output, "TimeZone", Settings.TimeZone);
        Messages.BackendKey(Output, Id, Secret);
        foreach (var option in Login.Options.Unknown)
        {
            if (Behaviour == Behaviour.Observed || !option.StartsWith("-c ", StringComparison.Ordinal))
                Messages.Warning(Output, $"the session option {option} is not known and is ignored");
        }
        Messages.ReadyForQuery(Output, 'I');
        Flush();
    }

    /// <summary>RESET ALL: the time zone is the session's first one again.</summary>
    public void ResetTimeZone()
    {
        Connection.Run($"SET TimeZone = {Sql.SqlText.Literal(Settings.StartTimeZone ?? "UTC")}");
        ReadTimeZone();
    }

    /// <summary>Drops a prepared statement, of the protocol or of PREPARE; with no name those of PREPARE, as the protocol's go when the statement is over.</summary>
    /// <exception cref="EndpointException">There is none of this name.</exception>
    public void Deallocate(string name, PreparedStatement asking)
    {
        if (name != "" && _extended.Deallocate(name, asking))
            return;
        var names = name != "" ? [name] : Connection.Rows("SELECT name FROM duckdb_prepared_statements()").Select(row => row[0]!);
        foreach (var known in names.ToList())
            Connection.Run($"DEALLOCATE {Sql.SqlText.Identifier(known)}");
    }

    private void StartIn(string zone)
    {
        try
        {
            Connection.Run($"SET TimeZone = {Sql.SqlText.Literal(zone)}");
        }
        catch (EndpointException error)
        {
            throw EndpointException.Fatal(error.Message, SqlState.InvalidSetting);
        }
        ReadTimeZone();
    }

    private void Handle(char type, ReadOnlySpan<byte> body)
    {
        if (_isSkipping && type != 'S')
            return;
        var fields = new Fields(body);
        switch (type)
        {
            case 'Q':
                _simple.Run(ref fields);
                Ready();
                break;
            case 'P' or 'B' or 'D' or 'E' or 'C':
                Extended(type, ref fields);
                break;
            case 'H':
                fields.End();
                Flush();
                break;
            case 'S':
                fields.End();
                _isSkipping = false;
                Ready();
                break;
            case 'd' or 'c' or 'f':
                // Leftovers of a COPY that was refused: PostgreSQL ignores them outside of a copy too.
                break;
            case 'F':
                throw EndpointException.Fatal("function calls are not supported", SqlState.NotSupported);
            default:
                throw EndpointException.Fatal($"unknown message type '{type}'", SqlState.ProtocolViolation);
        }
    }

    // After an error everything is skipped until Sync.
    private void Extended(char type, ref Fields fields)
    {
        try
        {
            _extended.Handle(type, ref fields);
        }
        catch (EndpointException error) when (!error.IsFatal)
        {
            Report(error);
            _isSkipping = true;
        }
        catch (Exception error) when (error is not EndpointException)
        {
            Report(Unexpected(error));
            _isSkipping = true;
        }
    }

    private void Ready()
    {
        // A portal lives as long as its transaction.
        if (Transaction.Status == TransactionStatus.Idle)
            _extended.ClosePortals();
        Messages.ReadyForQuery(Output, Services.IsTruthful ? Transaction.Indicator : 'I');
        Flush();
    }
}
