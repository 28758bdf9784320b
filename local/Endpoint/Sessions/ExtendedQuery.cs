using MdFunctions.Endpoint.Policy;
using MdFunctions.Endpoint.Sql;
using MdFunctions.Endpoint.Values;
using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Sessions;

/// <summary>The extended query protocol: statements and portals by name.</summary>
internal sealed class ExtendedQuery(Session session) : IDisposable
{
    private readonly Dictionary<string, PreparedStatement> _statements = [];
    private readonly Dictionary<string, Portal> _portals = [];

    /// <summary>Carries out Parse, Bind, Describe, Execute or Close.</summary>
    /// <exception cref="EndpointException">It fails.</exception>
    public void Handle(char type, ref Fields fields)
    {
        switch (type)
        {
            case 'P':
                Parse(ref fields);
                break;
            case 'B':
                Bind(ref fields);
                break;
            case 'D':
                Describe(ref fields);
                break;
            case 'E':
                Execute(ref fields);
                break;
            default:
                Close(ref fields);
                break;
        }
    }

    /// <summary>A simple query drops the unnamed statement and portal.</summary>
    public void DropUnnamed()
    {
        DropPortal("");
        if (_statements.Remove("", out var statement))
            statement.Dispose();
    }

    /// <summary>The transaction is over, and with it its portals.</summary>
    public void ClosePortals()
    {
        foreach (var portal in _portals.Values)
            portal.Dispose();
        _portals.Clear();
    }

    /// <summary>DISCARD ALL drops them all.</summary>
    public void Dispose()
    {
        ClosePortals();
        foreach (var statement in _statements.Values)
            statement.Dispose();
        _statements.Clear();
    }

    /// <summary>Drops a statement by its name, but the one that asks for it; tells whether there is one.</summary>
    public bool Deallocate(string name, PreparedStatement asking)
    {
        if (!_statements.TryGetValue(name, out var prepared))
            return false;
        if (prepared != asking)
            Drop(name);
        return true;
    }

    private void Drop(string name)
    {
        if (!_statements.Remove(name, out var prepared))
            return;
        foreach (var portal in _portals.Values.Where(portal => portal.Prepared == prepared).ToList())
            DropPortal(portal.Name);
        prepared.Dispose();
    }

    private void Parse(ref Fields fields)
    {
        var name = fields.CString();
        var sql = fields.CString();
        var declared = new int[fields.UInt16()];
        for (var i = 0; i < declared.Length; i++)
            declared[i] = fields.Int32();
        fields.End();
        if (name != "" && _statements.ContainsKey(name))
            throw new EndpointException($"prepared statement \"{name}\" already exists", SqlState.DuplicateStatement);
        if (name == "" && _statements.Remove("", out var old))
            old.Dispose();
        var statements = SqlText.Split(sql);
        if (statements.Count > 1)
            throw new EndpointException("Parser Error: cannot prepare multiple statements at once", SqlState.Unparsable);
        if (statements.Count == 0)
            _statements[name] = PreparedStatement.Empty(session);
        else
            session.Guard(() => _statements[name] = PreparedStatement.Open(session, StatementPolicy.Examine(statements[0], session.Behaviour), declared));
        Messages.ParseComplete(session.Output);
    }

    private void Bind(ref Fields fields)
    {
        var portalName = fields.CString();
        var prepared = Statement(fields.CString(), out var statementName, ref fields, out var message);
        if (session.Transaction.Status == TransactionStatus.Failed)
            prepared.CheckTransaction();
        message.Check(prepared, statementName);
        if (_portals.ContainsKey(portalName))
        {
            if (portalName != "")
                throw new EndpointException($"portal \"{portalName}\" already exists", SqlState.DuplicatePortal);
            DropPortal("");
        }
        var arrays = session.Behaviour == Behaviour.Documented;
        var parameters = new ParameterValue[message.Values.Length];
        for (var i = 0; i < parameters.Length; i++)
        {
            if (message.Values[i] is { } value)
            {
                var format = BindMessage.FormatOf(message.ParameterFormats, i);
                parameters[i] = Parameters.Decode(value, format, prepared.DeclaredOid(i), prepared.ParameterOids[i], i + 1, arrays);
            }
        }
        var formats = new short[prepared.VisibleColumns.Count];
        for (var i = 0; i < formats.Length; i++)
            formats[i] = BindMessage.FormatOf(message.ResultFormats, i);
        _portals[portalName] = new Portal(session, prepared, parameters, formats) { Name = portalName };
        Messages.BindComplete(session.Output);
    }

    // The message is read to its end before anything is looked up: one that is malformed is fatal, whatever it names.
    private PreparedStatement Statement(string name, out string statementName, ref Fields fields, out BindMessage message)
    {
        statementName = name;
        message = BindMessage.Read(ref fields);
        return _statements.TryGetValue(name, out var prepared) ? prepared : throw NoStatement(name);
    }

    private void Describe(ref Fields fields)
    {
        var kind = fields.Char();
        var name = fields.CString();
        fields.End();
        switch (kind)
        {
            case 'S':
                var prepared = _statements.TryGetValue(name, out var known) ? known : throw NoStatement(name);
                Messages.ParameterDescription(session.Output, prepared.DescribedOids);
                DescribeRows(prepared, []);
                break;
            case 'P':
                var portal = _portals.TryGetValue(name, out var open) ? open : throw NoPortal(name);
                DescribeRows(portal.Prepared, portal.Formats);
                break;
            default:
                throw EndpointException.Fatal($"a Describe of unknown kind '{kind}'", SqlState.ProtocolViolation);
        }
    }

    private void DescribeRows(PreparedStatement prepared, ReadOnlySpan<short> formats)
    {
        if (prepared.VisibleColumns.Count == 0)
            Messages.NoData(session.Output);
        else
            Messages.RowDescription(session.Output, prepared.VisibleColumns, formats, session.Behaviour);
    }

    private void Execute(ref Fields fields)
    {
        var name = fields.CString();
        var limit = fields.Int32();
        fields.End();
        var portal = _portals.TryGetValue(name, out var open) ? open : throw NoPortal(name);
        session.Guard(() => portal.Run(Math.Max(0, limit), describe: false));
        if (portal.Prepared.IsDiscard)
            Dispose();
    }

    private void Close(ref Fields fields)
    {
        var kind = fields.Char();
        var name = fields.CString();
        fields.End();
        switch (kind)
        {
            case 'P':
                DropPortal(name);
                break;
            case 'S':
                Drop(name);
                break;
            default:
                throw EndpointException.Fatal($"a Close of unknown kind '{kind}'", SqlState.ProtocolViolation);
        }
        Messages.CloseComplete(session.Output);
    }

    private void DropPortal(string name)
    {
        if (_portals.Remove(name, out var portal))
            portal.Dispose();
    }

    private static EndpointException NoStatement(string name)
        => new($"prepared statement \"{name}\" does not exist", SqlState.UnknownStatement);

    private static EndpointException NoPortal(string name) => new($"portal \"{name}\" does not exist", SqlState.UnknownPortal);
}
