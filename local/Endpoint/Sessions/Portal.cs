using MdFunctions.Endpoint.Native;
using MdFunctions.Endpoint.Remote;
using MdFunctions.Endpoint.Values;
using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Sessions;

/// <summary>A statement under way with its parameters: where its rows come from, and how many have been sent.</summary>
internal sealed class Portal(Session session, PreparedStatement prepared, ParameterValue[] parameters, short[] formats) : IDisposable
{
    /// <summary>Rows written between two looks at the output's size: wide rows must not pile up.</summary>
    private const int RowsAtOnce = 64;

    private enum State
    {
        New,
        Open,
        Done,
    }

    private State _state;
    private QueryResult? _result;
    private RowWriter? _writer;
    private Chunk? _chunk;
    private Queue<Chunk>? _buffered;
    private RemoteLease _files = RemoteLease.None;
    private int _row;
    private long _sent;
    private bool _isSilent;
    private bool _isBroken;

    public string Name { get; init; } = "";

    public PreparedStatement Prepared => prepared;

    public short[] Formats => formats;

    /// <summary>Runs it, or runs it on: up to <paramref name="limit"/> rows, or all of them for 0.</summary>
    /// <exception cref="EndpointException">It fails.</exception>
    public void Run(int limit, bool describe)
    {
        if (prepared.IsEmpty)
        {
            Messages.EmptyQueryResponse(session.Output);
            return;
        }
        prepared.CheckTransaction();
        try
        {
            if (_isBroken)
                throw EndpointException.Interrupted();
            if (_state == State.New)
            {
                session.Settle(this);
                Start(describe);
            }
            if (_state == State.Open && !SendRows(limit))
            {
                Messages.PortalSuspended(session.Output);
                return;
            }
        }
        catch (EndpointException error)
        {
            Finish();
            prepared.Forget();
            // A COMMIT that fails has rolled back.
            if (prepared.Found.Verb is "commit" or "end")
                session.Transaction.Ended(committed: false);
            throw prepared.Clean(error);
        }
        Messages.CommandComplete(session.Output, prepared.Tag(_sent, _isSilent));
    }

    /// <summary>Its stream was interrupted while nobody read it.</summary>
    public void Break() => _isBroken = true;

    /// <summary>Takes what is left of a stream into memory, because the connection is needed for something else.</summary>
    public void Buffer()
    {
        var rest = new Queue<Chunk>();
        while (Next() is { } chunk)
            rest.Enqueue(chunk);
        _buffered = rest;
        session.Active = null;
    }

    public void Dispose()
    {
        var isStreaming = session.Active == this;
        Finish();
        _files.Release();
        _files = RemoteLease.None;
        // A stream that is left ends with the next statement: its transaction must not stay open until then.
        if (isStreaming && !session.ClientHasGone)
            session.EndStream();
    }

    private void Start(bool describe)
    {
        _state = State.Open;
        if (OwnStatements.Run(session, prepared))
        {
            if (describe && prepared.VisibleColumns.Count > 0)
                Messages.RowDescription(session.Output, prepared.VisibleColumns, [], session.Behaviour);
            _isSilent = true;
            _state = State.Done;
            return;
        }
        prepared.Bind(parameters);
        _files = prepared.LendFiles();
        // What writes is run to its end at once: an error must come before the first row.
        var isStreaming = prepared.Kind == StatementKind.Select;
        _result = prepared.Execute(isStreaming);
        if (isStreaming)
            session.Active = this;
        prepared.AfterRun();
        if (describe)
            prepared.Columns = _result.Columns;
        else if (!prepared.HasColumns(_result.Columns))
            throw new EndpointException("Invalid Input Error: the result types of this prepared statement have changed. Prepare it again");
        _writer = new RowWriter(_result.Columns, formats, session.Format, prepared.Files);
        _isSilent = prepared.VisibleColumns.Count == 0;
        if (describe && !_isSilent)
            Messages.RowDescription(session.Output, prepared.VisibleColumns, [], session.Behaviour);
    }

    /// <summary>Sends rows; false where the limit was reached and there may be more.</summary>
    private bool SendRows(int limit)
    {
        var output = session.Output;
        long left = limit == 0 ? long.MaxValue : limit;
        while (true)
        {
            if (_chunk is null || _row >= _chunk.Size)
            {
                // As in PostgreSQL: whether these were the last rows, the next Execute tells.
                if (left == 0)
                    return false;
                if (!Load())
                    return true;
                continue;
            }
            if (left == 0)
                return false;
            var end = (int)Math.Min(_chunk.Size, _row + Math.Min(left, RowsAtOnce));
            left -= end - _row;
            _sent += end - _row;
            for (; _row < end; _row++)
                _writer!.Write(output, _row);
            if (output.Length <= Output.Piece)
                continue;
            session.FlushPiece();
            if (session.ClientHasGone || session.Interruption.IsRequested)
                throw EndpointException.Interrupted();
        }
    }

    private bool Load()
    {
        _chunk?.Dispose();
        session.Interruption.Compute(true);
        _chunk = Next();
        session.Interruption.Compute(false);
        if (session.Interruption.IsRequested)
            throw EndpointException.Interrupted();
        if (_chunk is null)
        {
            Finish();
            return false;
        }
        _row = 0;
        _writer!.Load(_chunk);
        if (!_isSilent)
            return true;
        // The one number of a `Count` result is not shown but told in the command tag.
        if (prepared.Columns[0].Name == "Count" && prepared.Columns[0].Type.Id == DuckType.BigInt)
            _sent = _writer.ReadInt64(0, 0);
        _row = _chunk.Size;
        return true;
    }

    private Chunk? Next()
    {
        if (_buffered is not null)
            return _buffered.TryDequeue(out var chunk) ? chunk : null;
        return _result?.Fetch();
    }

    private void Finish()
    {
        _state = State.Done;
        _chunk?.Dispose();
        _result?.Dispose();
        while (_buffered?.TryDequeue(out var chunk) == true)
            chunk.Dispose();
        (_chunk, _result, _buffered, _writer) = (null, null, null, null);
        if (session.Active == this)
            session.Active = null;
    }
}
