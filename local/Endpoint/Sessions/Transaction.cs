using MdFunctions.Endpoint.Native;
using MdFunctions.Endpoint.Settings;
using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Sessions;

internal enum TransactionStatus
{
    Idle,
    Open,

    /// <summary>After an error, until ROLLBACK.</summary>
    Failed,
}

/// <summary>
/// A session's transaction: what the client began, or the implicit one of a simple query with several statements. DuckDB carries it out;
/// that errors of ours fail it too, we see to.
/// </summary>
internal sealed class Transaction(Connection connection, SessionSettings settings, Output output, SchemaChanges changes)
{
    private bool _changesSchema;

    public TransactionStatus Status { get; private set; }

    /// <summary>Whether it is the implicit one of a simple query.</summary>
    public bool IsImplicit { get; private set; }

    /// <summary>The byte of ReadyForQuery.</summary>
    public char Indicator => Status switch
    {
        TransactionStatus.Open => 'T',
        TransactionStatus.Failed => 'E',
        _ => 'I',
    };

    /// <summary>The client's BEGIN has run.</summary>
    public void Begun()
    {
        Status = TransactionStatus.Open;
        settings.Begin();
    }

    /// <summary>COMMIT or ROLLBACK has run, or a COMMIT has failed, which rolls back.</summary>
    public void Ended(bool committed)
    {
        Status = TransactionStatus.Idle;
        IsImplicit = false;
        if (_changesSchema)
            changes.Add();
        _changesSchema = false;
        foreach (var (name, value) in settings.End(committed))
            Messages.ParameterStatus(output, name, value);
    }

    /// <summary>A statement may have changed the schema: others see it when the transaction ends.</summary>
    public void ChangeSchema()
    {
        changes.Add();
        _changesSchema = Status != TransactionStatus.Idle;
    }

    /// <summary>A statement has failed.</summary>
    public void Fail()
    {
        if (Status != TransactionStatus.Idle)
            Status = TransactionStatus.Failed;
    }

    /// <summary>Begins the implicit one.</summary>
    public void BeginImplicit()
    {
        connection.Run("BEGIN TRANSACTION");
        Begun();
        IsImplicit = true;
    }

    /// <summary>The client's BEGIN makes the implicit one its own.</summary>
    public void Adopt() => IsImplicit = false;

    /// <summary>Commits the implicit one, if there is one.</summary>
    /// <exception cref="EndpointException">It cannot be committed, and is rolled back.</exception>
    public void CommitImplicit()
    {
        if (!IsImplicit)
            return;
        try
        {
            connection.Run("COMMIT");
        }
        catch (EndpointException)
        {
            Ended(committed: false);
            throw;
        }
        Ended(committed: true);
    }

    /// <summary>Undoes the implicit one, if there is one.</summary>
    public void RollBackImplicit()
    {
        if (!IsImplicit)
            return;
        RollBackStray();
        Ended(committed: false);
    }

    /// <summary>Undoes what DuckDB may have begun by itself, within a text that it made several statements of.</summary>
    public void RollBackStray()
    {
        try
        {
            connection.Run("ROLLBACK");
        }
        catch (EndpointException)
        {
            // There was none, or a fatal error of DuckDB's has ended it.
        }
    }
}
